"""Who loads a table is given access to its files, and to nothing else, on a real object store."""

import os
import sqlite3
import subprocess
import sys
from itertools import count
from urllib.parse import quote

import duckdb
import httpx
import obstore
import pyarrow as pa
import pytest
from obstore.exceptions import BaseError, PermissionDeniedError
from obstore.store import S3Store
from pyiceberg.catalog import load_catalog

from tests.engines.lake import extension
from tests.servers import serve

pytestmark = [
    pytest.mark.slow,
    # aiobotocore leaves the closing of its connections to Python.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Unclosed:ResourceWarning"),
]

ROWS = pa.table({"id": [1, 2, 3]})
numbers = count(1)


class Server:
    """A running server, and what it leaves behind."""

    def __init__(self, directory, address, http):
        self.directory = directory
        self.address = address
        self.http = http

    def warehouse(self, s3, **storage):
        """Create a warehouse in the bucket, with a namespace."""
        name = f"w{next(numbers)}"
        s3.reveal(self.directory / "secrets.toml", name)
        properties = {
            key.replace("_", "-").replace("sts-", "sts."): v for key, v in storage.items()
        }
        body = {
            "name": name,
            "location": f"s3://{s3.bucket}/access/{name}",
            "storage": {**s3.storage, **properties},
        }
        answer = self.http.post("/api/v1/warehouses", json=body)
        assert answer.status_code == 201, answer.text
        self.catalog(name).create_namespace("ns")
        return name

    def catalog(self, warehouse, **properties):
        return load_catalog(
            "lake",
            type="rest",
            uri=f"{self.address}/iceberg",
            warehouse=warehouse,
            **properties,
        )

    def load(self, warehouse, wanted, table="t"):
        headers = {"X-Iceberg-Access-Delegation": wanted} if wanted else {}
        path = f"/iceberg/v1/{warehouse}.main/namespaces/ns/tables/{quote(table, safe='')}"
        answer = self.http.get(path, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer

    def tag(self, warehouse, name):
        body = {"name": name, "at": "main"}
        assert self.http.post(f"/api/v1/warehouses/{warehouse}/tags", json=body).status_code == 201


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    directory = tmp_path_factory.mktemp("access")
    secrets = directory / "secrets.toml"
    secrets.touch()
    with (
        serve(directory, MAINSTEM_SECRETS_FILE=str(secrets)) as address,
        httpx.Client(base_url=address, timeout=60) as http,
    ):
        yield Server(directory, address, http)


@pytest.fixture(scope="module")
def vending(server, s3):
    """A warehouse that vends credentials, with the table `ns.t` and the tag `v1`."""
    name = server.warehouse(s3, access_delegation="vended-credentials", sts_role_arn=s3.role_arn)
    server.catalog(name).create_table("ns.t", ROWS.schema).append(ROWS)
    server.catalog(name).create_table("ns.other", ROWS.schema)
    server.tag(name, "v1")
    return name


@pytest.fixture(scope="module")
def signing(server, s3):
    """A warehouse that signs requests, with the table `ns.t` and the tag `v1`."""
    name = server.warehouse(s3, access_delegation="remote-signing")
    assert by_signed_requests(server, name, "t") == ["3", "6"]
    server.tag(name, "v1")
    return name


SIGNED = """
import sys
import pyarrow as pa
from pyiceberg.catalog import load_catalog

uri, warehouse, name = sys.argv[1:]
catalog = load_catalog("lake", **{
    "type": "rest", "uri": uri, "warehouse": warehouse, "s3.anonymous": "true",
    "header.X-Iceberg-Access-Delegation": "remote-signing",
})
rows = pa.table({"id": [1, 2, 3]})
table = catalog.create_table(("ns", name), rows.schema)
for table in (table, catalog.load_table(("ns", name))):
    table.append(rows)
    print(catalog.load_table(("ns", name)).scan().to_arrow().num_rows)
"""


def by_signed_requests(server, warehouse, table):
    """Create a table and write to it twice by pyiceberg; give how many rows it read each time.

    In a process of its own, for pyiceberg 0.12 needs one worker: each of its threads takes the
    signer away for a moment when it begins, and what another thread sends then has no signature.
    """
    done = subprocess.run(
        [sys.executable, "-c", SIGNED, f"{server.address}/iceberg", warehouse, table],
        env={**os.environ, "PYICEBERG_MAX_WORKERS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def store(s3, properties):
    """Open the bucket with what a client was given."""
    return S3Store(
        s3.bucket,
        endpoint=s3.endpoint,
        region=s3.region,
        access_key_id=properties["s3.access-key-id"],
        secret_access_key=properties["s3.secret-access-key"],
        session_token=properties["s3.session-token"],
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )


def inside(answer, s3):
    """Return the prefix of the loaded table's keys."""
    location = answer.json()["metadata"]["location"]
    return location.removeprefix(f"s3://{s3.bucket}/")


def test_pyiceberg_works_with_what_is_vended(server, vending):
    table = server.catalog(vending).load_table("ns.t")
    assert table.scan().to_arrow().num_rows == 3
    table.append(ROWS)
    assert table.scan().to_arrow().num_rows == 6
    at_tag = server.catalog(f"{vending}@v1").load_table("ns.t")
    assert at_tag.scan().to_arrow().num_rows == 3


def test_duckdb_works_with_what_is_vended(server, vending):
    with duckdb.connect() as duck:
        for name in ("avro", "httpfs", "iceberg"):
            duck.execute(f"INSTALL '{extension(name)}'; LOAD {name}")
        duck.execute(
            f"ATTACH '{vending}' AS lake (TYPE iceberg, ENDPOINT '{server.address}/iceberg',"
            " AUTHORIZATION_TYPE 'none')"
        )
        duck.execute("CREATE TABLE lake.ns.duck AS SELECT 7 AS id")
        duck.execute("INSERT INTO lake.ns.duck VALUES (8)")
        assert duck.execute("SELECT sum(id) FROM lake.ns.duck").fetchone() == (15,)


def test_credentials_reach_the_table_and_nothing_else(server, vending, s3):
    loaded = server.load(vending, "vended-credentials")
    prefix = inside(loaded, s3)
    (given,) = loaded.json()["storage-credentials"]
    assert given["prefix"] == loaded.json()["metadata"]["location"]
    assert loaded.headers["cache-control"] == "no-store"
    bucket = store(s3, given["config"])
    obstore.put(bucket, f"{prefix}/data/new", b"x")
    assert bytes(obstore.get(bucket, f"{prefix}/data/new").bytes()) == b"x"
    with pytest.raises(BaseError, match="AccessDenied"):
        obstore.delete(bucket, f"{prefix}/data/new")
    assert obstore.head(bucket, f"{prefix}/data/new")["size"] == 1
    other = inside(server.load(vending, "", "other"), s3)
    metadata = server.load(vending, "", "other").json()["metadata-location"]
    with pytest.raises(PermissionDeniedError):
        obstore.get(bucket, metadata.removeprefix(f"s3://{s3.bucket}/"))
    for key in (f"{other}/data/new", f"{prefix}-beside", "access/new", "new"):
        with pytest.raises(PermissionDeniedError):
            obstore.put(bucket, key, b"x")
    assert bucket.list_with_delimiter(f"{prefix}/metadata/")["objects"]
    with pytest.raises(BaseError, match="AccessDenied"):
        bucket.list_with_delimiter("access/")


@pytest.mark.parametrize("table", ["t@v1", "commit"])
def test_credentials_of_a_fixed_revision_only_read(server, vending, s3, table):
    if table == "commit":
        tags = server.http.get(f"/api/v1/warehouses/{vending}/tags/v1").json()
        table = f"t@{tags['commit_id']}"
    loaded = server.load(vending, "vended-credentials", table)
    bucket = store(s3, loaded.json()["storage-credentials"][0]["config"])
    prefix = inside(loaded, s3)
    listing = loaded.json()["metadata"]["snapshots"][0]["manifest-list"]
    assert obstore.get(bucket, listing.removeprefix(f"s3://{s3.bucket}/")).bytes()
    with pytest.raises(PermissionDeniedError):
        obstore.put(bucket, f"{prefix}/data/new", b"x")
    with pytest.raises(BaseError, match="AccessDenied"):
        obstore.delete(bucket, listing.removeprefix(f"s3://{s3.bucket}/"))


def test_credentials_are_refreshed_where_the_answer_says(server, vending, s3):
    config = server.load(vending, "vended-credentials", "t@v1").json()["config"]
    path = config["client.refresh-credentials-endpoint"]
    answer = server.http.get(f"/iceberg/{path}")
    (given,) = answer.json()["storage-credentials"]
    assert int(given["config"]["s3.session-token-expires-at-ms"]) > 0
    bucket = store(s3, given["config"])
    with pytest.raises(PermissionDeniedError):
        obstore.put(bucket, f"{inside(server.load(vending, ''), s3)}/data/new", b"x")


def test_pyiceberg_reads_what_the_endpoint_for_refreshing_answers(server, vending, s3):
    answer = server.catalog(f"{vending}@v1")._load_credentials(("ns", "t"))
    (given,) = answer.storage_credentials
    assert given.prefix.startswith(f"s3://{s3.bucket}/access/{vending}/ns/t-")
    assert given.config["s3.session-token"]


def test_who_asks_for_nothing_is_given_nothing(server, vending, signing):
    for warehouse, wanted in ((vending, ""), (vending, "remote-signing"), (signing, "")):
        loaded = server.load(warehouse, wanted).json()
        assert "storage-credentials" not in loaded
        assert not any("key" in name or "signer" in name for name in loaded["config"])


def test_pyiceberg_works_with_signed_requests(server, signing):
    assert by_signed_requests(server, signing, "more") == ["3", "6"]


def sign(server, warehouse, s3, method, key, table="t", **query):
    path = f"/iceberg/v1/{warehouse}.main/namespaces/ns/tables/{quote(table, safe='')}/sign"
    uri = f"{s3.endpoint}/{s3.bucket}/{key}"
    body = {"method": method, "uri": uri, "region": s3.region, "headers": {}}
    return server.http.post(path, json=body)


def send(signed, method, content=None):
    headers = {name: values[0] for name, values in signed.json()["headers"].items()}
    return httpx.request(method, signed.json()["uri"], headers=headers, content=content)


def test_signatures_reach_the_table_and_nothing_else(server, signing, s3):
    prefix = inside(server.load(signing, ""), s3)
    signed = sign(server, signing, s3, "PUT", f"{prefix}/data/new")
    assert send(signed, "PUT", b"hello").status_code == 200
    signed = sign(server, signing, s3, "GET", f"{prefix}/data/new")
    assert send(signed, "GET").content == b"hello"
    # A signature is for one request.
    assert send(signed, "PUT", b"other").status_code == 403
    for key in (f"{prefix}-beside", "access/new", f"{prefix}/../new"):
        answer = sign(server, signing, s3, "GET", key)
        assert answer.status_code == 403
        assert answer.json()["error"]["type"] == "ForbiddenException"


def test_signatures_of_a_fixed_revision_only_read(server, signing, s3):
    loaded = server.load(signing, "", "t@v1")
    listing = loaded.json()["metadata"]["snapshots"][0]["manifest-list"]
    key = listing.removeprefix(f"s3://{s3.bucket}/")
    assert send(sign(server, signing, s3, "GET", key, "t@v1"), "GET").status_code == 200
    for method in ("PUT", "DELETE"):
        assert sign(server, signing, s3, method, key, "t@v1").status_code == 403


def test_nothing_is_signed_where_nothing_was_promised(server, vending, s3):
    prefix = inside(server.load(vending, ""), s3)
    assert sign(server, vending, s3, "GET", f"{prefix}/data/new").status_code == 403


def test_the_servers_own_keys_are_handed_out_only_if_the_warehouse_says_so(server, s3):
    name = server.warehouse(s3, access_delegation="static-credentials")
    server.catalog(name).create_table("ns.t", ROWS.schema).append(ROWS)
    loaded = server.load(name, "")
    assert loaded.json()["config"]["s3.secret-access-key"] == s3.secret_key
    assert loaded.headers["cache-control"] == "no-store"
    assert s3.secret_key not in server.http.get(f"/iceberg/v1/config?warehouse={name}").text
    assert s3.secret_key not in server.http.get("/api/v1/warehouses").text


def test_a_table_that_was_created_is_answered_though_no_credentials_are_to_be_had(server, s3):
    name = server.warehouse(
        s3,
        access_delegation="vended-credentials",
        sts_role_arn=s3.role_arn,
        sts_endpoint="http://127.0.0.1:1",
    )
    path = f"/iceberg/v1/{name}.main/namespaces/ns"
    headers = {"X-Iceberg-Access-Delegation": "vended-credentials"}
    body = {"name": "t", "schema": SCHEMA}
    made = server.http.post(f"{path}/tables", json=body, headers=headers)
    assert made.status_code == 200, made.text
    assert "storage-credentials" not in made.json()
    assert server.http.get(f"{path}/tables/t", headers=headers).status_code == 503
    assert server.http.get(f"{path}/tables/t").json()["metadata"] == made.json()["metadata"]


def test_no_secret_is_left_behind(server, vending, signing, s3):
    """Neither the server's nor a client's, also where a request had an Idempotency-Key."""
    key = "0190b3c1-7b0e-7000-8000-0123456789ab"
    answers = []
    for name in ("staged", "made"):
        body = {"name": name, "schema": SCHEMA, "stage-create": name == "staged"}
        headers = {"Idempotency-Key": key, "X-Iceberg-Access-Delegation": "vended-credentials"}
        path = f"/iceberg/v1/{vending}.main/namespaces/ns/tables"
        answers.append(server.http.post(path, json=body, headers=headers))
        key = key.replace("9ab", "9ac")
    vended = [each.json()["config"]["s3.secret-access-key"] for each in answers]
    with sqlite3.connect(server.directory / "data" / "mainstem.db") as database:
        dump = "\n".join(database.iterdump()) + "".join(
            str(row) for row in database.execute("SELECT * FROM idempotency_keys")
        )
    database.close()
    left = dump + (server.directory / "server.log").read_text()
    for secret in (s3.secret_key, *vended):
        assert secret not in left
        assert secret.encode().hex() not in left.lower()


SCHEMA = {"type": "struct", "fields": [{"id": 1, "name": "id", "type": "long", "required": True}]}
