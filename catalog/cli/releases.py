"""`mainstem release`: the daily release in one command, and the releases that were made."""

from typing import Annotated

import typer

from catalog.cli.commands import Session, change, listing, query
from catalog.cli.completion import complete_branch, complete_revision
from catalog.cli.failures import ExitCode, Failure
from catalog.cli.options import Tag
from catalog.cli.output import Fields, Paragraph, Table, moment
from catalog.cli.release_run import RELEASE, Release
from catalog.cli.release_run import run as run_release
from catalog.cli.tables import tables_at

app = typer.Typer(help="Make releases, list and show them.")

_PREFIX = "release/"


@listing(app)
def list_releases(session: Session) -> None:
    """List releases: tags made by `release run`, and those called release/…."""
    tags = [
        tag
        for tag in session.pages("tags", member="tags")
        if tag["name"].startswith(_PREFIX) or RELEASE in tag["metadata"]
    ]
    short = session.output.short
    rows = [
        (
            tag["name"],
            short(tag["commit_id"]),
            moment(tag["created_at"]),
            tag["message"],
        )
        for tag in tags
    ]
    session.output.answer(
        {"releases": tags},
        Table(("Release", "Commit", "Created", "Message"), rows, empty="No releases yet."),
    )


@change(app, "run")
def run(
    session: Session,
    command: Annotated[
        list[str],
        typer.Argument(metavar="COMMAND", help="After --: what builds and tests the data."),
    ],
    name: Annotated[
        str, typer.Option("--name", metavar="TAG", help="For example release/2026-11-23.")
    ],
    branch: Annotated[
        str,
        typer.Option("--branch", metavar="BRANCH", help="For example ingest/2026-11-23."),
    ],
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="REVISION",
            help="Where the branch begins. (default: --into)",
            autocompletion=complete_revision,
            show_default=False,
        ),
    ] = None,
    into: Annotated[
        str | None,
        typer.Option(
            "--into",
            metavar="BRANCH",
            help="The branch to merge into. (default: the default branch)",
            autocompletion=complete_branch,
            show_default=False,
        ),
    ] = None,
    check_name: Annotated[
        str, typer.Option(metavar="NAME", help="The check that tells the outcome.")
    ] = "release",
    message: Annotated[
        str | None,
        typer.Option(
            "--message", "-m", metavar="TEXT", help="Of the merge and the tag.", show_default=False
        ),
    ] = None,
    details_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Where the check says to read more.", show_default=False),
    ] = None,
    delete_branch: Annotated[
        bool, typer.Option("--delete-branch", help="Delete the branch once it is released.")
    ] = False,
) -> None:
    """Create a branch, run COMMAND on it, merge if it succeeds, and tag the merge.

    If anything fails the target is unchanged and the branch is kept. Run again, it goes on where
    it stopped.
    """
    target = into or session.default_branch()
    release = Release(
        name=name,
        branch=branch,
        start=start or target,
        target=target,
        check=check_name,
        command=tuple(command),
        message=message,
        details_url=details_url,
        delete_branch=delete_branch,
    )
    try:
        document = run_release(session, release)
    except KeyboardInterrupt as interrupt:
        session.output.say("Interrupted. Run the same command again: it goes on from here.")
        raise typer.Exit(ExitCode.INTERRUPTED) from interrupt
    except Failure as failure:
        if failure.exit_code != ExitCode.UNAVAILABLE:
            raise
        sentence = f"{failure.message} Run the same command again: it goes on from here."
        raise Failure(failure.exit_code, sentence, failure.document) from failure
    session.output.answer(document, Paragraph(f"{name} is {document['commit_id']}"))


@query(app, "show")
def show_release(session: Session, name: Tag) -> None:
    """Show a release: its commit, message and number of tables."""
    tag = session.get("tags", name)
    with session.output.waiting(f"Counting the tables of {name}"):
        tables = sum(1 for _ in tables_at(session, tag["commit_id"]))
    session.output.answer(
        {**tag, "tables": tables},
        Fields(
            [
                ("release", tag["name"]),
                ("commit", tag["commit_id"]),
                ("released", moment(tag["created_at"])),
                ("by", tag["created_by"]),
                ("message", tag["message"] or "-"),
                ("tables", f"{tables:,}"),
            ]
        ),
    )


def register(root: typer.Typer) -> None:
    """Add the group to the application."""
    root.add_typer(app, name="release")
