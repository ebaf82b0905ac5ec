"""`mainstem log`, `show` and `reflog`: what changed, when and by whom."""

from contextlib import suppress
from typing import Annotated

import typer

from catalog.cli.arguments import time_of
from catalog.cli.changes import changes_shown
from catalog.cli.client import Json, Query
from catalog.cli.commands import Session, query
from catalog.cli.completion import complete_branch, complete_revision
from catalog.cli.details import parts_shown, stat_shown
from catalog.cli.failures import Refused
from catalog.cli.options import Revision
from catalog.cli.output import Block, Fields, Output, Paragraph, Table, moment

_DEFAULT_COUNT = 30
# How the server says that a word is none.
_NO_REVISION = ("no-such-revision", "invalid-input")


Stat = Annotated[
    bool,
    typer.Option("--stat", help="Count rows, files and bytes added to each table and removed."),
]


def log(
    session: Session,
    revision: Annotated[
        str | None,
        typer.Argument(
            metavar="[REVISION]",
            help="Where to begin. (default: the default branch)",
            autocompletion=complete_revision,
            show_default=False,
        ),
    ] = None,
    followed: Annotated[
        str | None,
        typer.Argument(
            metavar="[NS.TABLE]",
            help="Only commits that changed this table, under whatever name.",
            show_default=False,
        ),
    ] = None,
    oneline: Annotated[bool, typer.Option("--oneline", help="One line for each commit.")] = False,
    first_parent: Annotated[
        bool, typer.Option("--first-parent", help="Leave out what came by merges.")
    ] = False,
    table: Annotated[
        str | None,
        typer.Option(metavar="NS.TABLE", help="The same as a second argument.", show_default=False),
    ] = None,
    author: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only commits of this author.", show_default=False),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Not before this time (UTC).", show_default=False),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Not after this time (UTC).", show_default=False),
    ] = None,
    count: Annotated[
        int, typer.Option("--count", "-n", metavar="N", min=1, help="How many at most.")
    ] = _DEFAULT_COUNT,
) -> None:
    """Show commits, newest first; a word that names no revision is taken for a table."""
    wanted: dict[str, Query] = {
        "first_parent": "true" if first_parent else None,
        "author": author,
        "since": time_of("--since", since),
        "until": time_of("--until", until),
    }
    commits = _commits(session, revision, followed or table, count, wanted)
    output = session.output
    if oneline:
        blocks: list[Block] = [
            Paragraph(f"{output.short(commit['commit_id'])} {_subject(commit)}")
            for commit in commits
        ]
    else:
        blocks = [block for commit in commits for block in _commit_shown(output, commit)]
    output.answer({"commits": commits}, *blocks)


def _commits(
    session: Session, revision: str | None, table: str | None, count: int, wanted: dict[str, Query]
) -> list[Json]:
    def listed(ref: str | None, table: str | None) -> list[Json]:
        pages = session.pages(
            "commits", member="commits", limit=count, ref=ref, table=table, **wanted
        )
        return list(pages)

    try:
        return listed(revision or session.revision, table)
    except Refused as refused:
        if (
            revision is None
            or table is not None
            or refused.document.get("code") not in _NO_REVISION
        ):
            raise
        with suppress(Refused):
            if commits := listed(session.revision, revision):
                return commits
        raise


def show(session: Session, revision: Revision, stat: Stat = False) -> None:
    """Show one commit and what it changed."""
    commit = session.get("commits", revision, detail=detailed(session, stat=stat))
    metadata = Fields(list(commit["metadata"].items()))
    session.output.answer(
        commit,
        *_commit_shown(session.output, commit),
        *((metadata, Paragraph("")) if metadata.pairs else ()),
        *changes_blocks(commit, stat=stat),
    )


def detailed(session: Session, *, stat: bool) -> Query:
    """Return whether to ask for details."""
    # A script that reads lines gets none of it, so no metadata is read for one.
    return "true" if stat or session.output.as_json or session.output.for_person else None


def changes_blocks(document: Json, *, stat: bool) -> tuple[Block, ...]:
    """Show what changed, or how much."""
    if stat:
        return stat_shown(document["changes"], document["totals"])
    return (*changes_shown(document["changes"]), *parts_shown(document["changes"]))


def reflog(
    session: Session,
    branch: Annotated[
        str | None,
        typer.Argument(
            metavar="[BRANCH]",
            help="(default: the default branch)",
            autocompletion=complete_branch,
            show_default=False,
        ),
    ] = None,
    count: Annotated[
        int, typer.Option("--count", "-n", metavar="N", min=1, help="How many at most.")
    ] = _DEFAULT_COUNT,
) -> None:
    """Show every move of a branch's head, newest first."""
    entries = list(session.pages("reflog", member="entries", limit=count, branch=branch))
    short = session.output.short
    rows = [
        (
            short(entry["commit_id"]),
            short(entry["previous_commit_id"]),
            moment(entry["at"]),
            entry["operation"],
            entry["by"],
        )
        for entry in entries
    ]
    session.output.answer(
        {"entries": entries},
        Table(("Commit", "Before", "At", "Operation", "By"), rows, empty="Nothing recorded."),
    )


def register(root: typer.Typer) -> None:
    """Add the commands to the application."""
    for name, function in (("log", log), ("show", show), ("reflog", reflog)):
        query(root, name)(function)


def _commit_shown(output: Output, commit: Json) -> tuple[Block, ...]:
    parents = commit["parent_ids"]
    merge = [f"Merge:  {' '.join(output.short(each) for each in parents)}"]
    lines = [
        *(merge if len(parents) > 1 else ()),
        f"Author: {commit['author']}",
        f"Date:   {moment(commit['committed_at'])}",
    ]
    return (
        Paragraph(f"commit {output.short(commit['commit_id'])}", style="yellow"),
        Paragraph("\n".join(lines)),
        Paragraph(""),
        Paragraph(commit["message"], indent=4),
        Paragraph(""),
    )


def _subject(commit: Json) -> str:
    return str(commit["message"]).partition("\n")[0]
