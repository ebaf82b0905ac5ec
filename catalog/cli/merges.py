"""`mainstem merge`, `cherry-pick` and `revert`: move changes between branches, all or nothing."""

from enum import StrEnum
from typing import Annotated

import typer

from catalog.cli.arguments import pairs
from catalog.cli.changes import changes_shown, conflicts_shown, inside_shown
from catalog.cli.client import Json
from catalog.cli.commands import Session, change
from catalog.cli.completion import complete_branch, complete_revision
from catalog.cli.failures import ExitCode, Refused
from catalog.cli.options import DryRun, Message
from catalog.cli.output import Block, Note, Paragraph, Table, counted, dotted


class Strategy(StrEnum):
    """What to do with a table that changed on both sides."""

    AUTO = "auto"
    FAIL = "fail"
    OURS = "ours"
    THEIRS = "theirs"


class Isolation(StrEnum):
    """How strictly tables are merged inside."""

    SERIALIZABLE = "serializable"
    SNAPSHOT = "snapshot"


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
ByTable = Annotated[
    list[str] | None,
    typer.Option(
        "--table",
        metavar="NS.TABLE=STRATEGY",
        help="The strategy for one table; may be repeated.",
        show_default=False,
    ),
]


StrategyOption = Annotated[
    Strategy,
    typer.Option(
        "--strategy",
        help="For tables changed on both sides; `ours` is the side of the branch that changes.",
    ),
]
IsolationOption = Annotated[
    Isolation | None,
    typer.Option(
        "--isolation",
        help="How strictly tables are merged inside that both sides changed. (default: as each"
        " table's properties say)",
        show_default=False,
    ),
]
Metadata = Annotated[
    list[str] | None,
    typer.Option(
        "--metadata",
        metavar="KEY=VALUE",
        help="Of the commit; may be repeated.",
        show_default=False,
    ),
]
ExpectedHead = Annotated[
    str | None,
    typer.Option(
        "--expected-head",
        metavar="COMMIT",
        help="Refuse if the branch has moved from here.",
        show_default=False,
    ),
]


