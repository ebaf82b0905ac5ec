{#- Read a seed's file with the types that dbt gives its columns. -#}
{% macro mainstem_seed_rows(rows) -%}
  {%- set given = model.config.get('column_types') or {} -%}
  {%- set columns = [] -%}
  {%- for name in rows.column_names -%}
    {%- set type = given.get(name, adapter.convert_type(rows, loop.index0)) -%}
    {%- do columns.append("'" ~ name | replace("'", "''") ~ "': '" ~ type ~ "'") -%}
  {%- endfor -%}
  select * from read_csv(
    '{{ adapter.get_seed_file_path(model) | replace("'", "''") }}',
    header = true,
    delim = '{{ config.get('delimiter', ',') }}',
    columns = { {{ columns | join(', ') }} }
  )
{%- endmacro %}
