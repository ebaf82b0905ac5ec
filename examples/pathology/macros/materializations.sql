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
