"""`mainstem check`: report verdicts on a commit, list them, and ask whether all are green."""

from enum import StrEnum
from typing import Annotated

import typer

from catalog.cli.client import Json
from catalog.cli.commands import Session, change, query
from catalog.cli.failures import ExitCode
from catalog.cli.options import Revision
from catalog.cli.output import Paragraph, Table, moment

app = typer.Typer(help="Report, list and verify the checks of a commit.", no_args_is_help=True)


class State(StrEnum):
    """A check's verdict."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"


@query(app, "list")
def list_checks(session: Session, revision: Revision) -> None:
    """List the checks of a commit."""
    document = session.get("commits", revision, "checks")
    session.output.answer(document, _shown(document["checks"]))


@change(app, "report")
def report_check(
    session: Session,
    revision: Revision,
    name: Annotated[str, typer.Argument(metavar="NAME", help="For example dbt.")],
    state: Annotated[State, typer.Argument()],
    summary: Annotated[
        str | None, typer.Option(metavar="TEXT", help="One line of why.", show_default=False)
    ] = None,
    details_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Where to read more.", show_default=False)
    ] = None,
) -> None:
    """Report a verdict on a commit; the newest of a name holds."""
    body = {"name": name, "state": state.value, "summary": summary, "details_url": details_url}
    check = session.post("commits", revision, "checks", body=body)
    session.output.answer(check, Paragraph(f"Check {name} on {revision}: {state.value}."))


@query(app, "verify")
def verify_checks(
    session: Session,
    revision: Revision,
    name: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A check that must be there and green; may be repeated. "
            "(default: all that were reported)",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Say by the exit code whether the checks of a commit are green: 0 yes, 1 no."""
    checks: list[Json] = session.get("commits", revision, "checks")["checks"]
    states = {check["name"]: check["state"] for check in checks}
    wanted = list(name or states)
    missing = [each for each in wanted if each not in states]
    not_green = [each for each in wanted if states.get(each, State.SUCCESS) != State.SUCCESS]
    verified = bool(wanted) and not missing and not not_green
    session.output.answer(
        {"verified": verified, "missing": missing, "not_green": not_green, "checks": checks},
        _shown(checks),
    )
    if not verified:
        session.output.say(f"{revision} is not green: {_reason(missing, not_green)}.")
        raise typer.Exit(ExitCode.NO)


def register(root: typer.Typer) -> None:
    """Add the group to the application."""
    root.add_typer(app, name="check")


def _shown(checks: list[Json]) -> Table:
    rows = [
        (
            check["state"],
            check["name"],
            moment(check["at"]),
            check["summary"],
        )
        for check in checks
    ]
    return Table(("State", "Check", "Reported", "Summary"), rows, empty="No checks were reported.")


def _reason(missing: list[str], not_green: list[str]) -> str:
    parts = [
        *([f"no verdict of {', '.join(missing)}"] if missing else ()),
        *([f"no success of {', '.join(not_green)}"] if not_green else ()),
    ]
    return " and ".join(parts) or "no check was reported"
