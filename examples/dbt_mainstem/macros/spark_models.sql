{#- dbt-spark drops an incremental model's table for --full-refresh; its `table`, which this takes
    then, replaces it by one commit. A project takes it by having this file in its own macros. -#}
{% materialization incremental, adapter='spark', supported_languages=['sql', 'python'] -%}
  {%- set existing = load_relation(this) -%}
  {%- if existing is not none and not existing.is_view and should_full_refresh() -%}
    {{ return(dbt.materialization_table_spark()) }}
  {%- endif -%}
  {%- if existing is none -%}
    {% do adapter.drop_relation(this.incorporate(type='table')) %}
  {%- endif -%}
  {{ return(dbt.materialization_incremental_spark()) }}
{%- endmaterialization %}

{#- dbt-spark refuses to drop columns, for sync_all_columns; Iceberg can. Its own asks for rows, which
    fails over Thrift, where such statements have none. -#}
{% macro spark__alter_relation_add_remove_columns(relation, add_columns, remove_columns) -%}
  {%- if remove_columns -%}
    {% call statement('drop_columns') -%}
      alter table {{ relation }} drop columns ({{ remove_columns | map(attribute='quoted') | join(', ') }})
    {%- endcall %}
  {%- endif -%}
  {%- if add_columns -%}
    {%- set added = [] -%}
    {%- for column in add_columns -%}
      {%- do added.append(column.quoted ~ ' ' ~ column.data_type) -%}
    {%- endfor -%}
    {% call statement('add_columns') -%}
      alter table {{ relation }} add columns ({{ added | join(', ') }})
    {%- endcall %}
  {%- endif -%}
{%- endmacro %}

{#- dbt's own copies the column into another; Iceberg changes the type, where it can, in place. -#}
{% macro spark__alter_column_type(relation, column_name, new_column_type) -%}
  {% call statement('alter_column_type') -%}
    alter table {{ relation }} alter column {{ adapter.quote(column_name) }} type {{ new_column_type }}
  {%- endcall %}
{%- endmacro %}

{#- dbt-spark does not see that a model was a view, since Spark does not list Iceberg's as tables. -#}
{% macro spark__drop_relation(relation) -%}
  {%- if relation.type == 'table' -%}
    {% call statement('drop_view', auto_begin=False) %}drop view if exists {{ relation }}{% endcall %}
  {%- endif -%}
  {% call statement('drop_relation', auto_begin=False) %}drop {{ relation.type }} if exists {{ relation }}{% endcall %}
{%- endmacro %}
