"""Warehouses, where several servers create and change them at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from uuid import uuid4

import pytest

from catalog.errors import InvalidInput
from catalog.operations.callers import Caller
from catalog.operations.warehouses import (
    Catalog,
    Warehouse,
    alter_warehouse,
    create_warehouse,
    list_warehouses,
)
from catalog.store.warehouses import Site

CALLER = Caller("test")
AT_ONCE = 6


@pytest.fixture
def location() -> str:
    return f"file:///nowhere/{uuid4()}"


def together(works: list[Callable[[], Warehouse]]) -> list[Warehouse | None]:
    """Do all at once; give None for what was refused."""

    def tried(work: Callable[[], Warehouse]) -> Warehouse | None:
        try:
            return work()
        except InvalidInput:
            return None

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(tried, works))


def having(catalog: Catalog, location: str) -> list[str]:
    return [
        warehouse.name
        for warehouse in list_warehouses(catalog)
        if any(site.location.startswith(location) for site in warehouse.sites)
    ]


def test_of_warehouses_created_at_once_in_one_location_there_is_one(
    catalog: Catalog, warehouse: Warehouse, location: str
) -> None:
    # All have looked for others by the time when the first is made.
    barrier = Barrier(AT_ONCE)

    def clock():
        barrier.wait(60)
        return catalog.clock()

    def creating(number: int) -> Callable[[], Warehouse]:
        place = f"{location}/below" if number else location
        name = f"w{uuid4()}"
        return lambda: create_warehouse(
            replace(catalog, clock=clock), name, location=place, caller=CALLER
        )

    made = [each for each in together([creating(number) for number in range(AT_ONCE)]) if each]
    assert {each.name for each in made} == set(having(catalog, location))
    assert len(made) == 1


def test_a_location_that_several_add_at_once_is_added_to_one(
    catalog: Catalog, location: str
) -> None:
    def adding() -> Callable[[], Warehouse]:
        home = f"file:///nowhere/{uuid4()}"
        made = create_warehouse(catalog, f"w{uuid4()}", location=home, caller=CALLER)
        return lambda: alter_warehouse(
            made,
            storage=None,
            default_branch=None,
            further=[Site(location, {})],
            caller=CALLER,
        )

    made = [each for each in together([adding() for _ in range(AT_ONCE)]) if each]
    assert [each.name for each in made] == having(catalog, location)
    assert len(made) == 1
