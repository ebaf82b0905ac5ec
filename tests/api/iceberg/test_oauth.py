"""Tokens: who gets one, what they open, and that a server without clients stays open."""

import base64
import hashlib
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import quote_plus

import pytest
from starlette.testclient import TestClient

from catalog.api.app import create_app
from catalog.auth.tokens import Tokens
from catalog.errors import InvalidInput
from catalog.settings import Settings

URL = "/iceberg/v1/oauth/tokens"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"
KEY = "k" * 32
SECRETS = {"spark": "s3cret+with:%20signs", "etl@hospital": "other"}


def hashed(secret):
    return hashlib.sha256(secret.encode()).hexdigest()


@contextmanager
def running(path, **settings):
    app = create_app(Settings(data_dir=path, **settings))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    path = tmp_path_factory.mktemp("guarded")
    file = path / "clients"
    file.write_text(f"# the ETL of hospital 7\netl@hospital:{hashed('other')}\n\n")
    clients = f"spark:{hashed(SECRETS['spark'])}"
    with running(path, clients=clients, clients_file=str(file), token_key=KEY) as client:
        yield client


def ask(client, headers=None, **form):
    return client.post(URL, data=form, headers=headers)


def token_of(client, client_id="spark", **form):
    response = ask(
        client,
        grant_type="client_credentials",
        client_id=client_id,
        client_secret=SECRETS[client_id],
        **form,
    )
    assert response.status_code == 200, response.text
    return response.json()["access_token"]


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def basic(client_id, secret):
    encoded = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return {"Authorization": f"Basic {encoded}"}


def refused(response, error, status=400):
    assert response.status_code == status, response.text
    assert response.json()["error"] == error
    assert response.json()["error_description"]
    assert response.headers["cache-control"] == "no-store"


def test_a_client_gets_a_token_that_opens_both_interfaces(guarded):
    response = ask(
        guarded,
        grant_type="client_credentials",
        client_id="spark",
        client_secret=SECRETS["spark"],
        scope="catalog",
    )
    answer = response.json()
    assert (answer["token_type"], answer["expires_in"]) == ("bearer", 3600)
    assert (answer["issued_token_type"], answer["scope"]) == (ACCESS_TOKEN, "catalog")
    assert response.headers["cache-control"] == "no-store"
    headers = bearer(answer["access_token"])
    assert guarded.get("/iceberg/v1/config", headers=headers).status_code == 200
    assert guarded.get("/api/v1/warehouses", headers=headers).status_code == 200


def test_the_header_may_hold_the_credential_plain_or_encoded(guarded):
    secret = SECRETS["spark"]
    for headers in (basic("spark", secret), basic("spark", quote_plus(secret))):
        response = ask(guarded, headers, grant_type="client_credentials")
        assert response.status_code == 200, response.text


def test_the_client_is_the_committer(guarded):
    headers = bearer(token_of(guarded, "etl@hospital"))
    body = {"namespace": ["mine"]}
    created = guarded.post(
        "/iceberg/v1/lake.main/namespaces",
        json=body,
        headers={**headers, "X-Mainstem-Author": "Ada"},
    )
    assert created.status_code == 200, created.text
    path = "/api/v1/warehouses/lake/commits/main"
    commit = guarded.get(path, headers=headers).json()
    assert (commit["author"], commit["committer"]) == ("Ada", "etl@hospital")


@pytest.mark.parametrize(
    ("client_id", "secret"),
    [("spark", "wrong"), ("nobody", "other"), ("", ""), ("spark", ""), ("spark", hashed("other"))],
)
def test_a_wrong_credential_is_refused(guarded, client_id, secret):
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    for response in (
        ask(guarded, **form),
        ask(guarded, basic(client_id, secret), grant_type="client_credentials"),
    ):
        refused(response, "invalid_client", 401)
        assert response.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize("value", ["Basic", "Basic ???", "Basic /w=="])
def test_a_malformed_header_is_refused(guarded, value):
    response = ask(guarded, {"Authorization": value}, grant_type="client_credentials")
    refused(response, "invalid_client", 401)


def test_what_is_no_request_for_a_token_is_refused(guarded):
    refused(ask(guarded, scope="catalog"), "invalid_request")
    refused(ask(guarded, grant_type="password"), "unsupported_grant_type")
    refused(ask(guarded, grant_type=["client_credentials"] * 2), "invalid_request")
    refused(guarded.post(URL, json={"grant_type": "client_credentials"}), "invalid_request")
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    refused(guarded.post(URL, content=b"grant_type=%ff", headers=kind), "invalid_request")
    refused(guarded.post(URL, content=b"\xff", headers=kind), "invalid_request")


def exchange(client, headers=None, **form):
    asked = {"grant_type": EXCHANGE, "subject_token_type": ACCESS_TOKEN, **form}
    return ask(client, headers, **asked)


def test_a_token_is_exchanged_for_a_fresh_one(guarded):
    token = token_of(guarded)
    response = exchange(guarded, bearer(token), subject_token=token)
    assert response.status_code == 200, response.text
    headers = bearer(response.json()["access_token"])
    assert guarded.get("/iceberg/v1/config", headers=headers).status_code == 200


def expired(client_id="spark"):
    return Tokens(KEY.encode(), 60).issue(client_id, datetime.now(UTC) - timedelta(seconds=61))


