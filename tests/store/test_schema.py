"""Migrations: up from nothing, once and for all, whoever else starts at the same time."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, inspect, text

from catalog.errors import InvalidInput
from catalog.store import schema
from catalog.store import warehouses as rows
from catalog.store.engine import open_database, read, transact
from catalog.store.schema import migrate
from catalog.store.tables import metadata

MIGRATIONS = Path(schema.__file__).parent / "migrations"


def test_the_migrations_make_the_tables_that_the_store_uses(engine: Engine) -> None:
    with engine.connect() as connection:
        settings = {"compare_type": True}
        context = MigrationContext.configure(connection, opts=settings)
        assert compare_metadata(context, metadata) == []


def test_refs_and_names_are_sorted_by_bytes_in_the_database_too(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        return
    columns = {column["name"]: column["type"] for column in inspect(engine).get_columns("refs")}
    assert columns["name"].collation == "C"


def test_migrating_again_changes_nothing(new_url, open_engine) -> None:
    engine = open_engine(new_url())
    migrate(engine)
    transact(
        engine,
        lambda connection: connection.execute(
            text("INSERT INTO objects (id, data) VALUES (:id, :id)"), {"id": b"kept"}
        ),
    )
    migrate(engine)
    rows = text("SELECT COUNT(*) FROM objects")
    assert read(engine, lambda connection: connection.scalar(rows)) == 1


def test_a_warehouse_of_an_older_release_has_one_location(new_url, open_engine) -> None:
    engine = open_engine(new_url())
    old = text(
        "INSERT INTO warehouses (name, location, default_branch, storage, created_at)"
        " VALUES ('old', 'file:///old', 'main', '{\"a\": \"b\"}', 1)"
    )

    def make(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(old)

    transact(engine, make)
    migrate(engine)
    found = read(engine, lambda connection: rows.find(connection, "old"))
    assert found is not None
    assert found.sites == (rows.Site("file:///old", {"a": "b"}),)


def test_the_database_of_a_newer_release_is_refused_and_left_alone(new_url, open_engine) -> None:
    engine = open_engine(new_url())
    migrate(engine)
    newer = text("UPDATE alembic_version SET version_num = '9999'")
    transact(engine, lambda connection: connection.execute(newer))
    with pytest.raises(InvalidInput, match=r"9999.*newer release"):
        migrate(engine)


# Opens a catalog on each database that it is told of, as soon as it is told.
_STARTER = """
import sys
from pathlib import Path
from catalog.api.app import open_catalog
from catalog.settings import Settings
print("ready", flush=True)
for line in sys.stdin:
    settings = Settings(database_url=line.strip(), default_location=sys.argv[1])
    try:
        open_catalog(settings).engine.dispose()
        print("started", flush=True)
    except Exception as error:
        print(repr(error).replace(chr(10), " "), flush=True)
"""


def test_servers_that_start_at_once_on_nothing_all_start(
    new_url: Callable[[], str], tmp_path
) -> None:
    command = [sys.executable, "-c", _STARTER, tmp_path.as_uri()]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    starters = [subprocess.Popen(command, **pipes) for _ in range(3)]
    try:
        assert [each.stdout.readline() for each in starters] == ["ready\n"] * 3
        for _ in range(4):
            url = new_url()
            for each in starters:
                each.stdin.write(f"{url}\n")
                each.stdin.flush()
            assert [each.stdout.readline() for each in starters] == ["started\n"] * 3
            assert warehouses(url) == ["lake"]
    finally:
        for each in starters:
            each.communicate(timeout=60)


def warehouses(url: str) -> list[str]:
    engine = open_database(url)
    names = text("SELECT name FROM warehouses")
    found = read(engine, lambda connection: list(connection.execute(names).scalars()))
    engine.dispose()
    return found
