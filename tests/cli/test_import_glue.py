"""`mainstem import catalog` from AWS Glue, as moto serves it in this process."""

from collections.abc import Iterator
from contextlib import closing

import pyarrow as pa
import pytest
from moto import mock_aws
from pyiceberg.catalog import Catalog, load_catalog

ROWS = pa.table({"id": [1, 2]})
OPTIONS = ["--property=type=glue"]


@pytest.fixture
def glue(lake, monkeypatch) -> Iterator[Catalog]:
    """A catalog of Glue's whose files lie in the warehouse: `features.slides`, `raw.scans`."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    place = (lake.directory / "warehouse" / "glue").as_uri()
    with mock_aws(), closing(load_catalog("glue", type="glue", warehouse=place)) as made:
        for name in ("features.slides", "raw.scans"):
            made.create_namespace(name.split(".")[0], {"owner": "lab"})
            made.create_table(name, ROWS.schema).append(ROWS)
        yield made


def test_the_tables_of_glue_are_imported_and_followed(lake, glue) -> None:
    document = lake.ok("import", "catalog", "glue", *OPTIONS)
    assert {".".join(each["key"]): each["outcome"] for each in document["names"]} == dict.fromkeys(
        ["features", "features.slides", "raw", "raw.scans"], "added"
    )
    glue.load_table("raw.scans").append(ROWS)
    lake.ok("import", "catalog", "glue", *OPTIONS, "--update")
    uri = f"{lake.server}/iceberg"
    here = load_catalog("here", type="rest", uri=uri, warehouse=lake.warehouse)
    with closing(here):
        assert here.load_table("raw.scans").scan().to_arrow().num_rows == 4
        assert here.load_table("features.slides").scan().to_arrow() == ROWS
        assert here.load_namespace_properties("raw")["owner"] == "lab"