def test_an_expired_token_opens_nothing_and_is_renewed_only_for_its_client(guarded):
    token = expired()
    response = guarded.get("/iceberg/v1/config", headers=bearer(token))
    assert response.status_code == 401
    refused(exchange(guarded, subject_token=token), "invalid_request")
    headers = basic("etl@hospital", "other")
    refused(exchange(guarded, headers, subject_token=token), "invalid_request")
    headers = basic("spark", SECRETS["spark"])
    assert exchange(guarded, headers, subject_token=token).status_code == 200


def foreign(claims_of="spark"):
    return Tokens(b"z" * 32, 60).issue(claims_of, datetime.now(UTC))


def test_only_tokens_of_the_servers_own_are_exchanged(guarded):
    refused(exchange(guarded, subject_token=foreign()), "invalid_request")
    refused(exchange(guarded, subject_token="x"), "invalid_request")
    refused(exchange(guarded), "invalid_request")
    token = token_of(guarded)
    for wrong in (
        {"subject_token_type": ""},
        {"requested_token_type": ID_TOKEN},
        {"actor_token": token},
    ):
        refused(exchange(guarded, subject_token=token, **wrong), "invalid_request")


def unsigned(client_id="spark"):
    def part(text):
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    later = int(datetime.now(UTC).timestamp()) + 60
    claims = f'{{"iss":"mainstem","sub":"{client_id}","exp":{later}}}'
    header = part('{"alg":"none","typ":"JWT"}')
    return f"{header}.{part(claims)}."


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer None",
        "Bearer anonymous",
        "Basic " + base64.b64encode(b"spark:s3cret").decode(),
        f"Bearer {foreign()}",
        f"Bearer {unsigned()}",
        f"Bearer {Tokens(KEY.encode(), 60).issue('stranger', datetime.now(UTC))}",
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/iceberg/v1/config"),
        ("GET", "/iceberg/v1/lake.main/namespaces/ns/tables/t"),
        ("POST", "/iceberg/v1/lake.main/namespaces"),
        ("GET", "/api/v1/warehouses"),
        ("GET", "/api/v1/openapi.json/../warehouses"),
        ("POST", "/iceberg/v1/oauth%2Ftokens"),
        ("GET", "/elsewhere"),
    ],
)
def test_without_a_valid_token_nothing_opens(guarded, method, path, authorization):
    headers = {} if authorization is None else {"Authorization": authorization}
    response = guarded.request(method, path, headers=headers)
    assert response.status_code == 401, response.text
    assert response.headers["www-authenticate"].startswith("Bearer")
    if path.startswith("/iceberg"):
        assert response.json()["error"]["type"] == "NotAuthorizedException"
    else:
        assert response.json()["code"] == "unauthenticated"


def test_two_authorizations_are_none(guarded):
    headers = [("Authorization", f"Bearer {token_of(guarded)}"), ("Authorization", "Bearer x")]
    assert guarded.get("/iceberg/v1/config", headers=headers).status_code == 401


def test_the_interface_may_be_read_about_by_everybody(guarded):
    for name in ("openapi.json", "docs", "docs/swagger-ui.css", "docs/swagger-ui-bundle.js"):
        assert guarded.get(f"/api/v1/{name}").status_code == 200


def test_a_key_of_one_client_tells_another_nothing(guarded):
    key = {"Idempotency-Key": "018f2b1e-0000-7000-8000-000000000001"}
    body = {"namespace": ["secret"], "properties": {"a": "1"}}

    def send(client_id):
        headers = {**bearer(token_of(guarded, client_id)), **key}
        return guarded.post("/iceberg/v1/lake.main/namespaces", json=body, headers=headers)

    assert [send("spark").status_code, send("spark").status_code] == [200, 200]
    assert send("etl@hospital").status_code == 400


def test_without_clients_the_server_is_open_and_says_so_with_a_token(tmp_path):
    with running(tmp_path) as client:
        for headers in ({}, bearer("None"), bearer("anonymous"), bearer(foreign())):
            assert client.get("/iceberg/v1/config", headers=headers).status_code == 200
        form = {"grant_type": "client_credentials", "client_id": "x", "client_secret": "y"}
        answer = ask(client, **form).json()
        assert (answer["access_token"], answer["token_type"]) == ("anonymous", "bearer")
        renewed = exchange(client, subject_token=answer["access_token"])
        assert renewed.json()["access_token"] == "anonymous"
        refused(ask(client, grant_type="password"), "unsupported_grant_type")


@pytest.mark.parametrize(
    "settings",
    [
        {"clients": f"spark:{hashed('x')}"},
        {"clients": f"spark:{hashed('x')}", "token_key": "short"},
        {"clients": "spark:plain", "token_key": KEY},
        {"clients": f":{hashed('x')}", "token_key": KEY},
        {"clients": f"a:{hashed('x')},a:{hashed('y')}", "token_key": KEY},
        {"clients_file": "/nowhere/at/all", "token_key": KEY},
    ],
)
def test_settings_that_cannot_be_stop_the_server(tmp_path, settings):
    with pytest.raises(InvalidInput) as raised:
        create_app(Settings(data_dir=tmp_path, **settings))
    assert "MAINSTEM_" in raised.value.message
    assert "plain" not in raised.value.message
