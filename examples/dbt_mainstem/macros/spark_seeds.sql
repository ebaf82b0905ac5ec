{#- dbt-spark drops a seed's table before it makes it anew; this keeps the table, its uuid and its
    history. A project takes it by having this file in its own macros. -#}
{% macro spark__reset_csv_table(model, full_refresh, old_relation, agate_table) -%}
  {%- set given = model.config.get('column_types') or {} -%}
  {%- set columns = [] -%}
  {%- for name in agate_table.column_names -%}
    {%- do columns.append(adapter.quote(name) ~ ' ' ~ given.get(name, adapter.convert_type(agate_table, loop.index0))) -%}
  {%- endfor -%}
  {%- set sql -%}
    create or replace table {{ this }} ({{ columns | join(', ') }}) {{ file_format_clause() }}
  {%- endset -%}
  {% call statement('replaced') %}{{ sql }}{% endcall %}
  {{ return(sql) }}
{%- endmacro %}
