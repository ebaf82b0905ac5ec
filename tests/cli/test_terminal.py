"""What a person sees: the commands run at a pseudo-terminal of 80 columns."""

import os
import pty
import re
import struct
import subprocess
import sys
import termios
from fcntl import ioctl

import pytest

from tests.cli.conftest import branch_off

COLUMNS = 80
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def look(lake, *arguments: str, **environment: str) -> str:
    """Run a command at a terminal of 80 columns; give what came to the screen."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    inherited = {name: value for name, value in lake.environment.items() if name != "COLUMNS"}
    process = subprocess.Popen(
        [sys.executable, "-m", "catalog", *arguments],
        env={**inherited, "TERM": "xterm-256color", **environment},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    seen = b""
    try:
        while chunk := os.read(ours, 4096):
            seen += chunk
    except OSError:
        # Linux says so when the last process has closed the terminal.
        pass
    os.close(ours)
    process.wait(timeout=60)
    return seen.decode().replace("\r\n", "\n")


def text(screen: str) -> str:
    return ESCAPE.sub("", screen)


@pytest.fixture(scope="module")
def wide(new_lake, tmp_path_factory):
    """Give names, messages and conflicts longer than a terminal likes, only to be read."""
    branched = branch_off(new_lake(tmp_path_factory.mktemp("wide")))
    long = "slide_texture_worst_per_patient_and_scanner_over_thirty_days"
    branched.ingest("work", long, 123_456_789)
    branched.ok("tag", "create", "release/2026-11-23", "--at", "work", "-m", "word " * 40)
    branched.ok("check", "report", "work", "dbt", "failure", "--summary", "word " * 40)
    branched.ok("protect", "set", "work", "--forbid-delete", "--require-check", "expectations")
    branched.ingest("main", "slides", 1)
    return branched


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["release", "run", "--help"],
        ["branch"],
        ["tag"],
        ["tag", "show", "release/2026-11-23"],
        ["log", "work"],
        ["show", "work"],
        ["diff", "main", "work"],
        ["reflog", "work"],
        ["check", "list", "work"],
        ["protect"],
        ["warehouse"],
        ["merge", "work", "--strategy", "fail"],
        ["release", "list"],
        ["release", "show", "release/2026-11-23"],
        ["doctor"],
    ],
)
def test_no_line_is_wider_than_the_terminal(wide, arguments: list[str]) -> None:
    screen = text(look(wide, *arguments))
    assert screen.strip()
    assert max(len(line) for line in screen.splitlines()) <= COLUMNS


def test_a_person_sees_headers_and_short_ids(lake) -> None:
    screen = text(look(lake, "branch"))
    assert screen.splitlines()[0].split() == ["Branch", "Head", "Created"]
    assert f"{lake.head('main')[:10]} " in screen
    assert lake.head("main")[:11] not in screen


def test_colours_are_at_a_terminal_only_and_not_with_no_color(branched) -> None:
    diff = ("diff", "main", "work")
    assert "\x1b[32madded" in look(branched, *diff)
    assert "\x1b[32m" not in look(branched, *diff, NO_COLOR="1")
    assert "\x1b" not in branched.execute(*diff).stdout


def test_json_at_a_terminal_is_json_alone(lake) -> None:
    screen = look(lake, "branch", "--json")
    assert screen.startswith("{")
    assert "\x1b" not in screen


def test_escape_sequences_of_others_do_not_reach_the_terminal(branched) -> None:
    branched.ingest("work", "more", 1)
    body = {"name": "x", "at": "work", "message": "a\x9b31mb"}
    created = branched.http.post(branched.url("tags"), json=body)
    assert created.status_code == 201, created.text
    assert "\x9b" not in look(branched, "tag")
    assert "\x9b" not in branched.run("tag").stdout
