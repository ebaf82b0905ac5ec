"""Google Cloud Storage: requests as Google documents them, to stand-ins for its servers."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, unquote

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import downscoped

from catalog import clock
from catalog.errors import AlreadyExists, InvalidInput, NoSuchFile, StorageUnavailable
from catalog.files.delegation import check_delegation
from catalog.files.file_io import open_files
from catalog.files.gcs import GcsAccess
from catalog.files.scopes import Scope, find_scope
from tests.files.faulty import Handler, faulty_server


@dataclass
class Tokens:
    """A token endpoint: it gives every identity a token, and exchanges it for a smaller one."""

    address: str
    asked: list[dict[str, str]] = field(default_factory=list)
    refuses: bool = False

    def key(self) -> str:
        """Return the key file of a service account whose tokens come from here."""
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return json.dumps(
            {
                "type": "service_account",
                "client_email": "mainstem@project.iam.gserviceaccount.com",
                "private_key": private.decode(),
                "token_uri": f"{self.address}/token",
            }
        )


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tokens]:
    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            asked = {name: value for name, (value,) in parse_qs(body).items()}
            endpoint.asked.append(asked)
            exchange = "subject_token" in asked
            token = f"small-{len(endpoint.asked)}" if exchange else "source"
            answer = {"access_token": token, "expires_in": 3600, "token_type": "Bearer"}
            if endpoint.refuses and exchange:
                answer = {"error": "invalid_grant", "error_description": "not you"}
            self.send_response(400 if "error" in answer else 200)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *arguments: object) -> None:
            """Keep quiet."""

    with HTTPServer(("127.0.0.1", 0), Endpoint) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        endpoint = Tokens(f"http://127.0.0.1:{server.server_address[1]}")
        monkeypatch.setattr(downscoped, "_STS_TOKEN_URL_PATTERN", f"{endpoint.address}/sts")
        yield endpoint
        server.shutdown()
        thread.join()


def vend(tokens: Tokens, *scopes: Scope) -> list[dict[str, str]]:
    access = GcsAccess({"gcs.service-account-key": tokens.key()}, clock.now)
    return [dict(access.vend(scope, "test").properties) for scope in scopes]


@pytest.mark.parametrize("read_only", [True, False])
def test_a_token_is_exchanged_for_one_that_reaches_the_table_only(
    tokens: Tokens, read_only: bool
) -> None:
    before = clock.now()
    (given,) = vend(tokens, Scope("bucket", "lake/o'b\"x\\t", read_only))
    assert given["gcs.oauth2.token"] == "small-2"
    expires = int(given["gcs.oauth2.token-expires-at"]) / 1000 - before.timestamp()
    assert 3500 < expires <= 3700
    exchange = tokens.asked[1]
    assert exchange["grant_type"] == "urn:ietf:params:oauth:grant-type:token-exchange"
    assert exchange["subject_token"] == "source"
    [rule] = json.loads(unquote(exchange["options"]))["accessBoundary"]["accessBoundaryRules"]
    assert rule["availableResource"] == "//storage.googleapis.com/projects/_/buckets/bucket"
    roles = ["objectViewer"] if read_only else ["objectViewer", "objectCreator"]
    assert rule["availablePermissions"] == [f"inRole:roles/storage.{role}" for role in roles]
    assert rule["availabilityCondition"]["expression"] == (
        r'resource.name.startsWith("projects/_/buckets/bucket/objects/lake/o' + r"'b\"x\\t/" + '")'
        ' || api.getAttribute("storage.googleapis.com/objectListPrefix", "")'
        r'.startsWith("lake/o' + r"'b\"x\\t/" + '")'
    )


def test_a_token_is_kept_for_its_scope(tokens: Tokens) -> None:
    reader, writer = Scope("b", "t", True), Scope("b", "t", False)
    first, second, third = vend(tokens, reader, writer, reader)
    assert first == third != second
    assert len(tokens.asked) == 4


def test_an_exchange_that_is_refused_is_a_clear_error(tokens: Tokens) -> None:
    tokens.refuses = True
    with pytest.raises(StorageUnavailable, match=r"did not exchange a token.*not you"):
        vend(tokens, Scope("b", "t", True))


def test_a_key_that_is_none_is_refused_and_not_shown() -> None:
    with pytest.raises(StorageUnavailable) as caught:
        GcsAccess({"gcs.service-account-key": "{hush"}, clock.now).vend(Scope("b", "t", True), "x")
    assert "hush" not in str(caught.value)


def test_locations_at_google_vend_and_sign_nothing() -> None:
    check_delegation("gs", {"access-delegation": "vended-credentials"})
    with pytest.raises(InvalidInput, match="gs:"):
        check_delegation("gs", {"access-delegation": "remote-signing", "s3.region": "x"})
    assert find_scope("gs://bucket/lake/t", read_only=True) == Scope("bucket", "lake/t", True)


def test_files_are_created_only_where_none_is() -> None:
    def create(handler: Handler) -> None:
        assert handler.headers["x-goog-if-generation-match"] == "0"
        data = handler.rfile.read(int(handler.headers["Content-Length"]))
        known = handler.server.kept.setdefault(handler.path, data)
        handler.answer(412 if known is not data else 200)

    with faulty_server() as server:
        key = {"disable_oauth": True, "client_email": "", "private_key": "", "private_key_id": ""}
        storage = {
            "gcs.service.host": server.storage["s3.endpoint"],
            "gcs.service-account-key": json.dumps(key),
        }
        files = open_files(storage)
        server.faults = [create]
        files.write_all({"gs://lake/a": b"first"})
        assert files.read("gs://lake/a") == b"first"
        server.faults = [create]
        with pytest.raises(AlreadyExists):
            files.write_all({"gs://lake/a": b"second"})
        with pytest.raises(NoSuchFile):
            files.read("gs://lake/absent")
        assert server.kept == {"/lake/a": b"first"}
