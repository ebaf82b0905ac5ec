"""Which requests to S3 may be signed for a client: only those within a table's scope.

What is not known to be harmless is refused: sub-resources of objects and buckets, access control
lists, and requests to any other host than the warehouse's own. So is deleting, but for the parts of
an upload that is given up.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from catalog.errors import Forbidden
from catalog.files.delegation import is_path_style, region_of
from catalog.files.scopes import Scope

_OBJECT_READS = {"GET", "HEAD"}
_OBJECT_WRITES = {"PUT", "POST", "DELETE"}
# `x-id` names the operation for the log of AWS's newer clients.
_OBJECT_QUERY = {"partNumber", "uploadId", "uploads", "versionId", "max-parts", "x-id"}
_OBJECT_QUERY |= {"part-number-marker"}
_LIST_QUERY = {"list-type", "prefix", "delimiter", "max-keys", "continuation-token", "x-id"}
_LIST_QUERY |= {"start-after", "encoding-type", "fetch-owner", "marker"}
_REFUSED_HEADERS = ("x-amz-acl", "x-amz-grant-", "x-amz-object-lock-", "x-amz-bypass-")
_COPY_SOURCE = "x-amz-copy-source"
# Anything else in an address is read differently by different readers.
_PLAIN_ADDRESS = re.compile(r"https?://[!$%&'()*+,./0-9:;=?@A-Z_a-z~\[\]-]+")
_AWS_HOST = re.compile(r"s3(?:[.-](?P<region>[a-z0-9-]+))?\.amazonaws\.com(?:\.cn)?")


@dataclass(frozen=True, slots=True)
class SignRequest:
    """A request that a client is about to send; header names in lower case."""

    method: str
    uri: str
    region: str
    headers: Mapping[str, Sequence[str]]
    body: str | None


class Signer(Protocol):
    """What signs with the server's own credentials, or gives them out; safe among threads."""

    def sign(self, request: SignRequest) -> dict[str, str]:
        """Return the headers to be added to a request, which must have been checked."""
        ...

    def own_keys(self) -> dict[str, str]:
        """Return the credentials as FileIO properties."""
        ...


def check_request(request: SignRequest, scope: Scope, storage: Mapping[str, str]) -> None:
    """Check that a request stays within a scope.

    Raises:
        Forbidden: saying what lies outside.
    """
    region = region_of(storage)
    if request.region != region:
        raise Forbidden(f"The warehouse is in region {region}, not in {request.region!r}")
    for name in request.headers:
        if name.startswith(_REFUSED_HEADERS):
            raise Forbidden(f"Header {name} is not signed")
    bucket, key = _target(request.uri, storage)
    if bucket != scope.bucket:
        raise Forbidden(f"Bucket {bucket!r} is not the table's")
    names = [name for name, _ in _query(request.uri)]
    if key:
        _check_object(request, scope, key, names)
    else:
        _check_list(request, scope, names)


def _check_object(request: SignRequest, scope: Scope, key: str, query: Sequence[str]) -> None:
    _check_key(scope, key)
    if request.method not in _OBJECT_READS | _OBJECT_WRITES or not _OBJECT_QUERY.issuperset(query):
        raise Forbidden(f"{request.method} {request.uri} is not signed")
    if request.method in _OBJECT_WRITES:
        _check_writable(scope)
    if request.method == "DELETE" and not dict(_query(request.uri)).get("uploadId"):
        raise Forbidden("No file is deleted: another branch or a release may need it")
    for source in request.headers.get(_COPY_SOURCE, ()):
        bucket, _, source_key = unquote(source.partition("?")[0]).lstrip("/").partition("/")
        if bucket != scope.bucket:
            raise Forbidden(f"Bucket {bucket!r} is not the table's")
        _check_key(scope, source_key)


def _check_list(request: SignRequest, scope: Scope, names: Sequence[str]) -> None:
    """Check a listing: its prefix must begin with the table's, the slash included."""
    prefixes = [value for name, value in _query(request.uri) if name == "prefix"]
    if request.method not in _OBJECT_READS or not _LIST_QUERY.issuperset(names):
        raise Forbidden(f"{request.method} {request.uri} is not signed")
    if len(prefixes) != 1 or not prefixes[0].startswith(f"{scope.prefix}/"):
        raise Forbidden(f"A listing must name a prefix that lies in {scope.prefix}/")


def _check_key(scope: Scope, key: str) -> None:
    if not scope.holds(key):
        raise Forbidden(f"Key {key!r} lies outside the table, which is {scope.prefix}/")


def _check_writable(scope: Scope) -> None:
    if scope.read_only:
        raise Forbidden("Nothing is written through a tag or a commit; use a branch")


def _target(uri: str, storage: Mapping[str, str]) -> tuple[str, str]:
    """Return bucket and key of a request, in path style or with the bucket in the host.

    Raises:
        Forbidden: if the host is not the warehouse's.
    """
    if _PLAIN_ADDRESS.fullmatch(uri) is None:
        raise Forbidden(f"Address {uri!r} is not signed: it is not percent-encoded")
    parts = urlsplit(uri)
    path = unquote(parts.path, errors="surrogateescape").removeprefix("/")
    host = parts.netloc.lower()
    endpoint = storage.get("s3.endpoint")
    if endpoint is None:
        bucket = _bucket_at_aws(host, storage) if parts.scheme == "https" else None
    elif parts.scheme != urlsplit(endpoint).scheme:
        bucket = None
    else:
        bucket = _bucket_before(host, urlsplit(endpoint).netloc.lower())
        if bucket and is_path_style(storage):
            # Such a store overlooks the host, and would take the first of the path for a bucket.
            bucket = None
    if bucket is None:
        raise Forbidden(f"{parts.scheme}://{parts.netloc} is not the warehouse's object store")
    if bucket:
        return bucket, path
    bucket, _, key = path.partition("/")
    return bucket, key


def _bucket_before(host: str, endpoint: str) -> str | None:
    """Return the bucket before an endpoint's host, "" without one, None at another host."""
    if host == endpoint:
        return ""
    return host[: -len(endpoint) - 1] if host.endswith(f".{endpoint}") else None


def _bucket_at_aws(host: str, storage: Mapping[str, str]) -> str | None:
    bucket, _, rest = host.rpartition(".s3") if ".s3" in host else ("", "", host)
    match = _AWS_HOST.fullmatch(f"s3{rest}" if bucket else rest)
    if match is None or match["region"] not in (None, region_of(storage)):
        return None
    return bucket


def _query(uri: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(uri).query, keep_blank_values=True)
