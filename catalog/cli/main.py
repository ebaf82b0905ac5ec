"""The command `mainstem`: one application made of the command groups."""

import sys
from typing import Annotated

import typer

from catalog import __version__
from catalog.cli import (
    blame,
    branches,
    checks,
    diff,
    doctor,
    exports,
    history,
    imports,
    merges,
    protections,
    releases,
    serve,
    sql,
    tags,
    warehouses,
)
from catalog.cli.commands import DEFAULT_SERVER, Shared

app = typer.Typer(
    name="mainstem",
    help="Git's model over all tables of an Apache Iceberg warehouse.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(*, wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"mainstem {__version__}\n")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    *,
    server: Annotated[
        str, typer.Option(metavar="URL", envvar="MAINSTEM_SERVER", help="The server.")
    ] = DEFAULT_SERVER,
    warehouse: Annotated[
        str,
        typer.Option(
            "--warehouse",
            "-w",
            metavar="NAME",
            envvar="MAINSTEM_WAREHOUSE",
            help="The warehouse. (default: the server's)",
            show_default=False,
        ),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    author: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            envvar="MAINSTEM_AUTHOR",
            show_default=False,
            help="Who makes changes. (default: your user name)",
        ),
    ] = None,
    credential: Annotated[
        str,
        typer.Option(
            metavar="ID:SECRET",
            envvar="MAINSTEM_CREDENTIAL",
            show_default=False,
            help="Who you are, where the server asks; better in the environment than here.",
        ),
    ] = "",
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=lambda value: _print_version(wanted=value), is_eager=True
        ),
    ] = False,
) -> None:
    """Take the options that every command shares, when they stand before its name."""
    del version
    ctx.obj = Shared(
        server=server, warehouse=warehouse, as_json=as_json, author=author, credential=credential
    )


for _group in (
    serve,
    branches,
    tags,
    history,
    diff,
    blame,
    merges,
    checks,
    protections,
    warehouses,
    releases,
    sql,
    imports,
    exports,
    doctor,
):
    _group.register(app)


def main() -> None:
    """Run the command line."""
    # A name that the terminal's encoding lacks is shown as `?`, rather than ending the command.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    app()


if __name__ == "__main__":
    main()
