"""The bare HTTP server: the web server that Mainstem runs on, answering files from memory.

What Mainstem takes beyond this is its own.
"""

import socket
import sys
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send


def answer_from(folder: Path) -> ASGIApp:
    """Return an application that answers `/NAME` with the bytes of the file NAME."""
    answers = {}
    for path in folder.iterdir():
        body = path.read_bytes()
        headers = [
            (b"etag", b'"00000000000000000000000000000000"'),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        answers[f"/{path.name}"] = (headers, body)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        headers, body = answers[scope["path"]]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


def main() -> None:
    """Serve on a free port until told to stop."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sys.stdout.write(f"http://127.0.0.1:{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        config = uvicorn.Config(
            answer_from(Path(sys.argv[1])),
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
        )
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
