"""A hospital group's days of digital pathology, grown from the Wisconsin breast-cancer data set.

The 569 digitised biopsies that scikit-learn carries are in the first load as they are. Everything
else is grown from them: a patient's biopsy takes after one of the 569, its slides scatter around
it, and each scanner sees a little differently. A day is always the same, however often it is asked
for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer

HISTORY_DAYS = 30
BIOPSIES_A_DAY = 850
SLIDES_OF_A_BIOPSY = 3
_SEED = 569
_SITES = ("St Anna", "Rigshospitalet", "Charite", "Karolinska", "Mercy General", "Hopital Nord")
_COUNTRIES = ("at", "dk", "de", "se", "us", "fr")
_SCANNER_MODELS = ("Aperio GT 450", "NanoZoomer S360", "Pannoramic 1000")
_SCANNERS = 12
_STAINS = np.array(["H&E", "HER2", "Ki-67"])
_PATHOLOGISTS = np.array([f"pathologist {letter}" for letter in "ABCDEFGHIJ"])
_REVIEWED_EACH = 5
_REVIEWED_AFTER_DAYS = (4, 11)
_FIRST_READING_WRONG = 0.03

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Tables = dict[str, pa.Table]


@dataclass(frozen=True, slots=True)
class Biopsies:
    """One day's biopsies: who, where, when, and which of the 569 they take after."""

    numbers: Ints
    patients: Ints
    sites: Ints
    taken_on: date
    sources: Ints
    origin: str


def sites_and_scanners(loaded_on: date) -> Tables:
    """Return the tables that are loaded once."""
    sites = pa.table(
        {
            "site_id": [_site(number) for number in range(len(_SITES))],
            "name": list(_SITES),
            "country": list(_COUNTRIES),
        }
    )
    numbers = range(_SCANNERS)
    scanners = pa.table(
        {
            "scanner_id": [_scanner(number) for number in numbers],
            "site_id": [_site(number % len(_SITES)) for number in numbers],
            "model": [_SCANNER_MODELS[number % len(_SCANNER_MODELS)] for number in numbers],
            "installed_on": [date(2021, 1, 1) + timedelta(days=97 * number) for number in numbers],
        }
    )
    return {
        name: table.append_column("loaded_on", _column(loaded_on, len(table)))
        for name, table in (("sites", sites), ("scanners", scanners))
    }


def first_load(day: date) -> Tables:
    """Return the history up to a day, the published biopsies among it."""
    days = [day - timedelta(days=back) for back in reversed(range(HISTORY_DAYS))]
    parts = [_tables_of(_published(days[0]), 0, loaded_on=day)]
    parts += [_day(on, index, loaded_on=day) for index, on in enumerate(days, 1)]
    together = {name: pa.concat_tables(part[name] for part in parts) for name in parts[0]}
    return sites_and_scanners(day) | together


def increment(day: date, *, days_since_first: int) -> Tables:
    """Return one day's new rows."""
    return _day(day, HISTORY_DAYS + days_since_first, loaded_on=day)


def with_a_fault(tables: Mapping[str, pa.Table]) -> Tables:
    """Return a day on which one scanner's new firmware writes -1 for areas that it cannot tell."""
    measured = tables["measurements"]
    areas = measured["area_mean"].to_numpy().copy()
    areas[::50] = -1.0
    place = measured.schema.get_field_index("area_mean")
    return dict(tables) | {"measurements": measured.set_column(place, "area_mean", pa.array(areas))}


def _published(on: date) -> Biopsies:
    count = len(load_breast_cancer().target)
    numbers = np.arange(count)
    return Biopsies(numbers, numbers, numbers % len(_SITES), on, numbers, "wisconsin")


def _grown(on: date, index: int) -> Biopsies:
    random = np.random.default_rng([_SEED, index])
    numbers = _first_number(index) + np.arange(BIOPSIES_A_DAY)
    # Every tenth biopsy is another one of a patient of the same day.
    patients = np.where(numbers % 10 == 9, numbers - 1, numbers)
    sources = random.integers(0, len(load_breast_cancer().target), BIOPSIES_A_DAY)
    return Biopsies(numbers, patients, patients % len(_SITES), on, sources, "grown")


def _day(on: date, index: int, *, loaded_on: date) -> Tables:
    tables = _tables_of(_grown(on, index), index, loaded_on=loaded_on)
    reviews = [
        table.append_column("loaded_on", _column(loaded_on, len(table)))
        for table in _late_reviews(on, index)
    ]
    return tables | {"diagnoses": pa.concat_tables([tables["diagnoses"], *reviews])}


def _tables_of(biopsies: Biopsies, index: int, *, loaded_on: date) -> Tables:
    random = np.random.default_rng([_SEED, index, 1])
    slides, scanners, of_biopsy = _slides(biopsies, random)
    tables = {
        "patients": _patients(biopsies, random),
        "biopsies": _biopsies(biopsies),
        "slides": slides,
        "measurements": _measurements(biopsies, scanners, of_biopsy, random),
        "diagnoses": _diagnoses(biopsies, random),
    }
    return {
        name: table.append_column("loaded_on", _column(loaded_on, len(table)))
        for name, table in tables.items()
    }


def _patients(biopsies: Biopsies, random: np.random.Generator) -> pa.Table:
    patients, first = np.unique(biopsies.patients, return_index=True)
    return pa.table(
        {
            "patient_id": _ids("P", patients),
            "site_id": [_site(number) for number in biopsies.sites[first]],
            "birth_year": random.normal(1966, 12, len(patients)).astype(np.int32),
        }
    )


