"""`mainstem import`: the options; pyiceberg is loaded only when something is to be imported."""

from importlib import import_module
from typing import Annotated

import typer

from catalog.cli.arguments import pairs
from catalog.cli.commands import Session, change
from catalog.cli.completion import complete_branch
from catalog.cli.failures import ExitCode
from catalog.cli.options import DryRun, Message

app = typer.Typer(help="Bring tables in from elsewhere; no data file is copied.")

CatalogName = Annotated[
    str,
    typer.Argument(metavar="NAME", help="A catalog of ~/.pyiceberg.yaml, or any name."),
]
Properties = Annotated[
    list[str] | None,
    typer.Option(
        "--property",
        metavar="KEY=VALUE",
        help="How pyiceberg opens the catalog, for example type=rest; may be repeated.",
        show_default=False,
    ),
]
Patterns = Annotated[
    list[str] | None,
    typer.Option(
        "--table",
        metavar="PATTERN",
        help="Only these, for example features.*; may be repeated. (default: all)",
        show_default=False,
    ),
]
Into = Annotated[
    str | None,
    typer.Option(
        "--branch",
        metavar="BRANCH",
        help="The branch that changes. (default: the default branch)",
        autocompletion=complete_branch,
        show_default=False,
    ),
]


@change(app, "catalog")
def import_catalog(
    session: Session,
    name: CatalogName,
    properties: Properties = None,
    tables: Patterns = None,
    branch: Into = None,
    update: Annotated[
        bool,
        typer.Option("--update", help="Follow tables imported before that have moved on there."),
    ] = False,
    dry_run: DryRun = False,
    message: Message = None,
) -> None:
    """Register the tables and views of another Iceberg catalog, in one commit.

    Their files stay where they are, which must be inside the warehouse's locations.
    """
    # Half a second that no other command should pay.
    running = import_module("catalog.cli.import_run")
    complete = running.import_catalog(
        session,
        name,
        pairs("--property", properties) or {},
        tables or ["*"],
        {"branch": branch, "update": update, "dry_run": dry_run, "message": message},
    )
    if not complete:
        raise typer.Exit(ExitCode.NO)


@change(app, "files")
def import_files(
    session: Session,
    folder: Annotated[
        str,
        typer.Argument(metavar="FOLDER", help="A folder of Parquet files: a path or an address."),
    ],
    table: Annotated[
        str,
        typer.Option("--table", metavar="NAME", help="The table, namespace.name; made if missing."),
    ],
    types: Annotated[
        list[str] | None,
        typer.Option(
            "--partition-type",
            metavar="COLUMN=TYPE",
            help="Type of a column that folders tell: date, int, long, string; may be repeated."
            " (default: as the values are written)",
            show_default=False,
        ),
    ] = None,
    properties: Annotated[
        list[str] | None,
        typer.Option(
            "--property",
            metavar="KEY=VALUE",
            help="How the folder's store is reached, for example s3.endpoint=…; may be repeated.",
            show_default=False,
        ),
    ] = None,
    branch: Into = None,
    dry_run: DryRun = False,
    message: Message = None,
) -> None:
    """Make a folder of Parquet files a table, or add its new files to it, in one commit.

    The files stay where they are. A folder named column=value partitions the table.
    """
    running = import_module("catalog.cli.import_files_run")
    complete = running.import_files(
        session,
        folder,
        table.split("."),
        types=pairs("--partition-type", types) or {},
        properties=pairs("--property", properties) or {},
        branch=branch,
        dry_run=dry_run,
        message=message,
    )
    if not complete:
        raise typer.Exit(ExitCode.NO)


def register(root: typer.Typer) -> None:
    """Add the group to the application."""
    root.add_typer(app, name="import")
