"""`mainstem doctor`: look at the server as a client does, say what is wrong and how to mend it."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from enum import StrEnum

import typer

from catalog import __version__
from catalog.cli import spark_conf
from catalog.cli.client import Json
from catalog.cli.commands import Session, alone
from catalog.cli.failures import ExitCode, Failure
from catalog.cli.output import Paragraph, Table, counted
from catalog.clock import now, parse_time

app = typer.Typer(help="Look for what is wrong, and say how to mend it.")

# A snapshot whose time lies further ahead of the server's clock than this is refused.
_CLOCK_TOLERANCE = timedelta(seconds=60)


class Verdict(StrEnum):
    """What an examination found."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about one thing, and what to do if it is not well."""

    verdict: Verdict
    subject: str
    detail: str
    remedy: str = ""


@alone(app)
def examine(session: Session) -> None:
    """Examine the server, and end with 1 if something is wrong."""
    with session.output.waiting(f"Examining {session.client.server}"):
        server = session.client.get("server")
        findings = [
            Finding(Verdict.OK, "server", f"{session.client.server} answers"),
            _version(server),
            _clock(server),
            Finding(Verdict.OK, "database", server["database"]),
            *(_examined(subject, session, look) for subject, look in _EXAMINATIONS),
        ]
    wrong = [each for each in findings if each.verdict is Verdict.WRONG]
    remedies = [f"{each.subject}: {each.remedy}" for each in findings if each.remedy]
    session.output.answer(
        {"healthy": not wrong, "findings": [asdict(each) for each in findings]},
        Table(
            ("Verdict", "What", "Found"),
            [(each.verdict.value, each.subject, each.detail) for each in findings],
        ),
        *(Paragraph(remedy) for remedy in remedies),
    )
    if wrong:
        raise typer.Exit(ExitCode.NO)


def register(root: typer.Typer) -> None:
    """Add the group to the application."""
    spark_conf.register(app)
    root.add_typer(app, name="doctor")


def _version(server: Json) -> Finding:
    theirs = server["version"]
    if theirs == __version__:
        return Finding(Verdict.OK, "version", theirs)
    return Finding(
        Verdict.WARNING,
        "version",
        f"the server is {theirs}, this command is {__version__}",
        f"install mainstem {theirs} here, or upgrade the server",
    )


def _clock(server: Json) -> Finding:
    ahead = now() - parse_time(server["time"])
    seconds = round(ahead.total_seconds(), 1)
    if abs(ahead) <= _CLOCK_TOLERANCE:
        return Finding(Verdict.OK, "clock", f"this machine is {seconds:+} s from the server")
    return Finding(
        Verdict.WRONG,
        "clock",
        f"this machine is {seconds:+} s from the server",
        "set both by NTP: commits from a clock that is more than a minute ahead are refused",
    )


def _warehouse(session: Session) -> str:
    warehouse = session.get()
    head = session.get("branches", warehouse["default_branch"])["commit_id"]
    short = session.output.short(head)
    return (
        f"{warehouse['name']} at {warehouse['location']}, {warehouse['default_branch']} at {short}"
    )


def _iceberg(session: Session) -> str:
    config = session.client.get_iceberg("config", warehouse=session.warehouse)
    return f"{session.client.server}/iceberg offers {counted(len(config['endpoints']), 'endpoint')}"


def _writing(session: Session) -> str:
    branch = session.default_branch()
    session.post("merges", body={"source": branch, "target": branch, "dry_run": True})
    return f"a merge of nothing into {branch} was accepted and changed nothing"


_EXAMINATIONS: tuple[tuple[str, Callable[[Session], str]], ...] = (
    ("warehouse", _warehouse),
    ("iceberg", _iceberg),
    ("writing", _writing),
)
_REMEDIES = {
    "warehouse": "name one that exists with -w (see `mainstem warehouse list`), or create it",
    "iceberg": "let a proxy in between pass /iceberg as it passes /api/v1",
    "writing": "let a proxy in between pass POST requests",
}


def _examined(subject: str, session: Session, look: Callable[[Session], str]) -> Finding:
    try:
        return Finding(Verdict.OK, subject, look(session))
    except Failure as failure:
        return Finding(Verdict.WRONG, subject, failure.message, _REMEDIES[subject])
