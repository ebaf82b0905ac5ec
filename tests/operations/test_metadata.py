"""Manifests are read from the warehouse that they lie in, and small ones once."""

import pytest

from catalog.errors import InvalidInput
from catalog.operations.callers import Caller
from catalog.operations.metadata import read_manifest
from catalog.operations.warehouses import create_warehouse


@pytest.fixture
def two(catalog, tmp_path):
    """Two warehouses of one catalog; in the first lies a manifest."""
    made = [
        create_warehouse(
            catalog,
            f"{tmp_path.name.lower().replace('_', '-')}-{number}"[-40:].strip("-"),
            location=(tmp_path / str(number)).as_uri(),
            caller=Caller("test"),
        )
        for number in range(2)
    ]
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "m0.avro").write_bytes(b"manifest")
    return made


def test_a_small_manifest_is_read_once(two, tmp_path):
    location = (tmp_path / "0" / "m0.avro").as_uri()
    assert read_manifest(two[0], location) == b"manifest"
    (tmp_path / "0" / "m0.avro").unlink()
    assert read_manifest(two[0], location) == b"manifest"


def test_a_manifest_of_another_warehouse_is_refused_though_it_is_in_memory(two, tmp_path):
    location = (tmp_path / "0" / "m0.avro").as_uri()
    assert read_manifest(two[0], location) == b"manifest"
    with pytest.raises(InvalidInput, match=r"warehouse"):
        read_manifest(two[1], location)
