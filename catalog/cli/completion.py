"""Complete the names of branches and tags in the shell; silent when no server answers at once."""

from contextlib import closing

import typer

from catalog.cli.client import Client
from catalog.cli.commands import Session, Shared
from catalog.cli.failures import Failure
from catalog.cli.output import Output

_ANSWER_SECONDS = 1.0
_MOST = 100


def complete_branch(ctx: typer.Context, incomplete: str) -> list[str]:
    """List the branches that begin with what was typed."""
    return _names(ctx, "branches", incomplete)


def complete_tag(ctx: typer.Context, incomplete: str) -> list[str]:
    """List the tags that begin with what was typed."""
    return _names(ctx, "tags", incomplete)


def complete_revision(ctx: typer.Context, incomplete: str) -> list[str]:
    """List the branches and tags that begin with what was typed."""
    return [*_names(ctx, "branches", incomplete), *_names(ctx, "tags", incomplete)]


def _names(ctx: typer.Context, kind: str, prefix: str) -> list[str]:
    shared = _options(ctx)
    client = Client(shared.server, credential=shared.credential, answer_seconds=_ANSWER_SECONDS)
    with closing(client):
        session = Session(client, Output(as_json=True), shared.warehouse)
        try:
            found = session.get(kind, prefix=prefix, limit=_MOST)
        except Failure:
            return []
    return [ref["name"] for ref in found[kind]]


def _options(ctx: typer.Context) -> Shared:
    # No command runs while one is completed, so nothing has collected the options of those above.
    shared = Shared()
    for each in (ctx.find_root(), ctx.parent or ctx, ctx):
        shared = shared.overlaid(
            {name: each.params.get(name) for name in ("server", "warehouse", "credential")}
        )
    return shared
