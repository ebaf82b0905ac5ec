{#- One row for each biopsy: a measurement over its slides, and how far that is from what its
    scanners saw in the window of days before, in standard deviations. Scanners drift, and a model
    must not learn the scanner. -#}
{% macro feature(measurement, statistic, window) -%}
  {{ config(enabled=wanted(measurement, statistic, window)) }}
  {%- set name = measurement ~ '_' ~ statistic %}
  with days as (
    select
      scanner_id,
      scanned_day,
      sum(slides) as slides,
      sum(total) as total,
      sum(total_of_squares) as total_of_squares
    from {{ ref(name ~ '_daily') }}
    group by scanner_id, scanned_day
  ),

  windows as (
    select
      scanner_id,
      scanned_day,
      sum(slides) over recent as slides,
      sum(total) over recent as total,
      sum(total_of_squares) over recent as total_of_squares
    from days
    window recent as (
      partition by scanner_id
      order by scanned_day
      range between {{ window - 1 }} preceding and current row
    )
  ),

  baselines as (
    select
      scanner_id,
      scanned_day,
      total / slides as mean,
      sqrt(greatest(total_of_squares / slides - (total / slides) * (total / slides), 0)) as deviation
    from windows
  )

  select
    slides.biopsy_id,
    count(*) as slides,
    avg(slides.value) as value,
    avg((slides.value - baselines.mean) / nullif(baselines.deviation, 0)) as against_scanner
  from {{ ref(name) }} as slides
  inner join baselines
    on slides.scanner_id = baselines.scanner_id
    and slides.scanned_day = baselines.scanned_day
  group by slides.biopsy_id
{%- endmacro %}
