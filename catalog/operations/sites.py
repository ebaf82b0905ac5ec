"""What holds for the locations of warehouses: no secrets, no overlap, none taken away."""

from collections.abc import Iterable, Sequence

from catalog.errors import InvalidInput
from catalog.files.delegation import check_delegation
from catalog.files.secrets import check_no_secret
from catalog.iceberg import locations
from catalog.store.warehouses import Site, Warehouse


def checked_site(site: Site) -> Site:
    """Return a site with its location in normal form.

    Raises:
        InvalidInput: if its location or its storage properties cannot be.
    """
    check_no_secret(site.storage)
    location = locations.normalise(site.location)
    check_delegation(location.partition(":")[0], site.storage)
    return Site(location, dict(site.storage))


def with_sites(known: tuple[Site, ...], given: Iterable[Site]) -> tuple[Site, ...]:
    """Return the sites after a change: what is new is added, what is known gets new properties.

    None is ever taken away, for tables of some commit may lie there.
    """
    found = {site.location: site for site in known}
    found |= {site.location: site for site in given}
    return tuple(found.values())


def check_apart(name: str, sites: Sequence[Site], warehouses: Iterable[Warehouse]) -> None:
    """Check that each location is one warehouse's alone, and holds none of the others.

    Raises:
        InvalidInput: naming the first that overlaps.
    """
    for place, site in enumerate(sites):
        for other in sites[:place]:
            if _overlap(site, other):
                raise InvalidInput(
                    f"Location {site.location} overlaps {other.location}, which is of the same"
                    " warehouse",
                    location=site.location,
                )
        for warehouse in warehouses:
            for other in warehouse.sites if warehouse.name != name else ():
                if _overlap(site, other):
                    raise InvalidInput(
                        f"Location {site.location} overlaps that of warehouse"
                        f" {warehouse.name!r}: {other.location}",
                        location=site.location,
                    )


def _overlap(one: Site, other: Site) -> bool:
    here, there = _place(one.location), _place(other.location)
    return locations.contains(here, there) or locations.contains(there, here)


def _place(location: str) -> str:
    """Return the location as all spellings of one place in Azure have it, for comparison alone.

    `abfs` is `abfss` without encryption, and each account's `blob` and `dfs` have the same files.
    """
    if location.startswith("abfs:"):
        location = f"abfss{location.removeprefix('abfs')}"
    if not location.startswith("abfss:"):
        return location
    root, slash, path = location.removeprefix("abfss://").partition("/")
    return f"abfss://{root.replace('.blob.', '.dfs.', 1)}{slash}{path}"
