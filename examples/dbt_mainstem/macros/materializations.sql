{#- A project takes these by naming them in a macro file of its own, see the README. -#}

{% materialization table, adapter='duckdb' -%}
  {%- set target_relation = this.incorporate(type='table') -%}
  {%- if config.get('contract').enforced -%}
    {% do get_assert_columns_equivalent(compiled_code) %}
  {%- endif -%}
  {{ run_hooks(pre_hooks) }}
  {% do dbt_mainstem.mainstem_replace_table(target_relation, compiled_code) %}
  {{ run_hooks(post_hooks) }}
  {% do adapter.commit() %}
  {{ return({'relations': [target_relation]}) }}
{%- endmaterialization %}

{#- DuckDB neither makes nor reads Iceberg views, so that a view's rows are stored. -#}
{% materialization view, adapter='duckdb' -%}
  {% do log(this.schema ~ '.' ~ this.identifier ~ ' is a view; DuckDB makes a table of it') %}
  {{ return(dbt_mainstem.materialization_table_duckdb()) }}
{%- endmaterialization %}

{#- dbt's own, but for the first run and --full-refresh, which it does by renaming tables. -#}
{% materialization incremental, adapter='duckdb' -%}
  {%- if load_cached_relation(this) is none or should_full_refresh() -%}
    {{ return(dbt_mainstem.materialization_table_duckdb()) }}
  {%- endif -%}
  {{ return(dbt.materialization_incremental_duckdb()) }}
{%- endmaterialization %}

{#- dbt's own drops the table for --full-refresh, with a CASCADE that DuckDB refuses here. -#}
{% materialization seed, adapter='duckdb' -%}
  {%- set target_relation = this.incorporate(type='table') -%}
  {%- set rows = load_agate_table() -%}
  {%- do store_result('agate_table', response='OK', agate_table=rows) -%}
  {{ run_hooks(pre_hooks) }}
  {% do dbt_mainstem.mainstem_replace_table(target_relation, dbt_mainstem.mainstem_seed_rows(rows)) %}
  {{ run_hooks(post_hooks) }}
  {% do adapter.commit() %}
  {{ return({'relations': [target_relation]}) }}
{%- endmaterialization %}
