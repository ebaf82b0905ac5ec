{#- Days since 1970, so that windows over dates are windows over numbers in every engine. -#}
{% macro day_number(date) -%}
  {{ return(adapter.dispatch('day_number')(date)) }}
{%- endmacro %}

{% macro default__day_number(date) -%}
  date_diff('day', date '1970-01-01', {{ date }})
{%- endmacro %}

{% macro spark__day_number(date) -%}
  datediff({{ date }}, date '1970-01-01')
{%- endmacro %}

{#- What was loaded since this table was last built; everything, the first time. -#}
{% macro newly_loaded(prefix='') -%}
  {%- if is_incremental() -%}
    {{ prefix }}loaded_on > (select max(loaded_on) from {{ this }})
  {%- else -%}
    true
  {%- endif -%}
{%- endmacro %}
