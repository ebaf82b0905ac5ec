"""`mainstem import catalog` from a Hive Metastore, which Spark's own jars run."""

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyspark
import pytest
from pyiceberg.catalog import load_catalog

from tests.services import free_ports, listening

pytestmark = pytest.mark.slow

SERVER = Path(__file__).with_name("metastore.py")
ROWS = pa.table({"id": [1, 2]})
SETTINGS = {
    "javax.jdo.option.ConnectionURL": "jdbc:derby:memory:metastore;create=true",
    "datanucleus.schema.autoCreateAll": "true",
    "hive.metastore.schema.verification": "false",
    # Its logger needs a jar that Spark does not bring.
    "hive.async.log.enabled": "false",
}


def configured(directory: Path) -> None:
    entries = (f"<name>{name}</name><value>{value}</value>" for name, value in SETTINGS.items())
    properties = "".join(f"<property>{entry}</property>" for entry in entries)
    document = f"<configuration>{properties}</configuration>"
    (directory / "hive-site.xml").write_text(document)


@pytest.fixture
def metastore(tmp_path: Path) -> Iterator[str]:
    """The address of a metastore that is empty."""
    home = tmp_path / "metastore"
    home.mkdir()
    configured(home)
    (port,) = free_ports(1)
    jars = Path(pyspark.__file__).parent / "jars" / "*"
    command = [sys.executable, str(SERVER), str(port), f"{home}:{jars}"]
    with listening(command, port, home / "log"):
        yield f"thrift://127.0.0.1:{port}"


def test_the_tables_of_a_metastore_are_imported(lake, metastore) -> None:
    place = (lake.directory / "warehouse" / "hive").as_uri()
    sql = {"type": "sql", "uri": f"sqlite:///{lake.directory}/other.db", "warehouse": place}
    hive = {"type": "hive", "uri": metastore, "warehouse": place}
    with closing(load_catalog("other", **sql)) as other, closing(load_catalog("h", **hive)) as old:
        other.create_namespace("raw")
        for name in ("raw.scans", "raw.slides"):
            other.create_table(name, ROWS.schema).append(ROWS)
        old.create_namespace("raw", {"owner": "lab"})
        for name in ("raw.scans", "raw.slides"):
            old.register_table(name, other.load_table(name).metadata_location)
    options = [f"--property={name}={value}" for name, value in hive.items()]
    document = lake.ok("import", "catalog", "h", *options, "--table", "raw.*")
    assert {".".join(each["key"]): each["outcome"] for each in document["names"]} == dict.fromkeys(
        ["raw", "raw.scans", "raw.slides"], "added"
    )
    uri = f"{lake.server}/iceberg"
    with closing(load_catalog("here", type="rest", uri=uri, warehouse=lake.warehouse)) as here:
        assert here.load_table("raw.scans").scan().to_arrow() == ROWS
        assert here.load_namespace_properties("raw")["owner"] == "lab"
