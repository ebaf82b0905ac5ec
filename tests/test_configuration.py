"""The settings, and the pages that list them and the errors."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from catalog.api.errors import answer_for, problem
from catalog.errors import CatalogError, InvalidInput
from catalog.settings import Settings, settings_from

DOCS = Path(__file__).parents[1] / "docs"
NUMBERS = [field.name for field in fields(Settings) if field.type in (int, "int")]


def rows(page: str) -> dict[str, list[str]]:
    """The rows of a page's table, by the code in their first column."""
    cells = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in (DOCS / page).read_text().splitlines()
        if line.startswith("| `")
    ]
    return {row[0].strip("`"): row[1:] for row in cells}


def variable(field: str) -> str:
    return f"MAINSTEM_{field.upper()}"


def test_every_setting_is_listed_with_its_default() -> None:
    defaults = {variable(field.name): str(field.default) for field in fields(Settings)}
    listed = {name: row[0].strip("`") for name, row in rows("configuration.md").items()}
    assert listed == defaults


@pytest.mark.parametrize("field", [field.name for field in fields(Settings)])
def test_every_setting_is_read_from_its_variable(field: str) -> None:
    texts = {"log_level": "error"}
    text = "7" if field in NUMBERS else texts.get(field, "text")
    settings = settings_from({variable(field): text, "OTHER": "x"})
    assert str(getattr(settings, field)) == text
    others = [each for each in fields(Settings) if each.name != field]
    assert all(getattr(settings, each.name) == each.default for each in others)


@pytest.mark.parametrize("field", NUMBERS)
@pytest.mark.parametrize("text", ["", "many", "1.5", "-1", "1e3", "0x10"])
def test_a_number_that_cannot_be_is_refused_by_name(field: str, text: str) -> None:
    with pytest.raises(InvalidInput, match=rf"{variable(field)}.*{re.escape(repr(text))}"):
        settings_from({variable(field): text})


@pytest.mark.parametrize("field", NUMBERS)
def test_zero_is_for_what_can_be_left_out(field: str) -> None:
    may_be_zero = "keeps none" in rows("configuration.md")[variable(field)][1]
    if may_be_zero:
        assert getattr(settings_from({variable(field): "0"}), field) == 0
    else:
        with pytest.raises(InvalidInput, match="at least 1"):
            settings_from({variable(field): "0"})


@pytest.mark.parametrize("text", ["", "loud", "WARN ING", "10"])
def test_a_log_level_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"MAINSTEM_LOG_LEVEL.*debug, info, warning"):
        settings_from({"MAINSTEM_LOG_LEVEL": text})


def all_errors(kind: type[CatalogError] = CatalogError) -> list[type[CatalogError]]:
    below = [error for child in kind.__subclasses__() for error in all_errors(child)]
    return [kind, *below]


def test_every_error_is_listed_with_its_status_and_type() -> None:
    expected = {}
    for kind in all_errors():
        answer = answer_for(kind(""))
        expected[kind.code] = [str(answer.status), answer.iceberg_type]
    listed = {code: row[:2] for code, row in rows("errors.md").items()}
    # These two are no errors of the catalog: the router's, and the last resort.
    assert listed.pop("no-such-endpoint")
    assert listed.pop("unexpected") == ["500", "ServerErrorException"]
    assert listed == expected


def test_no_two_errors_share_a_code() -> None:
    codes = [kind.code for kind in all_errors()]
    assert sorted(codes) == sorted(set(codes))


def test_titles_of_problems_are_sentences_for_users() -> None:
    for kind in all_errors():
        title = problem(kind(""))["title"]
        assert title.endswith(".")
        assert not re.search(r"Java|Exception|HTTP", title), title


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("MAINSTEM_CLIENT", "MAINSTEM_CLIENTS"),
        ("MAINSTEM_TOKENKEY", "MAINSTEM_TOKEN_KEY"),
        ("MAINSTEM_DATABASE_URI", "MAINSTEM_DATABASE_URL"),
        ("MAINSTEM_THREAD", "MAINSTEM_THREADS"),
    ],
)
def test_a_slip_in_a_name_is_refused_rather_than_ignored(slip: str, meant: str) -> None:
    with pytest.raises(InvalidInput, match=rf"{slip} is not a setting; is {meant} meant"):
        settings_from({slip: "7"})


def test_variables_of_others_are_let_be() -> None:
    others = ("SERVER", "WAREHOUSE", "BRANCH", "URI", "ICEBERG_JAR", "ICEBERG_OPENAPI", "OURS")
    assert settings_from({f"MAINSTEM_{name}": "7" for name in others}) == Settings()
