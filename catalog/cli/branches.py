"""`mainstem branch`: list, create, show and delete branches; `mainstem reset` moves one."""

from typing import Annotated

import typer

from catalog.cli.commands import Session, change, listing, query
from catalog.cli.completion import complete_revision
from catalog.cli.options import Branch
from catalog.cli.output import Fields, Note, Paragraph, Table, moment

app = typer.Typer(help="List, create, show and delete branches.")


@listing(app)
def list_branches(
    session: Session,
    prefix: Annotated[
        str, typer.Option(metavar="TEXT", help="Only names that begin so.", show_default=False)
    ] = "",
) -> None:
    """List branches by name."""
    branches = list(session.pages("branches", member="branches", prefix=prefix))
    short = session.output.short
    rows = [
        (branch["name"], short(branch["commit_id"]), moment(branch["created_at"]))
        for branch in branches
    ]
    session.output.answer(
        {"branches": branches},
        Table(("Branch", "Head", "Created"), rows, empty="No such branches."),
    )


@change(app, "create")
def create_branch(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="REVISION",
            help="Where it begins. (default: the default branch)",
            autocompletion=complete_revision,
            show_default=False,
        ),
    ] = None,
) -> None:
    """Create a branch; it copies nothing, whatever the size of the lake."""
    origin = start or session.default_branch()
    branch = session.post("branches", body={"name": name, "from": origin})
    head = session.output.short(branch["commit_id"])
    session.output.answer(branch, Paragraph(f"Branch {name} begins at {head} ({origin})."))


@query(app, "show")
def show_branch(session: Session, name: Branch) -> None:
    """Show a branch and its head."""
    branch = session.get("branches", name)
    head = session.get("commits", branch["commit_id"])
    fields = Fields(
        (
            ("branch", branch["name"]),
            ("head", branch["commit_id"]),
            ("author", head["author"]),
            ("committed", moment(head["committed_at"])),
            ("message", head["message"]),
        )
    )
    session.output.answer(branch, fields)


@change(app, "delete")
def delete_branch(session: Session, name: Branch) -> None:
    """Delete a branch; its commits stay readable by id, tag and reflog."""
    head = session.get("branches", name)["commit_id"]
    session.delete("branches", name)
    session.output.answer(
        {"name": name, "commit_id": head, "deleted": True},
        Paragraph(f"Branch {name} is deleted; its head was {session.output.short(head)}."),
        Note(f"To have it again: mainstem branch create {name} --from {head}"),
    )


def reset(
    session: Session,
    name: Branch,
    to: Annotated[
        str,
        typer.Option(metavar="REVISION", help="The new head.", autocompletion=complete_revision),
    ],
    expected_head: Annotated[
        str | None,
        typer.Option(
            metavar="COMMIT",
            help="Refuse if the branch is not here any more.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Move a branch to another commit; what it leaves stays in the reflog."""
    branch = session.post(
        "branches", name, "reset", body={"to": to, "expected_head": expected_head}
    )
    head = session.output.short(branch["commit_id"])
    session.output.answer(branch, Paragraph(f"Branch {name} is at {head} now."))


def register(root: typer.Typer) -> None:
    """Add the group and `reset` to the application."""
    root.add_typer(app, name="branch")
    change(root, "reset")(reset)
