"""Only requests within a table's scope are signed, to the warehouse's own store."""

import pytest

from catalog.errors import Forbidden
from catalog.files.aws import AwsAccess
from catalog.files.scopes import Scope, find_scope
from catalog.files.signing import SignRequest, check_request

OWN = {"s3.endpoint": "http://store:9000", "s3.region": "eu-west-1"}
AWS = {"client.region": "eu-west-1"}
WRITER = Scope("bucket", "lake/ns/t", read_only=False)
READER = Scope("bucket", "lake/ns/t", read_only=True)
BASE = "http://store:9000/bucket/lake/ns/t"


def request(method, uri, *, region="eu-west-1", body=None, **headers):
    named = {name.replace("_", "-"): [value] for name, value in headers.items()}
    return SignRequest(method, uri, region, named, body)


def check(method, uri, *, scope=WRITER, storage=OWN, **more):
    check_request(request(method, uri, **more), scope, storage)


READS = [
    ("GET", f"{BASE}/data/f.parquet"),
    ("HEAD", f"{BASE}/metadata/v1.json"),
    ("GET", f"{BASE}/data/f.parquet?versionId=3&x-id=GetObject"),
    ("GET", f"{BASE}/data/a%20b%2Fc.parquet"),
    ("GET", "http://store:9000/bucket?list-type=2&prefix=lake%2Fns%2Ft%2Fdata&delimiter=%2F"),
    ("GET", "http://bucket.store:9000/lake/ns/t/f"),
    ("GET", "http://bucket.store:9000/?list-type=2&prefix=lake/ns/t/"),
]
WRITES = [
    ("PUT", f"{BASE}/data/f.parquet"),
    ("POST", f"{BASE}/data/f.parquet?uploads"),
    ("PUT", f"{BASE}/data/f.parquet?partNumber=1&uploadId=u"),
    ("DELETE", f"{BASE}/data/f.parquet?uploadId=u"),
]


@pytest.mark.parametrize(("method", "uri"), READS)
@pytest.mark.parametrize("scope", [READER, WRITER])
def test_reads_are_signed(scope, method, uri):
    check(method, uri, scope=scope)


@pytest.mark.parametrize(("method", "uri"), WRITES)
def test_writes_are_signed_for_writers_only(method, uri):
    check(method, uri)
    with pytest.raises(Forbidden, match="tag or a commit"):
        check(method, uri, scope=READER)


@pytest.mark.parametrize(
    "uri",
    [
        "https://bucket.s3.eu-west-1.amazonaws.com/lake/ns/t/f",
        "https://bucket.s3.amazonaws.com/lake/ns/t/f",
        "https://s3.eu-west-1.amazonaws.com/bucket/lake/ns/t/f",
    ],
)
def test_addresses_at_aws(uri):
    check("GET", uri, storage=AWS)


