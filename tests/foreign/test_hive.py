"""What folders named `column=value` tell."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.foreign.hive import TYPES, inferred, pairs_of, parsed

EPOCH = date(1970, 1, 1)


def test_names_and_values_are_those_of_the_folders() -> None:
    found = pairs_of("lab/as_of_date=2026-11-23/site=K%C3%B6ln%2FS/part=x.parquet")
    assert found == (("as_of_date", "2026-11-23"), ("site", "Köln/S"))
    assert pairs_of("site=__HIVE_DEFAULT_PARTITION__/a.parquet") == (("site", None),)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "-20", None], "long"),
        (["2026-11-23", "2026-11-24"], "date"),
        (["007", "8"], "string"),
        (["+1"], "string"),
        (["1_000"], "string"),
        (["\N{ARABIC-INDIC DIGIT ONE}"], "string"),
        ([str(1 << 63)], "string"),
        (["20261123"], "long"),
        (["2026-W48-1"], "string"),
        (["2026-11-23", "unknown"], "string"),
        ([None], "string"),
        ([], "string"),
    ],
)
def test_a_type_is_inferred_only_if_every_value_would_be_written_so(values, kind) -> None:
    assert inferred(values) == TYPES[kind]


@given(st.lists(st.dates(), min_size=1))
def test_dates_are_days(days: list[date]) -> None:
    texts = [day.isoformat() for day in days]
    kind = inferred(texts)
    assert kind == TYPES["date"]
    assert [EPOCH + timedelta(parsed(kind, text)) for text in texts] == days


@given(st.lists(st.text() | st.integers().map(str), min_size=1))
def test_no_text_is_lost(texts: list[str]) -> None:
    kind = inferred(texts)
    assert kind in (TYPES["long"], TYPES["string"])
    assert [str(parsed(kind, text)) for text in texts] == texts


@pytest.mark.parametrize(
    ("kind", "text", "why"),
    [
        ("int", str(1 << 31), "range"),
        ("date", "2026-02-30", "day"),
        *(("long", text, "written") for text in ("a", "", "1_000", "+1", " 1", "1\n", "1.0", "１")),
        *(
            ("date", text, "written")
            for text in ("20261123", "2026-W48-1", "2026-11-23 ", "2026-1-1")
        ),
    ],
)
def test_what_is_no_value_of_the_type_is_refused(kind, text, why) -> None:
    with pytest.raises(ValueError, match=why):
        parsed(TYPES[kind], text)


def test_zeros_before_a_number_do_not_change_it() -> None:
    assert [parsed(TYPES["int"], text) for text in ("07", "-0012", "0")] == [7, -12, 0]
