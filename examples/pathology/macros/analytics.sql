{#- How a measurement's mean moves from week to week, scanner by scanner. -#}
{% macro drift(measurement) -%}
  {{ config(enabled=wanted(measurement)) }}
  select
    scanners.site_id,
    daily.scanner_id,
    cast(floor(daily.scanned_day / 7) as int) as week,
    cast(sum(daily.slides) as bigint) as slides,
    sum(daily.total) / sum(daily.slides) as mean
  from {{ ref(measurement ~ '_mean_daily') }} as daily
  inner join {{ ref('stg_scanners') }} as scanners on daily.scanner_id = scanners.scanner_id
  group by scanners.site_id, daily.scanner_id, cast(floor(daily.scanned_day / 7) as int)
{%- endmacro %}

{#- How well a measurement tells malignant from benign, under either version of the labels. -#}
{% macro separation(measurement) -%}
  {{ config(enabled=wanted(measurement)) }}
  with labels as (
    select biopsy_id, is_malignant, 'v1' as version from {{ ref('labels_v1') }}
    union all
    select biopsy_id, is_malignant, 'v2' as version from {{ ref('labels_v2') }}
  ),

  classes as (
    select
      labels.version,
      labels.is_malignant,
      count(*) as slides,
      avg(slides.value) as mean,
      var_samp(slides.value) as variance
    from {{ ref(measurement ~ '_mean') }} as slides
    inner join labels on slides.biopsy_id = labels.biopsy_id
    group by labels.version, labels.is_malignant
  )

  select
    malignant.version,
    malignant.mean as malignant_mean,
    benign.mean as benign_mean,
    (malignant.mean - benign.mean) / sqrt((malignant.variance + benign.variance) / 2) as effect_size,
    malignant.slides as malignant_slides,
    benign.slides as benign_slides
  from classes as malignant
  inner join classes as benign on malignant.version = benign.version
  where malignant.is_malignant and not benign.is_malignant
{%- endmacro %}

{#- A patient's first and last value of a measurement, for follow-up over several biopsies. -#}
{% macro per_patient(measurement) -%}
  {{ config(enabled=wanted(measurement)) }}
  with ordered as (
    select
      biopsies.patient_id,
      slides.value,
      row_number() over (
        partition by biopsies.patient_id order by slides.scanned_day, slides.slide_id
      ) as from_first,
      row_number() over (
        partition by biopsies.patient_id order by slides.scanned_day desc, slides.slide_id desc
      ) as from_last
    from {{ ref(measurement ~ '_mean') }} as slides
    inner join {{ ref('stg_biopsies') }} as biopsies on slides.biopsy_id = biopsies.biopsy_id
  )

  select
    patient_id,
    count(*) as slides,
    max(case when from_first = 1 then value end) as first_value,
    max(case when from_last = 1 then value end) as last_value,
    avg(value) as mean
  from ordered
  group by patient_id
{%- endmacro %}
