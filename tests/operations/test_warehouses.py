"""Warehouses, where several servers create and change them at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from uuid import uuid4

import pytest

from catalog.errors import InvalidInput, NotFound
from catalog.governance.protections import Rules
from catalog.operations.callers import Caller
from catalog.operations.merge import Options, merge
from catalog.operations.moves import delete_warehouse
from catalog.operations.namespaces import create_namespace
from catalog.operations.protections import delete_protection, put_protection
from catalog.operations.refs import create_branch
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


@pytest.mark.parametrize(
    "ask",
    [
        lambda gone: put_protection(gone, "main", Rules(forbid_delete=True), caller=CALLER),
        lambda gone: delete_protection(gone, "main", caller=CALLER),
        lambda gone: create_branch(gone, "work", "main", caller=CALLER),
        lambda gone: create_namespace(gone, "main", ("ns",), {}, caller=CALLER),
        lambda gone: merge(gone, "main", "main", options=Options(), caller=CALLER),
        lambda gone: alter_warehouse(gone, storage={}, default_branch=None, caller=CALLER),
        lambda gone: delete_warehouse(gone, caller=CALLER),
    ],
)
def test_a_server_that_has_not_heard_of_a_deletion_finds_nothing(
    warehouse: Warehouse, ask: Callable[[Warehouse], object]
) -> None:
    delete_warehouse(warehouse, caller=CALLER)
    with pytest.raises(NotFound):
        ask(warehouse)
