"""Locations that two warehouses may have, and such as they may not."""

from datetime import UTC, datetime

import pytest

from catalog.errors import InvalidInput
from catalog.operations.sites import check_apart
from catalog.store.warehouses import Site, Warehouse

OTHER = "abfss://lake@account.dfs.core.windows.net/tables"


def other(location: str) -> Warehouse:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    return Warehouse(1, "other", "main", (Site(location, {}),), now)


@pytest.mark.parametrize("scheme", ["abfs", "abfss"])
@pytest.mark.parametrize("host", ["account.dfs.core.windows.net", "account.blob.core.windows.net"])
@pytest.mark.parametrize("path", ["", "/tables", "/tables/below"])
def test_one_place_in_azure_is_one_warehouses(scheme: str, host: str, path: str) -> None:
    site = Site(f"{scheme}://lake@{host}{path}", {})
    for mine, theirs in ((site.location, OTHER), (OTHER, site.location)):
        with pytest.raises(InvalidInput, match="overlaps that of warehouse 'other'"):
            check_apart("mine", [Site(mine, {})], [other(theirs)])
    with pytest.raises(InvalidInput, match="of the same warehouse"):
        check_apart("mine", [site, Site(OTHER, {})], [])


@pytest.mark.parametrize(
    "location",
    [
        "abfs://lake@account.dfs.core.windows.net/tables2",
        "abfs://lake2@account.dfs.core.windows.net/tables",
        "abfs://lake@account2.dfs.core.windows.net/tables",
        "s3://lake/tables",
    ],
)
def test_other_places_are_free(location: str) -> None:
    check_apart("mine", [Site(location, {})], [other(OTHER)])
