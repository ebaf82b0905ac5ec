"""Run the server in this process: take the port, open the database, say how to connect, serve."""

import logging
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import structlog
import uvicorn

from catalog import __version__
from catalog.api.app import create_app, open_catalog
from catalog.api.authentication import open_identity
from catalog.cli.failures import ExitCode
from catalog.cli.output import Output
from catalog.errors import CatalogError, InvalidInput
from catalog.settings import Settings, settings_from

_BACKLOG = 2048
# Who listens on every address can at least be reached from the machine itself by these.
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}
_SECONDS_FOR_OPEN_REQUESTS = 10


def run(host: str, port: int, *, data_dir: Path | None, database_url: str | None) -> int:
    """Serve until told to stop; return the exit code."""
    output = Output(as_json=False)
    try:
        settings = settings_from(_environment(data_dir, database_url))
        open_identity(settings)
        listener = _listen(host, port)
    except InvalidInput as error:
        output.say(error.message)
        return ExitCode.USAGE
    except OSError as error:
        output.say(
            f"Cannot listen on {host} port {port}: {error.strerror}. "
            "Stop what uses it, or choose another with --port."
        )
        return ExitCode.NO
    with listener:
        try:
            if not settings.database_url:
                settings.data_dir.mkdir(parents=True, exist_ok=True)
            # Once outside the server, so that a fault is one sentence rather than its traceback.
            open_catalog(settings).engine.dispose()
        except (CatalogError, OSError) as error:
            output.say(f"Cannot start: {error}")
            return ExitCode.UNAVAILABLE
        _log_to_stderr(settings.log_level)
        server = _server(settings)
        _announce(_address(host, listener), settings)
        server.run(sockets=[listener])
        return ExitCode.OK if server.started else ExitCode.UNAVAILABLE


def _environment(data_dir: Path | None, database_url: str | None) -> dict[str, str]:
    given = {
        "MAINSTEM_DATA_DIR": str(data_dir) if data_dir else None,
        "MAINSTEM_DATABASE_URL": database_url,
    }
    return {**os.environ, **{name: value for name, value in given.items() if value}}


def _listen(host: str, port: int) -> socket.socket:
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


def _address(host: str, listener: socket.socket) -> str:
    port = listener.getsockname()[1]
    host = _LOOPBACK.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _announce(address: str, settings: Settings) -> None:
    # Clients that connect from here on wait in the socket's backlog for the moment that is left.
    name = settings.default_warehouse
    warehouse = f"{name}@{settings.default_branch}"
    uri = f"{address}/iceberg"
    lines = (
        f"Mainstem {__version__} serves {address}",
        f'pyiceberg  load_catalog("{name}", type="rest", uri="{uri}", warehouse="{warehouse}")',
        f"DuckDB     ATTACH '{warehouse}' AS {name} "
        f"(TYPE iceberg, ENDPOINT '{uri}', AUTHORIZATION_TYPE 'none');",
        f"Spark      mainstem --server {address} doctor spark-conf "
        f"--branch {settings.default_branch}",
    )
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _server(settings: Settings) -> uvicorn.Server:
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(settings),
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_SECONDS_FOR_OPEN_REQUESTS,
        )
    )

    def stop(*_: object) -> None:
        server.should_exit = True

    # Once the address is told, whoever read it may stop us, also before uvicorn listens to signals.
    # It raises the signal that stopped it once more at its end; a stop that was asked for is no
    # failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return server


def _log_to_stderr(level: str) -> None:
    number = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(stream=sys.stderr, level=max(number, logging.WARNING))
    renderer: Any = (
        # Another formatter would warn of each traceback that is text already.
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
