{% test at_least(model, column_name, value) %}
  select {{ column_name }} from {{ model }} where {{ column_name }} < {{ value }}
{% endtest %}

{% test has_rows(model) %}
  select rows_found from (select count(*) as rows_found from {{ model }}) as counted where rows_found = 0
{% endtest %}
