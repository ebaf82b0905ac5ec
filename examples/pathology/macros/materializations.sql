{#- dbt lets a package replace its own materializations only where the project says so. -#}
{% materialization table, adapter='duckdb' -%}
  {{ return(dbt_mainstem.materialization_table_duckdb()) }}
{%- endmaterialization %}

{% materialization view, adapter='duckdb' -%}
  {{ return(dbt_mainstem.materialization_view_duckdb()) }}
{%- endmaterialization %}

{% materialization incremental, adapter='duckdb' -%}
  {{ return(dbt_mainstem.materialization_incremental_duckdb()) }}
{%- endmaterialization %}

{% materialization seed, adapter='duckdb' -%}
  {{ return(dbt_mainstem.materialization_seed_duckdb()) }}
{%- endmaterialization %}

{#- dbt's own copies the column into another and drops it, with a CASCADE that DuckDB refuses here. -#}
{% macro duckdb__alter_column_type(relation, column_name, new_column_type) -%}
  {% do run_query('alter table ' ~ relation ~ ' alter column ' ~ adapter.quote(column_name)
                  ~ ' set data type ' ~ new_column_type) %}
{%- endmacro %}
