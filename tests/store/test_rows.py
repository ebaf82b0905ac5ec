"""Objects, commits, checks, protections and warehouses, on every database."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from catalog.errors import AlreadyExists, InvalidInput
from catalog.store import (
    checks,
    commits,
    idempotency,
    objects,
    protections,
    refs,
    tables,
    warehouses,
)
from catalog.store.checks import Check
from catalog.store.engine import read, transact
from catalog.store.idempotency import Answer, Answered
from catalog.store.protections import Protection
from catalog.store.warehouses import Site
from catalog.versioning.ids import ObjectId, to_hex
from tests.store.conftest import NOW, add_warehouse, identifier, only_postgresql

CHECK = Check("dbt", "pending", "läuft", "https://ci/1", NOW, "Ada")


def test_objects_are_found_by_id_and_absent_ones_left_out(connection) -> None:
    staged = {identifier(str(number)): str(number).encode() for number in range(1200)}
    staged[identifier("bytes")] = bytes(range(256))
    staged[identifier("empty")] = b""
    objects.insert(connection, staged)
    assert objects.fetch(connection, [*staged, identifier("absent")]) == staged
    assert objects.fetch(connection, []) == {}


def test_an_object_that_is_there_is_left_alone(connection) -> None:
    objects.insert(connection, {identifier("a"): b"first"})
    objects.insert(connection, {identifier("a"): b"second", identifier("b"): b"b"})
    objects.insert(connection, {})
    found = objects.fetch(connection, [identifier("a"), identifier("b")])
    assert found == {identifier("a"): b"first", identifier("b"): b"b"}


def test_commits_belong_to_their_warehouse(connection, warehouse) -> None:
    other = add_warehouse(connection, "other")
    commits.insert(connection, other, [identifier("theirs"), identifier("first")])
    assert commits.contains(connection, other, identifier("theirs"))
    assert not commits.contains(connection, warehouse, identifier("theirs"))
    assert commits.find_by_prefix(connection, warehouse, to_hex(identifier("theirs"))) == []


def test_commits_are_found_by_any_prefix_of_their_hex_digits(connection, warehouse) -> None:
    stored = [ObjectId(bytes([0xAB, 0xCD, 0xE0 + number]) + bytes(29)) for number in range(4)]
    commits.insert(connection, warehouse, reversed(stored))
    assert commits.find_by_prefix(connection, warehouse, "abcde") == stored[:3]
    assert commits.find_by_prefix(connection, warehouse, "abcde", limit=9) == stored
    assert commits.find_by_prefix(connection, warehouse, "abcde2") == [stored[2]]
    assert commits.find_by_prefix(connection, warehouse, "abcdf") == []


def test_the_latest_check_of_a_name_counts(connection, warehouse) -> None:
    commit = identifier("first")
    said = [CHECK, replace(CHECK, name="ge"), replace(CHECK, state="success", summary="")]
    for check in said:
        checks.insert(connection, warehouse, commit, check)
    assert checks.list_(connection, warehouse, commit) == said
    states = checks.latest_states(connection, warehouse, commit)
    assert states == {"dbt": "success", "ge": "pending"}
    assert checks.list_(connection, warehouse, identifier("second")) == []


def test_a_protection_is_replaced_and_removed(connection, warehouse) -> None:
    for rules in ({"require_merge": True}, {"required_checks": ["dbt"]}):
        protections.put(connection, warehouse, Protection("main", rules))
    protections.put(connection, warehouse, Protection("a*", {}))
    assert protections.list_(connection, warehouse) == [
        Protection("a*", {}),
        Protection("main", {"required_checks": ["dbt"]}),
    ]
    assert protections.delete(connection, warehouse, "main")
    assert not protections.delete(connection, warehouse, "main")


def test_a_key_is_answered_once_until_it_expires(connection) -> None:
    def keep(body: bytes, minutes: int) -> bool:
        at = NOW + timedelta(minutes=minutes)
        answered = Answered(b"digest", Answer(200, "application/json", body))
        since = at - timedelta(minutes=10)
        return idempotency.insert(connection, "key", answered, at=at, since=since)

    def known(minutes: int) -> bytes | None:
        found = idempotency.find(connection, "key", since=NOW + timedelta(minutes=minutes))
        return found and found.answer.body

    assert known(0) is None
    assert [keep(b"first", 0), keep(b"second", 9)] == [True, False]
    assert (known(0), known(1)) == (b"first", None)
    assert keep(b"third", 11)
    assert known(11) == b"third"
    assert idempotency.delete_expired(connection, since=NOW + timedelta(minutes=12)) == 1


def test_text_that_the_database_cannot_hold_is_the_callers_fault(engine) -> None:
    def write(connection) -> None:
        add_warehouse(connection, "nul\x00")
        raise InvalidInput("SQLite can")

    with pytest.raises(InvalidInput):
        transact(engine, write)
    assert not read(engine, lambda connection: "nul" in str(warehouses.list_(connection)))


def test_a_warehouse_is_found_as_it_was_stored_and_changed(connection) -> None:
    stored = warehouses.insert(
        connection,
        name="hospital",
        default_branch="main",
        sites=(Site("s3://lake/hospital", {"s3.region": "eu-central-1"}),),
        created_at=NOW,
    )
    assert warehouses.find(connection, "hospital") == stored
    assert stored in warehouses.lock_all(connection)
    sites = (Site("s3://lake/hospital", {}), Site("file:///archive", {"a": "b"}))
    changed = replace(stored, sites=sites, default_branch="trunk")
    warehouses.update(connection, changed)
    assert warehouses.find(connection, "hospital") == changed
    assert changed in warehouses.list_(connection)
    assert warehouses.find(connection, "Hospital") is None


def test_a_taken_name_of_a_warehouse_is_refused(engine) -> None:
    with engine.connect() as connection, connection.begin() as transaction:
        add_warehouse(connection, "taken")
        with pytest.raises(AlreadyExists, match="taken"):
            add_warehouse(connection, "taken")
        transaction.rollback()


def test_a_deleted_warehouse_takes_its_rows_along_and_no_others(connection, warehouse) -> None:
    other = add_warehouse(connection, "other")
    for each in (warehouse, other):
        protections.put(connection, each, Protection("main", {}))
        checks.insert(connection, each, identifier("first"), CHECK)
    warehouses.delete(connection, warehouse)
    for table in (tables.refs, tables.commits, tables.checks, tables.protections):
        of_rows = select(table.c.warehouse_id)
        left = set(connection.execute(of_rows).scalars())
        assert (warehouse in left, other in left) == (False, True), table.name
    assert refs.find(connection, other, "main") is not None
    assert objects.fetch(connection, [identifier("first")])


@only_postgresql
def test_a_warehouse_that_is_being_deleted_takes_no_protection(engine, names) -> None:
    with engine.begin() as connection:
        number = add_warehouse(connection, next(names))
    with engine.begin() as deleting, engine.begin() as adding:
        warehouses.lock(deleting, number)
        adding.exec_driver_sql("SET LOCAL lock_timeout = '100ms'")
        with pytest.raises(OperationalError, match="lock timeout"):
            protections.put(adding, number, Protection("main", {}))
