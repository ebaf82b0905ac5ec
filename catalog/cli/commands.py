"""Register commands with the options that all of them share, and run each inside a session."""

import getpass
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Any

import typer

from catalog.cli.client import Client, Json, Query
from catalog.cli.failures import Failure
from catalog.cli.output import Output

DEFAULT_SERVER = "http://127.0.0.1:8181"

Command = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Shared:
    """The options that every command takes, after the command's name or before it."""

    server: str = DEFAULT_SERVER
    warehouse: str = ""
    as_json: bool = False
    author: str | None = None
    credential: str = ""

    def overlaid(self, given: dict[str, Any]) -> "Shared":
        """Return these options with what was given nearer to the command in their place."""
        return replace(self, **{name: value for name, value in given.items() if value})


@dataclass(frozen=True)
class Session:
    """What a command works with: the server, one warehouse of it, and the output.

    `addressed` is what `--warehouse` says: empty, a name, or `lake@revision` as engines take it.
    """

    client: Client
    output: Output
    addressed: str

    @cached_property
    def warehouse(self) -> str:
        """The warehouse that was named, or else the server's default one."""
        named = self.addressed.partition("@")[0]
        return named or str(self.client.get("server")["default_warehouse"])

    @property
    def revision(self) -> str | None:
        """The revision beside the warehouse, if there was one."""
        return self.addressed.partition("@")[2] or None

    def iceberg(self, revision: str) -> dict[str, str]:
        """Return what pyiceberg opens a revision of the warehouse with."""
        return self.client.iceberg(self.warehouse, revision)

    def get(self, *segments: str, **query: Query) -> Json:
        """Read a document of the warehouse."""
        return self.client.get("warehouses", self.warehouse, *segments, **query)

    def post(self, *segments: str, body: Json) -> Json:
        """Send a document to the warehouse."""
        return self.client.post("warehouses", self.warehouse, *segments, body=body)

    def post_watched(self, *segments: str, body: Json, watch: Callable[[Json], None]) -> Json:
        """Send a document to the warehouse, and tell `watch` how far it has come."""
        return self.client.post_watched(
            "warehouses", self.warehouse, *segments, body=body, watch=watch
        )

    def put(self, *segments: str, body: Json) -> Json:
        """Replace a document of the warehouse."""
        return self.client.put("warehouses", self.warehouse, *segments, body=body)

    def delete(self, *segments: str) -> Json:
        """Delete a document of the warehouse."""
        return self.client.delete("warehouses", self.warehouse, *segments)

    def pages(
        self, *segments: str, member: str, limit: int | None = None, **query: Query
    ) -> Iterator[Json]:
        """Read a paged list of the warehouse lazily."""
        return self.client.pages(
            "warehouses", self.warehouse, *segments, member=member, limit=limit, **query
        )

    def default_branch(self) -> str:
        """Ask for the branch that changes go into when none is named."""
        return str(self.get()["default_branch"])


def _option(name: str, kind: Any, info: Any, default: Any = None) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, info]
    )


_SHARED = (
    _option(
        "server",
        str | None,
        typer.Option(
            metavar="URL",
            show_default=False,
            help=f"The server. (MAINSTEM_SERVER, default {DEFAULT_SERVER})",
        ),
    ),
    _option(
        "warehouse",
        str | None,
        typer.Option(
            "--warehouse",
            "-w",
            metavar="NAME",
            show_default=False,
            help="The warehouse. (MAINSTEM_WAREHOUSE, default the server's)",
        ),
    ),
    _option(
        "as_json", bool, typer.Option("--json", help="Print one JSON document."), default=False
    ),
)
_AUTHOR = _option(
    "author",
    str | None,
    typer.Option(
        metavar="NAME",
        show_default=False,
        help="Who makes the change. (MAINSTEM_AUTHOR, default your user name)",
    ),
)
_CONTEXT = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)


def query(app: typer.Typer, name: str, **settings: Any) -> Callable[[Command], Command]:
    """Register a command that only reads; its function takes the Session first."""
    return _registered(app.command(name, **settings), _SHARED)


def change(app: typer.Typer, name: str, **settings: Any) -> Callable[[Command], Command]:
    """Register a command that changes something; it takes `--author` besides."""
    return _registered(app.command(name, **settings), (*_SHARED, _AUTHOR))


def alone(app: typer.Typer) -> Callable[[Command], Command]:
    """Register what a group does when its name stands alone; the function takes the Session."""

    def register(function: Command) -> Command:
        def bare(ctx: typer.Context, **given: Any) -> None:
            ctx.obj = _shared(ctx).overlaid(given)
            if ctx.invoked_subcommand is None:
                with _session(ctx.obj) as session:
                    function(session)

        _describe(bare, [_CONTEXT, *_SHARED, _AUTHOR], doc=app.info.help)
        app.callback(invoke_without_command=True)(bare)
        return function

    return register


def listing(app: typer.Typer) -> Callable[[Command], Command]:
    """Register a group's `list` command, which also runs when the group's name stands alone."""
    return lambda function: query(app, "list")(alone(app)(function))


def _registered(
    register: Callable[[Command], Command], options: tuple[inspect.Parameter, ...]
) -> Callable[[Command], Command]:
    # Typer reads a command's options from its signature, so the shared ones are added there.
    def decorate(function: Command) -> Command:
        def run(ctx: typer.Context, **given: Any) -> None:
            shared = {option.name: given.pop(option.name) for option in options}
            with _session(_shared(ctx).overlaid(shared)) as session:
                function(session, **given)

        own = list(inspect.signature(function).parameters.values())[1:]
        keyword_only = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own]
        _describe(run, [_CONTEXT, *keyword_only, *options], doc=function.__doc__)
        register(run)
        return function

    return decorate


def _describe(function: Any, parameters: list[inspect.Parameter], *, doc: Any) -> None:
    function.__signature__ = inspect.Signature(parameters)
    # Lines of a docstring end where the source's do; a terminal has another width.
    paragraphs = inspect.cleandoc(doc).split("\n\n")
    function.__doc__ = "\n\n".join(" ".join(each.split()) for each in paragraphs)


def _shared(ctx: typer.Context) -> Shared:
    return ctx.obj if isinstance(ctx.obj, Shared) else Shared()


@contextmanager
def _session(shared: Shared) -> Iterator[Session]:
    output = Output(as_json=shared.as_json)
    client = Client(
        shared.server, author=shared.author or user_name(), credential=shared.credential
    )
    try:
        yield Session(client, output, shared.warehouse)
    except Failure as failure:
        output.failure(failure)
        raise typer.Exit(failure.exit_code) from failure
    finally:
        client.close()


def user_name() -> str | None:
    """Return the name of the user of this machine, or None where it has none, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None
