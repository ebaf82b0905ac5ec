"""`mainstem serve`: its options; the server itself is loaded only when it is to run."""

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer


def serve(
    host: Annotated[
        str, typer.Option(metavar="HOST", help="The address to listen on.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="PORT", min=0, max=65535, help="0 takes any free one.")
    ] = 8181,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Database and warehouse, unless they are set. (MAINSTEM_DATA_DIR, .mainstem)",
            show_default=False,
        ),
    ] = None,
    database_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="postgresql+psycopg://… for replicas. (MAINSTEM_DATABASE_URL, SQLite in DIR)",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Run the server until it is told to stop by SIGTERM or Ctrl-C."""
    # The web framework and the database's take a second to load, which no other command should pay.
    serving = import_module("catalog.cli.serving")
    raise typer.Exit(serving.run(host, port, data_dir=data_dir, database_url=database_url))


def register(root: typer.Typer) -> None:
    """Add the command to the application."""
    root.command("serve")(serve)
