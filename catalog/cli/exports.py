"""`mainstem export`: the options; pyiceberg is loaded only when something is to be exported."""

from importlib import import_module
from typing import Annotated

import typer

from catalog.cli.arguments import pairs
from catalog.cli.commands import Session, change
from catalog.cli.failures import ExitCode
from catalog.cli.imports import CatalogName, Patterns, Properties
from catalog.cli.options import At, DryRun


def export_catalog(
    session: Session,
    name: CatalogName,
    at: At = None,
    properties: Properties = None,
    tables: Patterns = None,
    update: Annotated[
        bool,
        typer.Option("--update", help="Move tables exported before on to their later state."),
    ] = False,
    dry_run: DryRun = False,
) -> None:
    """Register a revision's tables and views in another Iceberg catalog; no file is copied."""
    # Half a second that no other command should pay.
    running = import_module("catalog.cli.export_run")
    complete = running.export_catalog(
        session,
        name,
        at or session.revision or session.default_branch(),
        properties=pairs("--property", properties) or {},
        patterns=tables or ["*"],
        update=update,
        dry_run=dry_run,
    )
    if not complete:
        raise typer.Exit(ExitCode.NO)


def register(root: typer.Typer) -> None:
    """Add the command to the application."""
    change(root, "export")(export_catalog)