PlanOption = Annotated[
    str | None,
    typer.Option(
        "--plan",
        metavar="ID",
        help="Do exactly what a dry run said under this id, or refuse.",
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
    strategy: StrategyOption = Strategy.AUTO,
    table: ByTable = None,
    isolation: IsolationOption = None,
    squash: Annotated[
        bool, typer.Option("--squash", help="One commit without the source as its parent.")
    ] = False,
    metadata: Metadata = None,
    expected_head: ExpectedHead = None,
    plan: PlanOption = None,
    unchanged: Annotated[
        list[str] | None,
        typer.Option(
            "--unchanged",
            metavar="NS.TABLE",
            help="Refuse if the branch has changed this table, which SOURCE read; may be repeated.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Merge all changes of SOURCE into a branch in one step, or none."""
    body = {
        **_common(message, strategy, table, metadata, expected_head, plan),
        "source": source,
        "isolation": isolation,
        "squash": squash,
        "unchanged": unchanged or [],
    }
    _carry_out(session, "merges", body, into=into, dry_run=dry_run)


def cherry_pick(
    session: Session,
    commits: Annotated[
        list[str],
        typer.Argument(metavar="COMMIT", help="One or more, in the order of their application."),
    ],
    into: Into = None,
    message: Message = None,
    dry_run: DryRun = False,
    strategy: StrategyOption = Strategy.AUTO,
    table: ByTable = None,
    isolation: IsolationOption = None,
    metadata: Metadata = None,
    expected_head: ExpectedHead = None,
    plan: PlanOption = None,
) -> None:
    """Apply what single commits changed to a branch, as one commit."""
    common = _common(message, strategy, table, metadata, expected_head, plan)
    body = {**common, "commit_ids": commits, "isolation": isolation}
    _carry_out(session, "cherry-picks", body, into=into, dry_run=dry_run)


def revert(
    session: Session,
    commit: Annotated[
        str,
        typer.Argument(metavar="COMMIT", autocompletion=complete_revision, show_default=False),
    ],
    into: Into = None,
    message: Message = None,
    dry_run: DryRun = False,
    strategy: StrategyOption = Strategy.AUTO,
    table: ByTable = None,
    metadata: Metadata = None,
    expected_head: ExpectedHead = None,
    plan: PlanOption = None,
) -> None:
    """Undo what a commit changed by a new commit; a merge is undone against its first parent."""
    common = _common(message, strategy, table, metadata, expected_head, plan)
    body = {**common, "commit_id": commit}
    _carry_out(session, "reverts", body, into=into, dry_run=dry_run)


def register(root: typer.Typer) -> None:
    """Add the commands to the application."""
    change(root, "merge")(merge)
    change(root, "cherry-pick")(cherry_pick)
    change(root, "revert")(revert)


def _common(
    message: str | None,
    strategy: Strategy,
    tables: list[str] | None,
    metadata: list[str] | None,
    expected_head: str | None,
    plan: str | None,
) -> Json:
    return {
        "message": message,
        "metadata": pairs("--metadata", metadata),
        "strategy": {"default": strategy.value, "tables": _strategies(tables)},
        "expected_target_head": expected_head,
        "plan_id": plan,
    }


def _carry_out(session: Session, kind: str, body: Json, *, into: str | None, dry_run: bool) -> None:
    target = into or session.default_branch()
    try:
        result = _asked(session, kind, {**body, "target": target, "dry_run": dry_run})
    except Refused as refusal:
        if not refusal.conflicts:
            raise
        session.output.answer(refusal.document, conflicts_shown(refusal.conflicts))
        session.output.say(
            f"{counted(len(refusal.conflicts), 'conflict')}, so {target} is unchanged. Settle each "
            "with --table NS.TABLE=ours or =theirs, or change the source and try again."
        )
        raise typer.Exit(ExitCode.NO) from refusal
    shown = [
        *changes_shown(result["changes"]),
        *_resolutions(result["resolutions"]),
        *inside_shown(result["outcomes"]),
    ]
    session.output.answer(result, *shown, _closing(session, result, target, dry_run=dry_run))


def _asked(session: Session, kind: str, body: Json) -> Json:
    """Send the request; show how many tables are done where a person looks."""
    waiting = f"Working on {body['target']}"
    if not session.output.is_watched:
        return session.post(kind, body=body)
    with session.output.waiting(waiting) as show:

        def watch(line: Json) -> None:
            last = f", {dotted(line['key'])}" if line["key"] else ""
            show(f"{waiting}: {line['done']:,} of {counted(line['total'], 'table')}{last}")

        return session.post_watched(kind, body=body, watch=watch)


def _resolutions(resolutions: list[Json]) -> tuple[Block, ...]:
    if not resolutions:
        return ()
    rows = [(dotted(each["key"]), each["action"]) for each in resolutions]
    return (Note(""), Table(("Changed on both sides", "Taken"), rows))


def _closing(session: Session, result: Json, target: str, *, dry_run: bool) -> Paragraph:
    if dry_run:
        plan = f" Give --plan {result['plan_id']} to do just this." if result["plan_id"] else ""
        return Paragraph(f"This was a dry run: nothing was changed.{plan}")
    head = session.output.short(result["commit_id"])
    if result["commit_id"] == result["previous_commit_id"]:
        return Paragraph(f"{target} stays at {head}: there was nothing to do.")
    return Paragraph(f"{target} is at {head} now.")


def _strategies(texts: list[str] | None) -> dict[str, str]:
    strategies = pairs("--table", texts) or {}
    for table, name in strategies.items():
        if name not in list(Strategy):
            raise typer.BadParameter(
                f"{name!r} for {table} is none of {', '.join(Strategy)}", param_hint="--table"
            )
    return strategies
