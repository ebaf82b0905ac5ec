"""An STS whose credentials run out within seconds, as the object store itself sees it."""

import base64
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl

import botocore.session
import jwt

from tests.services import SIGNING_KEY, ObjectStore

SECONDS = 6
_ANSWER = (
    '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>'
    "<Credentials><AccessKeyId>{AccessKeyId}</AccessKeyId>"
    "<SecretAccessKey>{SecretAccessKey}</SecretAccessKey>"
    "<SessionToken>{SessionToken}</SessionToken><Expiration>{Expiration}</Expiration>"
    "</Credentials></AssumeRoleResult></AssumeRoleResponse>"
)
Credentials = dict[str, str]


@contextmanager
def brief_sts(store: ObjectStore) -> Iterator[tuple[str, list[Credentials]]]:
    """Run one for a while; give its address, and what it has given out so far.

    No store gives out credentials for less than a quarter of an hour. So it asks the store's own
    STS, and signs the session's token once more with an earlier end.
    """
    session = botocore.session.get_session()
    session.set_credentials(store.access_key, store.secret_key)
    client = session.create_client("sts", store.region, endpoint_url=store.endpoint)
    given: list[Credentials] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            asked = {name: value for name, value in parse_qsl(body) if name[0] in "PR"}
            given.append(_shortened(client.assume_role(**asked)["Credentials"]))
            answer = _ANSWER.format(**given[-1]).encode()
            self.send_response(200)
            self.send_header("content-type", "text/xml")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", given
        finally:
            server.shutdown()
            client.close()


def _shortened(credentials: Credentials) -> Credentials:
    key = base64.b64decode(SIGNING_KEY)
    claims = jwt.decode(credentials["SessionToken"], key, ["HS256"])
    end = int(time.time()) + SECONDS
    token = jwt.encode({**claims, "exp": end}, key, "HS256")
    expiration = datetime.fromtimestamp(end, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {**credentials, "SessionToken": token, "Expiration": expiration}
