{#- Which tables there are follows from the project's variables. -#}
{% macro wanted(measurement, statistic='mean', window=none) -%}
  {{ return(
    measurement in var('measurements')
    and statistic in var('statistics')
    and (window is none or window in var('windows'))
  ) }}
{%- endmacro %}

{#- One row for each slide: what one measurement says of it, and which scanner said so. -#}
{% macro measurement(measurement, statistic) -%}
  {{ config(enabled=wanted(measurement, statistic)) }}
  select
    slides.slide_id,
    slides.biopsy_id,
    slides.scanner_id,
    slides.scanned_day,
    measurements.{{ measurement }}_{{ statistic }} as value,
    slides.loaded_on
  from {{ ref('stg_slides') }} as slides
  inner join {{ ref('stg_measurements') }} as measurements
    on slides.slide_id = measurements.slide_id
  where {{ newly_loaded("slides.") }}
{%- endmacro %}

{#- One row for each scanner, day and load, from which any window's mean and deviation follow. -#}
{% macro measurement_daily(measurement, statistic) -%}
  {{ config(enabled=wanted(measurement, statistic)) }}
  select
    scanner_id,
    scanned_day,
    count(*) as slides,
    sum(value) as total,
    sum(value * value) as total_of_squares,
    loaded_on
  from {{ ref(measurement ~ '_' ~ statistic) }}
  where {{ newly_loaded() }}
  group by scanner_id, scanned_day, loaded_on
{%- endmacro %}