def _biopsies(biopsies: Biopsies) -> pa.Table:
    count = len(biopsies.numbers)
    return pa.table(
        {
            "biopsy_id": _ids("B", biopsies.numbers),
            "patient_id": _ids("P", biopsies.patients),
            "site_id": [_site(number) for number in biopsies.sites],
            "taken_on": _column(biopsies.taken_on, count),
            "origin": pa.array([biopsies.origin] * count),
        }
    )


def _slides(biopsies: Biopsies, random: np.random.Generator) -> tuple[pa.Table, Ints, Ints]:
    """Return the slides, and for each the number of its scanner and the place of its biopsy."""
    each = 1 if biopsies.origin == "wisconsin" else SLIDES_OF_A_BIOPSY
    of_biopsy = np.repeat(np.arange(len(biopsies.numbers)), each)
    in_biopsy = np.tile(np.arange(each), len(biopsies.numbers))
    sites = biopsies.sites[of_biopsy]
    scanners = sites + len(_SITES) * random.integers(0, _SCANNERS // len(_SITES), len(sites))
    midnight = np.datetime64(datetime.combine(biopsies.taken_on, time()), "us")
    seconds = random.integers(6 * 3600, 20 * 3600, len(sites))
    slides = pa.table(
        {
            "slide_id": _ids("S", biopsies.numbers[of_biopsy] * SLIDES_OF_A_BIOPSY + in_biopsy),
            "biopsy_id": _ids("B", biopsies.numbers[of_biopsy]),
            "scanner_id": [_scanner(number) for number in scanners],
            "scanned_at": pa.array(midnight + seconds.astype("timedelta64[s]")),
            "stain": _STAINS[in_biopsy],
            "image_bytes": random.normal(1.0e9, 2.0e8, len(sites)).astype(np.int64),
        }
    )
    return slides, scanners, of_biopsy


def _measurements(
    biopsies: Biopsies, scanners: Ints, of_biopsy: Ints, random: np.random.Generator
) -> pa.Table:
    published: Floats = load_breast_cancer().data
    values = published[biopsies.sources[of_biopsy]]
    each = 1 if biopsies.origin == "wisconsin" else SLIDES_OF_A_BIOPSY
    in_biopsy = np.tile(np.arange(each), len(biopsies.numbers))
    if biopsies.origin == "grown":
        of_patient = random.normal(1, 0.04, (len(biopsies.numbers), values.shape[1]))
        of_slide = random.normal(1, 0.01, values.shape)
        values = values * of_patient[of_biopsy] * of_slide * _seen_by()[scanners]
    numbers = biopsies.numbers[of_biopsy] * SLIDES_OF_A_BIOPSY + in_biopsy
    columns = {name: values[:, place] for place, name in enumerate(measurement_columns())}
    return pa.table({"slide_id": _ids("S", numbers)} | columns)


def measurement_columns() -> list[str]:
    """Name the 30 columns: `radius_mean`, `radius_error`, `radius_worst` and so on."""
    names = []
    for published in load_breast_cancer().feature_names:
        words = str(published).split()
        statistic = next(word for word in words if word in ("mean", "error", "worst"))
        names.append("_".join([*(word for word in words if word != statistic), statistic]))
    return names


def _seen_by() -> Floats:
    """Return by which factor each scanner sees each measurement."""
    return np.random.default_rng(_SEED).normal(1, 0.05, (_SCANNERS, len(measurement_columns())))


def _diagnoses(biopsies: Biopsies, random: np.random.Generator) -> pa.Table:
    malignant = _malignant(biopsies.sources)
    if biopsies.origin == "grown":
        wrong = random.random(len(malignant)) < _FIRST_READING_WRONG
        malignant = malignant ^ wrong
    return _readings(biopsies.numbers, malignant, biopsies.taken_on, "first reading", random)


def _late_reviews(day: date, index: int) -> list[pa.Table]:
    """Review every fifth biopsy, some days after it was read; what reviews find is right."""
    random = np.random.default_rng([_SEED, index, 2])
    readings = []
    for back in range(*_REVIEWED_AFTER_DAYS):
        if index - back < 1:
            break
        earlier = _grown(day - timedelta(days=back), index - back)
        chosen = earlier.numbers % _REVIEWED_EACH == 0
        chosen &= earlier.numbers // _REVIEWED_EACH % 7 == back - _REVIEWED_AFTER_DAYS[0]
        truth = _malignant(earlier.sources[chosen])
        readings.append(_readings(earlier.numbers[chosen], truth, day, "review", random))
    return readings


def _readings(
    numbers: Ints, malignant: NDArray[np.bool_], on: date, kind: str, random: np.random.Generator
) -> pa.Table:
    evening = np.datetime64(datetime.combine(on, time(20)), "us")
    minutes = random.integers(0, 3 * 24 * 60 if kind == "first reading" else 200, len(numbers))
    return pa.table(
        {
            "diagnosis_id": _ids("D" if kind == "first reading" else "R", numbers),
            "biopsy_id": _ids("B", numbers),
            "pathologist": random.choice(_PATHOLOGISTS, len(numbers)),
            "kind": pa.array([kind] * len(numbers)),
            "diagnosis": np.where(malignant, "M", "B"),
            "signed_at": pa.array(evening + minutes.astype("timedelta64[m]")),
        }
    )


def _malignant(sources: Ints) -> NDArray[np.bool_]:
    # The data set's target is 1 for benign.
    return np.asarray(load_breast_cancer().target[sources] == 0)


def _first_number(index: int) -> int:
    return 1000 + index * BIOPSIES_A_DAY


def _ids(letter: str, numbers: Ints) -> pa.Array:
    return pa.array([f"{letter}{number:08d}" for number in numbers])


def _site(number: int) -> str:
    return f"site-{number + 1:02d}"


def _scanner(number: int) -> str:
    return f"scanner-{number + 1:02d}"


def _column(value: date, count: int) -> pa.Array:
    return pa.array([value] * count, pa.date32())
