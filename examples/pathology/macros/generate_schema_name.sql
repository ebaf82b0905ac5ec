{#- The branch sets a run apart, so schemas need no prefix: training.v1_7d is its name everywhere. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
  {{ custom_schema_name or target.schema }}
{%- endmacro %}
