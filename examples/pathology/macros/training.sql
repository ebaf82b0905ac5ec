{#- One row for each biopsy that has a label: the label, the split, and all features of one window.
    A patient is in one split only, else a model would be tested on patients that it has seen. -#}
{% macro training_set(labels, window) -%}
  {{ config(enabled=window in var('windows')) }}
  {%- set names = [] -%}
  {%- for measurement in var('measurements') -%}
    {%- for statistic in var('statistics') -%}
      {%- do names.append(measurement ~ '_' ~ statistic) -%}
    {%- endfor -%}
  {%- endfor %}
  with features as (
    {%- for name in names %}
    select biopsy_id, '{{ name }}' as name, value, against_scanner
    from {{ ref(name ~ '_' ~ window ~ 'd') }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
  ),

  wide as (
    select
      biopsy_id,
      {%- for name in names %}
      max(case when name = '{{ name }}' then value end) as {{ name }},
      max(case when name = '{{ name }}' then against_scanner end) as {{ name }}_against_scanner
      {%- if not loop.last %},{% endif %}
      {%- endfor %}
    from features
    group by biopsy_id
  )

  select
    labels.biopsy_id,
    labels.is_malignant,
    case when biopsies.patient_number % 5 = 0 then 'test' else 'train' end as split,
    {%- for name in names %}
    wide.{{ name }},
    wide.{{ name }}_against_scanner
    {%- if not loop.last %},{% endif %}
    {%- endfor %}
  from {{ ref(labels) }} as labels
  inner join {{ ref('stg_biopsies') }} as biopsies on labels.biopsy_id = biopsies.biopsy_id
  inner join wide on labels.biopsy_id = wide.biopsy_id
{%- endmacro %}
