"""A warehouse in Azure: files in its emulator, and signatures of a delegation key for clients."""

import os
import subprocess
import sys
import time
from urllib.parse import parse_qs
from uuid import uuid4

import httpx
import jwt
import pytest
from azure.core.credentials import AccessToken
from starlette.testclient import TestClient

from catalog import clock
from catalog.api.app import create_app
from catalog.errors import StorageUnavailable
from catalog.files import azure as azure_files
from catalog.files.azure import AzureAccess
from catalog.files.scopes import Scope
from catalog.files.trust import Trust
from catalog.settings import Settings
from tests.servers import serve

pytestmark = pytest.mark.slow

SCHEMA = {"type": "struct", "fields": [{"id": 1, "name": "id", "type": "long", "required": True}]}


class Identity:
    """Who the server is at Azure: the emulator looks at a token's claims, not at its signature."""

    def __init__(self, **_):
        pass

    def get_token(self, *scopes, **_):
        now = int(time.time())
        claims = {
            "aud": "https://storage.azure.com",
            "iss": "https://sts.windows.net/00000000-0000-0000-0000-000000000001/",
            "tid": "00000000-0000-0000-0000-000000000001",
            "oid": "00000000-0000-0000-0000-000000000002",
            "iat": now - 60,
            "nbf": now - 60,
            "exp": now + 3600,
        }
        return AccessToken(jwt.encode(claims, "x" * 32), now + 3600)


@pytest.fixture
def lake(azure, tmp_path, monkeypatch):
    """An interface to a warehouse in Azure with the table `ns.t`, a tag `v1`, and its prefix."""
    monkeypatch.setattr(azure_files, "DefaultAzureCredential", Identity)
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(f'[blue]\n"adls.account-key" = "{azure.secrets["adls.account-key"]}"\n')
    settings = Settings(data_dir=tmp_path, secrets_file=str(secrets), ca_file=str(azure.ca_file))
    body = {
        "name": "blue",
        "location": f"{azure.location}/{uuid4().hex}",
        "storage": {**azure.storage, "access-delegation": "vended-credentials"},
    }
    tables = "/iceberg/v1/blue.main/namespaces/ns/tables"
    with TestClient(create_app(settings)) as client:
        assert client.post("/api/v1/warehouses", json=body).status_code == 201
        client.post("/iceberg/v1/blue.main/namespaces", json={"namespace": ["ns"]})
        made = client.post(tables, json={"name": "t", "schema": SCHEMA})
        assert made.status_code == 200, made.text
        tag = {"name": "v1", "at": "main"}
        assert client.post("/api/v1/warehouses/blue/tags", json=tag).status_code == 201
        yield client, tables


def given(answer):
    """Return the settings that a client is given, and its signature's parts."""
    assert answer.status_code == 200, answer.text
    (credentials,) = answer.json()["storage-credentials"]
    (token,) = (v for k, v in credentials["config"].items() if k.startswith("adls.sas-token."))
    return credentials, {name: value for name, (value,) in parse_qs(token).items()}


def test_a_client_is_given_a_signature_for_its_tables_directory(lake, azure):
    client, tables = lake
    wanted = {"X-Iceberg-Access-Delegation": "vended-credentials"}
    answer = client.get(f"{tables}/t", headers=wanted)
    location = answer.json()["metadata"]["location"]
    credentials, signature = given(answer)
    assert credentials["prefix"] == location
    depth = len(location.removeprefix(f"{azure.location}/").split("/"))
    assert (signature["sr"], signature["sdd"]) == ("d", str(depth))
    assert (signature["sp"], signature["spr"]) == ("racwl", "https")
    host = f"{azure.account}.dfs.core.windows.net"
    expiry = int(credentials["config"][f"adls.sas-token-expires-at-ms.{host}"])
    assert 3000 < expiry / 1000 - time.time() <= 3600
    assert answer.headers["cache-control"] == "no-store"
    config = answer.json()["config"]
    assert config["adls.account-name"] == azure.account
    assert azure.secrets["adls.account-key"] not in answer.text
    fresh = client.get(f"/iceberg/{config['adls.refresh-credentials-endpoint']}")
    assert given(fresh)[1]["sp"] == "racwl"


def test_through_a_tag_a_client_only_reads(lake):
    client, tables = lake
    wanted = {"X-Iceberg-Access-Delegation": "vended-credentials"}
    assert given(client.get(f"{tables}/t@v1", headers=wanted))[1]["sp"] == "rl"
    assert given(client.get(f"{tables}/t@v1/credentials"))[1]["sp"] == "rl"


def test_signatures_of_two_tables_and_of_readers_differ_and_share_a_key(azure, monkeypatch):
    monkeypatch.setattr(azure_files, "DefaultAzureCredential", Identity)
    access = AzureAccess(azure.storage, clock.now, Trust(azure.ca_file))
    bucket = azure.location.removeprefix("abfss://")
    scopes = [Scope(bucket, path, only) for path in ("a/t", "a/u") for only in (True, False)]
    name = f"adls.sas-token.{bucket.partition('@')[2]}"
    parts = [parse_qs(access.vend(scope, "x").properties[name]) for scope in scopes]
    assert len({each["sig"][0] for each in parts}) == len(scopes)
    assert len({each["ske"][0] for each in parts}) == 1
    assert all(each["se"][0] <= each["ske"][0] for each in parts)
    assert access.vend(scopes[0], "x") is access.vend(scopes[0], "y")


def test_an_identity_that_azure_does_not_know_is_a_clear_error(azure, monkeypatch):
    class Stranger(Identity):
        def get_token(self, *scopes, **_):
            return AccessToken("nobody", int(time.time()) + 3600)

    monkeypatch.setattr(azure_files, "DefaultAzureCredential", Stranger)
    access = AzureAccess(azure.storage, clock.now, Trust(azure.ca_file))
    scope = Scope(azure.location.removeprefix("abfss://"), "a/t", read_only=True)
    with pytest.raises(StorageUnavailable, match="delegation key"):
        access.vend(scope, "x")


CLIENT = """
import sys
import pyarrow as pa
from pyiceberg.catalog import load_catalog

uri, host, key = sys.argv[1:]
catalog = load_catalog("lake", type="rest", uri=uri, warehouse="blue", **{
    "adls.account-key": key, "adls.account-host": host,
    "py-io-impl": "pyiceberg.io.fsspec.FsspecFileIO",
})
catalog.create_namespace("ns")
rows = pa.table({"id": [1, 2, 3]})
catalog.create_table("ns.t", rows.schema).append(rows)
catalog.load_table("ns.t").delete("id = 2")
print(catalog.load_table("ns.t").scan().to_arrow()["id"].to_pylist())
"""


def test_pyiceberg_works_with_a_key_of_its_own(azure, tmp_path):
    key = azure.secrets["adls.account-key"]
    environment = {
        "MAINSTEM_CA_FILE": str(azure.ca_file),
        "AZURE_STORAGE_ACCOUNT_KEY": key,
        "MAINSTEM_DEFAULT_WAREHOUSE": "other",
    }
    with serve(tmp_path, **environment) as address:
        body = {"name": "blue", "location": f"{azure.location}/{uuid4().hex}"}
        answer = httpx.post(f"{address}/api/v1/warehouses", json={**body, "storage": azure.storage})
        assert answer.status_code == 201, answer.text
        host = azure.endpoint.removeprefix("https://")
        done = subprocess.run(
            [sys.executable, "-c", CLIENT, f"{address}/iceberg", host, key],
            env={**os.environ, "SSL_CERT_FILE": str(azure.ca_file)},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.stdout == "[1, 3]\n", done.stderr
