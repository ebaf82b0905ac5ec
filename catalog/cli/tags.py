"""`mainstem tag`: list, create, show and delete tags."""

from typing import Annotated

import typer

from catalog.cli.arguments import pairs
from catalog.cli.commands import Session, change, listing, query
from catalog.cli.completion import complete_revision
from catalog.cli.options import Tag
from catalog.cli.output import Fields, Paragraph, Table, moment

app = typer.Typer(help="List, create, show and delete tags.")


@listing(app)
def list_tags(
    session: Session,
    prefix: Annotated[
        str, typer.Option(metavar="TEXT", help="Only names that begin so.", show_default=False)
    ] = "",
) -> None:
    """List tags by name."""
    tags = list(session.pages("tags", member="tags", prefix=prefix))
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
        {"tags": tags}, Table(("Tag", "Commit", "Created", "Message"), rows, empty="No such tags.")
    )


@change(app, "create")
def create_tag(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    at: Annotated[
        str | None,
        typer.Option(
            metavar="REVISION",
            help="What it names. (default: the default branch)",
            autocompletion=complete_revision,
            show_default=False,
        ),
    ] = None,
    message: Annotated[
        str | None, typer.Option("--message", "-m", metavar="TEXT", show_default=False)
    ] = None,
    metadata: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="May be repeated.", show_default=False),
    ] = None,
) -> None:
    """Name a commit for ever: a tag never moves."""
    body = {
        "name": name,
        "message": message,
        "metadata": pairs("--metadata", metadata),
        "at": at or session.default_branch(),
    }
    tag = session.post("tags", body=body)
    commit = session.output.short(tag["commit_id"])
    session.output.answer(tag, Paragraph(f"Tag {name} names {commit}."))


@query(app, "show")
def show_tag(session: Session, name: Tag) -> None:
    """Show a tag, its message and its metadata."""
    tag = session.get("tags", name)
    fields = [
        ("tag", tag["name"]),
        ("commit", tag["commit_id"]),
        ("created", moment(tag["created_at"])),
        ("by", tag["created_by"]),
        ("message", tag["message"] or "-"),
        *tag["metadata"].items(),
    ]
    session.output.answer(tag, Fields(fields))


@change(app, "delete")
def delete_tag(session: Session, name: Tag) -> None:
    """Delete a tag; the commit that it named stays."""
    commit = session.get("tags", name)["commit_id"]
    session.delete("tags", name)
    session.output.answer(
        {"name": name, "commit_id": commit, "deleted": True},
        Paragraph(f"Tag {name} is deleted; it named {commit}."),
    )


def register(root: typer.Typer) -> None:
    """Add the group to the application."""
    root.add_typer(app, name="tag")