@pytest.mark.parametrize(
    "uri",
    [
        "http://store:9000/other/lake/ns/t/f",
        "http://other.store:9000/lake/ns/t/f",
        "http://store:9000/bucket/lake/ns/t",
        "http://store:9000/bucket/lake/ns/t2/f",
        "http://store:9000/bucket/lake/ns/f",
        "http://store:9000//bucket/lake/ns/t/f",
        f"{BASE}/../u/f",
        f"{BASE}/%2e%2e/u/f",
        f"{BASE}/./f",
        f"{BASE}/f#/g",
        f"{BASE}/a b",
        f"{BASE}/a\\b",
        f"{BASE}/\n",
        "https://store:9000/bucket/lake/ns/t/f",
        "http://store:9001/bucket/lake/ns/t/f",
        "http://evil/bucket/lake/ns/t/f",
        "http://evilstore:9000/bucket/lake/ns/t/f",
        "http://store:9000.evil/bucket/lake/ns/t/f",
        "http://user@store:9000/bucket/lake/ns/t/f",
        "file:///bucket/lake/ns/t/f",
        "",
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_other_places_are_not_signed(method, uri):
    with pytest.raises(Forbidden):
        check(method, uri)


@pytest.mark.parametrize(
    "uri",
    [
        "http://bucket.store:9000/lake/ns/t/f",
        "http://bucket.store:9000/?list-type=2&prefix=lake/ns/t/",
    ],
)
def test_a_store_that_overlooks_the_host_is_not_led_to_another_bucket(uri):
    """It would read the key `ns/t/f` of a bucket `lake`, with the server's own key."""
    with pytest.raises(Forbidden):
        check("GET", uri, storage={**OWN, "s3.path-style-access": "true"})
    check("GET", f"{BASE}/f", storage={**OWN, "s3.path-style-access": "true"})


@pytest.mark.parametrize(
    "uri",
    [
        "https://other.s3.eu-west-1.amazonaws.com/lake/ns/t/f",
        "https://bucket.s3.us-east-1.amazonaws.com/lake/ns/t/f",
        "http://bucket.s3.eu-west-1.amazonaws.com/lake/ns/t/f",
        "https://bucket.s3.eu-west-1.amazonaws.com.evil/lake/ns/t/f",
        "https://bucket.s3.evil/lake/ns/t/f",
        "https://bucket.s3xamazonaws.com/lake/ns/t/f",
        "https://evil/bucket.s3.amazonaws.com/lake/ns/t/f",
        "https://bucket.s3.eu-west-1.amazonaws.com:99/lake/ns/t/f",
    ],
)
def test_other_places_at_aws_are_not_signed(uri):
    with pytest.raises(Forbidden):
        check("GET", uri, storage=AWS)


@pytest.mark.parametrize(
    ("method", "uri"),
    [
        ("GET", f"{BASE}/f?acl"),
        ("PUT", f"{BASE}/f?acl"),
        ("GET", f"{BASE}/f?X-Amz-Signature=x"),
        ("PUT", f"{BASE}/f?retention"),
        ("PATCH", f"{BASE}/f"),
        ("GET", "http://store:9000/"),
        ("GET", "http://store:9000/bucket"),
        ("PUT", "http://store:9000/bucket"),
        ("DELETE", "http://store:9000/bucket?prefix=lake/ns/t/"),
        ("GET", "http://store:9000/bucket?policy"),
        ("GET", "http://store:9000/bucket?list-type=2"),
        ("GET", "http://store:9000/bucket?list-type=2&prefix=lake/ns/t"),
        ("GET", "http://store:9000/bucket?list-type=2&prefix="),
        ("GET", "http://store:9000/bucket?list-type=2&prefix=lake/ns/t/&prefix=other"),
        ("POST", "http://store:9000/bucket?delete"),
    ],
)
def test_what_is_not_known_to_be_harmless_is_not_signed(method, uri):
    with pytest.raises(Forbidden):
        check(method, uri)


@pytest.mark.parametrize("header", ["x_amz_acl", "x_amz_grant_read", "x_amz_object_lock_mode"])
def test_access_control_is_not_signed(header):
    with pytest.raises(Forbidden):
        check("PUT", f"{BASE}/f", **{header: "x"})


def test_another_region_is_not_signed():
    with pytest.raises(Forbidden, match="region"):
        check("GET", f"{BASE}/f", region="us-east-1")


def test_copies_come_from_the_table_too():
    check("PUT", f"{BASE}/g", x_amz_copy_source="/bucket/lake/ns/t/f?versionId=1")
    for source in ("/bucket/lake/ns/u/f", "other/lake/ns/t/f", "bucket/lake%2Fns/t/..%2Fu"):
        with pytest.raises(Forbidden):
            check("PUT", f"{BASE}/g", x_amz_copy_source=source)


@pytest.mark.parametrize(
    ("method", "uri"),
    [
        ("DELETE", f"{BASE}/data/f.parquet"),
        ("DELETE", f"{BASE}/data/f.parquet?versionId=3"),
        ("DELETE", f"{BASE}/data/f.parquet?uploadId"),
        ("DELETE", f"{BASE}/data/f.parquet?uploadId=&versionId=3"),
    ],
)
def test_no_file_is_deleted(method, uri):
    with pytest.raises(Forbidden, match="another branch or a release"):
        check(method, uri)


def test_scope_of_a_location():
    assert find_scope("s3a://bucket/lake//t/", read_only=True) == Scope("bucket", "lake/t", True)
    azure = find_scope("abfss://c@A.dfs.core.windows.net/lake/t", read_only=False)
    assert azure == Scope("c@a.dfs.core.windows.net", "lake/t", False)
    for location in ("file:///lake/t", "s3://bucket", "s3://bucket/a*/t", "s3://b/${x}"):
        assert find_scope(location, read_only=True) is None


class TestSignatures:
    KEYS = {"s3.access-key-id": "AKID", "s3.secret-access-key": "secret"}  # noqa: RUF012

    def sign(self, *args, **named):
        access = AwsAccess({**OWN, **self.KEYS}, lambda: None)
        return access.sign(request(*args, **named))

    def test_only_new_headers_are_returned_and_the_payload_is_left_open(self):
        headers = self.sign("PUT", f"{BASE}/f", content_type="x/y", user_agent="me", host="evil")
        assert headers.keys() == {"authorization", "x-amz-date", "x-amz-content-sha256"}
        assert headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"
        signed = "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date"
        assert signed in headers["authorization"]
        assert "Credential=AKID/" in headers["authorization"]
        assert "secret" not in str(headers)

    def test_a_hash_that_the_client_has_is_kept(self):
        headers = self.sign("PUT", f"{BASE}/f", x_amz_content_sha256="abc")
        assert "x-amz-content-sha256" not in headers

    def test_a_body_that_is_sent_along_is_signed_with_its_hash(self):
        headers = self.sign("POST", f"{BASE}?uploadId=u", body="", x_amz_content_sha256="abc")
        empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        assert headers["x-amz-content-sha256"] == empty
