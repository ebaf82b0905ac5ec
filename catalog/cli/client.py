"""An HTTP client of the management interface: JSON in and out, problem documents as failures."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import quote

import httpx
import orjson

from catalog.cli.credential import Credential
from catalog.cli.failures import ExitCode, Failure, Refused, Unreachable

Json = dict[str, Any]
Query = str | int | bool | None

_CONNECT_SECONDS = 5.0
# A merge of many tables may rewrite manifests on a slow object store before it answers.
_ANSWER_SECONDS = 600.0
_PAGE = 1000
_LINES = "application/x-ndjson"
_EXIT_CODES = {
    401: ExitCode.REFUSED,
    403: ExitCode.REFUSED,
    404: ExitCode.NOT_FOUND,
    409: ExitCode.STATE,
}


class Client:
    """One server's management interface; close it after use.

    Path segments are given one by one and percent-encoded here, so that a branch named
    `ingest/2026-11-23` needs no care by callers.
    """

    def __init__(
        self,
        server: str,
        *,
        author: str | None = None,
        credential: str = "",
        answer_seconds: float = _ANSWER_SECONDS,
    ) -> None:
        self.server = server.rstrip("/")
        self.author = author or ""
        self.credential = credential
        # Bytes, because httpx takes text in headers as ASCII and people's names are not.
        headers = {b"X-Mainstem-Author": author.encode()} if author else {}
        timeout = httpx.Timeout(answer_seconds, connect=min(_CONNECT_SECONDS, answer_seconds))
        # A proxy from the environment never stands between us and this machine itself.
        direct = dict.fromkeys(("all://127.0.0.1", "all://localhost", "all://[::1]"))
        auth = Credential(self.server, credential) if credential else None
        self._http = httpx.Client(headers=headers, timeout=timeout, mounts=direct, auth=auth)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def iceberg(self, warehouse: str, revision: str) -> dict[str, str]:
        """Return what pyiceberg opens a revision of a warehouse with, as this client's caller."""
        uri = f"{self.server}/iceberg"
        found = {"type": "rest", "uri": uri, "warehouse": f"{warehouse}@{revision}"}
        if self.credential:
            found["credential"] = self.credential
            found["oauth2-server-uri"] = f"{uri}/v1/oauth/tokens"
        if self.author:
            # The HTTP library takes text as Latin-1, and the header is UTF-8.
            found["header.X-Mainstem-Author"] = self.author.encode().decode("latin-1")
        return found

    def get(self, *segments: str, **query: Query) -> Json:
        """Read one document; members of `query` that are None or empty are left out."""
        return self._request("GET", segments, query=query)

    def get_iceberg(self, *segments: str, **query: Query) -> Json:
        """Read a document of the Iceberg REST interface, as engines do."""
        path = "/".join(quote(segment, safe="") for segment in segments)
        parameters = {name: value for name, value in query.items() if value}
        return self._document(
            self._send("GET", f"{self.server}/iceberg/v1/{path}", params=parameters)
        )

    def post(self, *segments: str, body: Json) -> Json:
        """Create or carry out what `body` says; its None members are left out."""
        return self._request("POST", segments, body=body)

    def post_watched(self, *segments: str, body: Json, watch: Callable[[Json], None]) -> Json:
        """Carry out what `body` says, as `post` does, and tell `watch` how far it has come."""
        with closing(self._lines(segments, body)) as lines:
            for line in lines:
                if "status" in line:
                    return _judged(line["status"], line["body"])
                watch(line)
        raise _unreachable(self.server, httpx.RemoteProtocolError("it broke off"))

    def put(self, *segments: str, body: Json) -> Json:
        """Replace a document."""
        return self._request("PUT", segments, body=body)

    def patch(self, *segments: str, body: Json) -> Json:
        """Change members of a document."""
        return self._request("PATCH", segments, body=body)

    def delete(self, *segments: str) -> Json:
        """Delete what the path names."""
        return self._request("DELETE", segments)

    def pages(
        self, *segments: str, member: str, limit: int | None = None, **query: Query
    ) -> Iterator[Json]:
        """Read a paged list lazily, `limit` items at most, whatever number of requests it takes."""
        token: str | None = None
        left = limit
        while left is None or left > 0:
            size = _PAGE if left is None else min(left, _PAGE)
            page = self.get(*segments, **query, limit=size, page_token=token)
            yield from page[member]
            token = page.get("next_page_token")
            if not token:
                return
            left = None if left is None else left - len(page[member])

    def _request(
        self,
        method: str,
        segments: tuple[str, ...],
        *,
        query: dict[str, Query] | None = None,
        body: Json | None = None,
    ) -> Json:
        parameters = {name: value for name, value in (query or {}).items() if value or value == 0}
        content = None if body is None else orjson.dumps(without_none(body))
        headers = {} if content is None else {"Content-Type": "application/json"}
        url = self._url(segments)
        return self._document(
            self._send(method, url, params=parameters, content=content, headers=headers)
        )

    def _url(self, segments: tuple[str, ...]) -> str:
        path = "/".join(quote(segment, safe="") for segment in segments)
        return f"{self.server}/api/v1/{path}"

    def _send(self, method: str, url: str, **request: Any) -> httpx.Response:
        with self._reaching():
            return self._http.request(method, url, **request)

    def _lines(self, segments: tuple[str, ...], body: Json) -> Generator[Json]:
        """Send a request and yield the lines of its answer as they come."""
        headers = {"Content-Type": "application/json", "Accept": _LINES}
        content = orjson.dumps(without_none(body))
        with (
            self._reaching(),
            self._http.stream(
                "POST", self._url(segments), content=content, headers=headers
            ) as response,
        ):
            if response.headers.get("content-type", "").startswith(_LINES):
                yield from map(orjson.loads, response.iter_lines())
            else:
                response.read()
                yield {"status": 200, "body": self._document(response)}

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        """Fail with a sentence where the server cannot be reached."""
        try:
            yield
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise Failure(
                ExitCode.USAGE,
                f"{self.server!r} is not the address of a server ({error}); "
                "write --server http://host:8181",
            ) from error
        except httpx.TransportError as error:
            raise _unreachable(self.server, error) from error

    def _document(self, response: httpx.Response) -> Json:
        if response.status_code == httpx.codes.NO_CONTENT or not response.content:
            document: object = {}
        else:
            document = _parse(response.content)
        if response.is_success and isinstance(document, dict):
            return document
        status = response.status_code
        kind = response.headers.get("content-type", "")
        if isinstance(document, dict) and kind.startswith("application/problem+json"):
            return _judged(status, document)
        if isinstance(document, dict) and isinstance(document.get("error"), dict):
            problem = {"detail": document["error"].get("message"), "status": status}
            raise Refused(_exit_code(status, problem), problem)
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise Unreachable(
                f"A proxy before {self.server}, or the server, fails (HTTP status {status})."
            )
        raise Failure(
            ExitCode.UNAVAILABLE,
            f"What answers at {self.server} is not a Mainstem server (HTTP status {status}); "
            "check --server and MAINSTEM_SERVER.",
        )


def _judged(status: int, document: Json) -> Json:
    if not httpx.codes.is_success(status):
        raise Refused(_exit_code(status, document), document)
    return document


def without_none(body: Json) -> Json:
    """Leave out the members that were not given, so that the server's defaults hold."""
    return {name: value for name, value in body.items() if value is not None}


def _parse(content: bytes) -> object:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return None


def _exit_code(status: int, document: Json) -> ExitCode:
    if document.get("conflicts"):
        return ExitCode.NO
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return ExitCode.UNAVAILABLE
    return _EXIT_CODES.get(status, ExitCode.USAGE)


def _unreachable(server: str, error: httpx.TransportError) -> Unreachable:
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return Unreachable(
            f"No server answers at {server}. Start one with `mainstem serve`, or name another "
            "with --server or MAINSTEM_SERVER."
        )
    return Unreachable(
        f"The server at {server} was reached but gave no answer "
        f"({error or type(error).__name__}). A change may have been carried out or not: "
        "look with `mainstem reflog` before you repeat it."
    )
