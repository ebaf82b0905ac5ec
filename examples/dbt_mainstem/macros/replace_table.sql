{#- Compute a model and put it into its Iceberg table by one commit; the table is created if it is
    missing. The rows go to a scratch file first, so that a query that fails changes nothing, and
    they need not fit into memory. -#}
{% macro mainstem_replace_table(relation, sql) -%}
  {%- set folder = run_query("select getvariable('mainstem_scratch')").columns[0][0] -%}
  {%- set file = folder ~ '/' ~ relation.schema ~ '.' ~ relation.identifier ~ '.parquet' -%}
  {% call statement('main') -%}
    copy (
      {{ sql }}
    ) to '{{ file | replace("'", "''") }}' (format parquet)
  {%- endcall %}
  {#- The commit that follows is pyiceberg's: this transaction has only read. -#}
  {% do adapter.commit() %}
  {#- What dbt knows of the schema saves the plugin to ask; it looks again where that is outdated. -#}
  {%- set known = {'exists': load_cached_relation(relation) is not none} -%}
  {% do adapter.store_relation('mainstem_tables', relation, [], file, 'parquet', known) %}
{%- endmacro %}
