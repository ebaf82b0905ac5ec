"""`mainstem merge`, `cherry-pick` and `revert`: move changes between branches, all or nothing."""

from enum import StrEnum
from typing import Annotated

import typer

from catalog.cli.arguments import pairs
from catalog.cli.changes import changes_shown, conflicts_shown
from catalog.cli.client import Json
from catalog.cli.commands import Session, change
from catalog.cli.completion import complete_branch, complete_revision
from catalog.cli.failures import ExitCode, Refused
from catalog.cli.output import Paragraph, counted


class Strategy(StrEnum):
    """What to do with a table that changed on both sides."""

    AUTO = "auto"
    FAIL = "fail"
    OURS = "ours"
    THEIRS = "theirs"


Into = Annotated[
    str | None,
    typer.Option(
        "--into",
        metavar="BRANCH",
        help="The branch that changes. (default: the default branch)",
        autocompletion=complete_branch,
        show_default=False,
    ),
]
Message = Annotated[
    str | None,
    typer.Option(
        "--message", "-m", metavar="TEXT", help="The commit's message.", show_default=False
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would happen and change nothing.")
]
ByTable = Annotated[
    list[str] | None,
    typer.Option(
        "--table",
        metavar="NS.TABLE=STRATEGY",
        help="The strategy for one table; may be repeated.",
        show_default=False,
    ),
]


def merge(
    session: Session,
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A branch, or any other revision.",
            autocompletion=complete_revision,
        ),
    ],
    into: Into = None,
    message: Message = None,
    dry_run: DryRun = False,
    strategy: Annotated[
        Strategy,
        typer.Option(
            help="For tables changed on both sides; `ours` is the side of the branch that changes."
        ),
    ] = Strategy.AUTO,
    table: ByTable = None,
    squash: Annotated[
        bool, typer.Option("--squash", help="One commit without the source as its parent.")
    ] = False,
    metadata: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="May be repeated.", show_default=False),
    ] = None,
    expected_head: Annotated[
        str | None,
        typer.Option(
            metavar="COMMIT", help="Refuse if the branch has moved from here.", show_default=False
        ),
    ] = None,
) -> None:
    """Merge all changes of SOURCE into a branch in one step, or none."""
    target = into or session.default_branch()
    body = {
        "source": source,
        "target": target,
        "message": message,
        "metadata": pairs("--metadata", metadata),
        "strategy": {"default": strategy.value, "tables": _strategies(table)},
        "squash": squash or None,
        "dry_run": dry_run or None,
        "expected_target_head": expected_head,
    }
    _carry_out(session, "merges", body, dry_run=dry_run)


def cherry_pick(
    session: Session,
    commits: Annotated[
        list[str],
        typer.Argument(metavar="COMMIT...", help="In the order in which they are applied."),
    ],
    into: Into = None,
    dry_run: DryRun = False,
) -> None:
    """Apply what single commits changed to a branch, as one commit."""
    target = into or session.default_branch()
    body = {"commit_ids": commits, "target": target, "dry_run": dry_run or None}
    _carry_out(session, "cherry-picks", body, dry_run=dry_run)


def revert(
    session: Session,
    commit: Annotated[
        str,
        typer.Argument(metavar="COMMIT", autocompletion=complete_revision, show_default=False),
    ],
    into: Into = None,
    dry_run: DryRun = False,
) -> None:
    """Undo what a commit changed by a new commit; a merge is undone against its first parent."""
    target = into or session.default_branch()
    body = {"commit_id": commit, "target": target, "dry_run": dry_run or None}
    _carry_out(session, "reverts", body, dry_run=dry_run)


def register(root: typer.Typer) -> None:
    """Add the commands to the application."""
    change(root, "merge")(merge)
    change(root, "cherry-pick")(cherry_pick)
    change(root, "revert")(revert)


def report_conflicts(session: Session, refusal: Refused, target: str) -> None:
    """List all conflicts and say that nothing changed."""
    session.output.answer(refusal.document, conflicts_shown(refusal.conflicts))
    session.output.say(
        f"{counted(len(refusal.conflicts), 'conflict')}: {target} is unchanged. Settle each with "
        "--table NS.TABLE=ours or =theirs, or change the source and merge again."
    )


def _carry_out(session: Session, kind: str, body: Json, *, dry_run: bool) -> None:
    target = body["target"]
    try:
        with session.output.waiting(f"Working on {target}"):
            result = session.post(kind, body=body)
    except Refused as refusal:
        if not refusal.conflicts:
            raise
        report_conflicts(session, refusal, target)
        raise typer.Exit(ExitCode.NO) from refusal
    if result.get("conflicts"):
        report_conflicts(session, Refused(ExitCode.NO, 200, result), target)
        raise typer.Exit(ExitCode.NO)
    closing = _closing(session, result, target, dry_run=dry_run)
    session.output.answer(result, *changes_shown(result["changes"]), closing)


def _closing(session: Session, result: Json, target: str, *, dry_run: bool) -> Paragraph:
    if dry_run:
        return Paragraph("Nothing was changed: this was a dry run.")
    return Paragraph(f"{target} is at {session.output.short(result['commit_id'])}.")


def _strategies(texts: list[str] | None) -> dict[str, str]:
    strategies = pairs("--table", texts) or {}
    for table, name in strategies.items():
        if name not in list(Strategy):
            raise typer.BadParameter(
                f"{name!r} for {table} is none of {', '.join(Strategy)}", param_hint="--table"
            )
    return strategies
