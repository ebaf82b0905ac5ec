"""`mainstem protect`: rules on the branches that match a pattern."""

from typing import Annotated

import typer

from catalog.cli.client import Json
from catalog.cli.commands import Session, change, listing, query
from catalog.cli.output import Fields, Paragraph, Table

app = typer.Typer(help="List, set, show and delete protections of branches.")

Pattern = Annotated[
    str, typer.Argument(metavar="PATTERN", help="A branch or a glob, for example release/*.")
]


@listing(app)
def list_protections(session: Session) -> None:
    """List the protections of the warehouse."""
    document = session.get("protections")
    rows = [(each["pattern"], _rules(each)) for each in document["protections"]]
    session.output.answer(
        document, Table(("Pattern", "Rules"), rows, empty="No branch is protected.")
    )


@query(app, "show")
def show_protection(session: Session, pattern: Pattern) -> None:
    """Show the rules of one pattern."""
    rules = session.get("protections", pattern)
    session.output.answer(rules, Fields((("pattern", pattern), ("rules", _rules(rules)))))


@change(app, "set")
def set_protection(
    session: Session,
    pattern: Pattern,
    require_merge: Annotated[
        bool, typer.Option("--require-merge", help="Merges are the only way in.")
    ] = False,
    require_check: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Merge only when this check is green on the source; may be repeated.",
            show_default=False,
        ),
    ] = None,
    require_approvals: Annotated[
        int, typer.Option(metavar="N", min=0, help="How many people must approve.")
    ] = 0,
    forbid_delete: Annotated[
        bool, typer.Option("--forbid-delete", help="The branch cannot be deleted.")
    ] = False,
    forbid_reset: Annotated[
        bool, typer.Option("--forbid-reset", help="The branch cannot be moved by reset.")
    ] = False,
    no_merge_inside_tables: Annotated[
        bool,
        typer.Option(
            "--no-merge-inside-tables", help="A table that both sides changed is a conflict."
        ),
    ] = False,
) -> None:
    """Set the rules of a pattern, in the place of those it had."""
    body = {
        "require_merge": require_merge,
        "required_checks": require_check or [],
        "required_approvals": require_approvals,
        "forbid_delete": forbid_delete,
        "forbid_reset": forbid_reset,
        "merge_inside_tables": not no_merge_inside_tables,
    }
    rules = session.put("protections", pattern, body=body)
    session.output.answer(rules, Paragraph(f"{pattern}: {_rules(rules)}."))


@change(app, "delete")
def delete_protection(session: Session, pattern: Pattern) -> None:
    """Delete the rules of a pattern."""
    session.delete("protections", pattern)
    session.output.answer(
        {"pattern": pattern, "deleted": True}, Paragraph(f"{pattern} has no rules of its own now.")
    )


def register(root: typer.Typer) -> None:
    """Add the group to the application."""
    root.add_typer(app, name="protect")


def _rules(protection: Json) -> str:
    checks = ", ".join(protection["required_checks"])
    approvals = protection["required_approvals"]
    parts = [
        *(["merge only"] if protection["require_merge"] else ()),
        *([f"checks: {checks}"] if checks else ()),
        *([f"approvals: {approvals}"] if approvals else ()),
        *(["no delete"] if protection["forbid_delete"] else ()),
        *(["no reset"] if protection["forbid_reset"] else ()),
        *(["no merging inside tables"] if not protection["merge_inside_tables"] else ()),
    ]
    return "; ".join(parts) or "none"
