"""The services that other tests stand on answer, and come back with what they had stored."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from catalog.errors import StorageUnavailable
from catalog.files.file_io import open_files
from tests.services import ObjectStore, object_store, postgres_server

pytestmark = pytest.mark.slow


def test_every_postgresql_database_is_empty_and_of_its_own(new_database, postgres_url: str) -> None:
    urls = {postgres_url, new_database()}
    assert len(urls) == 2
    for url in urls:
        engine = create_engine(url)
        with engine.connect() as connection:
            tables = text("select count(*) from pg_tables where schemaname = 'public'")
            assert connection.execute(tables).scalar() == 0
        engine.dispose()


def test_a_postgresql_server_keeps_its_data_and_address_over_a_restart(tmp_path: Path) -> None:
    with postgres_server(tmp_path) as server:
        engine = create_engine(server.url)
        with engine.begin() as connection:
            connection.execute(text("create table kept (n int)"))
        engine.dispose()
        server.service.stop()
        server.service.start()
        with engine.begin() as connection:
            assert connection.execute(text("select count(*) from kept")).scalar() == 0
        engine.dispose()


def test_the_object_store_refuses_a_wrong_key(s3: ObjectStore) -> None:
    files = open_files({**s3.storage, **s3.secrets, "s3.access-key-id": "somebody"})
    with pytest.raises(StorageUnavailable):
        files.read(f"s3://{s3.bucket}/ready")


def test_an_object_store_keeps_its_files_and_address_over_a_restart(tmp_path: Path) -> None:
    with object_store(tmp_path) as store:
        location = f"s3://{store.bucket}/some/file"
        files = open_files({**store.storage, **store.secrets})
        files.write_all({location: b"kept"})
        store.service.stop()
        store.service.start()
        assert files.read(location) == b"kept"
