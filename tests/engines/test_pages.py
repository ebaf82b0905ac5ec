"""The pages on engines and on the Python client do what they say."""

import re
from pathlib import Path

import pytest
import yaml

from tests.engines.lake import Lake, Spark
from tests.engines.pages import Page

YAML = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_page_on_duckdb(lake: Lake, tmp_path: Path) -> None:
    page = Page("engines/duckdb.md", lake, tmp_path)
    rows = page.run(lambda query: page.names["connection"].execute(query).fetchall())
    connection = page.names["connection"]
    assert rows == [(1,)], "of the last insert"
    released = connection.execute("FROM released.features.slides ORDER BY slide").fetchall()
    assert released == [(1, "benign"), (2, "unsure")]
    slides = connection.execute("SELECT slide, grade FROM lake.features.slides ORDER BY slide")
    assert slides.fetchall() == [(1, "benign"), (2, "malignant"), (3, "benign")]
    connection.close()
    author, message = (lake.commits()[0][name] for name in ("author", "message"))
    assert (author, message) == ("Ada Byron", "Grade slide 3")
    assert 2 in [each["changed_count"] for each in lake.commits()], "the transaction"


def test_the_page_on_pyiceberg(lake: Lake, tmp_path: Path) -> None:
    page = Page("engines/pyiceberg.md", lake, tmp_path)
    page.run()
    assert page.names["released"].to_pydict() == {"slide": [1], "grade": ["benign"]}
    assert page.names["before"]["slide"].to_pylist() == [1, 2]
    main = page.names["main"].load_table("features.slides").scan().to_arrow()
    assert sorted(main["slide"].to_pylist()) == [1, 3]
    assert lake.commits()[0]["author"] == "Ada Byron"


def test_the_page_on_polars_and_pandas(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLARS_ICEBERG_PLANNER", "pyiceberg")
    page = Page("engines/dataframes.md", lake, tmp_path)
    page.run()
    assert page.names["benign"].rows() == [(1, "benign")]
    written = page.names["slides"].rows(named=True)
    catalog = lake.pyiceberg("release/2026-11-23")
    assert catalog.load_table("features.slides").scan().to_arrow().to_pylist() == written
    written[2]["grade"] = "benign"
    main = lake.pyiceberg().load_table("features.slides").scan().to_arrow()
    assert main.sort_by("slide").to_pylist() == written
    assert lake.commits()[0]["author"] == "Ada Byron"


def test_the_page_on_spark(served: str, lake: Lake, spark: Spark, tmp_path: Path) -> None:
    """It is about the session's own catalog, `lake`, so it runs on the server's first warehouse."""
    first = Lake(served, "lake", lake.http)
    page = Page("engines/spark.md", first, tmp_path)
    shown: list[list[tuple[object, ...]]] = []
    page.run(lambda query: shown.append(spark.sql(query)) or [])  # type: ignore[func-returns-value]
    assert [(2, "malignant", "unsure")] in shown
    assert page.names["spark"] is spark.session
    found = spark.sql("SELECT slide FROM lake.features.slides ORDER BY slide")
    assert found == [(1,), (2,), (3,), (4,)]
    written, commit = first.commits()[:2]
    assert (commit["author"], commit["message"]) == ("Ada Byron", "Grade slide 3")
    assert (written["message"], written["metadata"]) == ("Grade slide 4", {"job": "nightly"})
    assert "lake@main" in (tmp_path / "conf" / "spark-defaults.conf").read_text()


def test_the_page_on_the_client(lake: Lake, tmp_path: Path) -> None:
    page = Page("client.md", lake, tmp_path)
    page.run()
    assert page.names["released"].to_pydict() == {"slide": [1, 2], "grade": ["benign", "malignant"]}
    assert [change.name for change in page.names["changed"]] == ["features.slides"]
    page.names["lake"].close()


def test_the_page_on_dbt_has_the_profile_that_the_example_runs_with() -> None:
    """tests/quickstart builds the example by it."""
    docs = Path(__file__).parents[2] / "docs" / "engines" / "dbt.md"
    shown = [yaml.safe_load(text) for text in YAML.findall(docs.read_text())]
    example = Path(__file__).parents[2] / "examples" / "pathology" / "profiles.yml"
    (profile,) = yaml.safe_load(example.read_text()).values()
    assert shown == [profile["outputs"][name] for name in ("duckdb", "spark", "thrift")]
