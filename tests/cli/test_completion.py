"""The shell completes commands, options, and the names of branches and tags."""

import os
import subprocess
import sys


def complete(lake, line: str, **environment: str) -> list[str]:
    """Ask as bash does: complete the last word of the line."""
    settings = {
        **lake.environment,
        "_MAINSTEM_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split(" ")) - 1),
        **environment,
    }
    # A person would not wait as long as a busy machine may need.
    script = (
        "import sys; from catalog.cli import completion, main; "
        "completion._ANSWER_SECONDS = 60; sys.argv[0] = 'mainstem'; main.main()"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], env=settings, capture_output=True, text=True, check=False
    )
    assert os.linesep not in result.stderr, result.stderr
    return result.stdout.split()


def test_commands_complete(lake) -> None:
    assert "cherry-pick" in complete(lake, "mainstem ch")


def test_branches_and_tags_complete_from_the_server(branched) -> None:
    branched.ok("tag", "create", "worm", "--at", "main")
    assert set(complete(branched, "mainstem merge wor")) == {"work", "worm"}
    assert complete(branched, "mainstem branch delete wor") == ["work"]
    assert complete(branched, "mainstem tag show wor") == ["worm"]


def test_completion_is_silent_without_a_server(lake) -> None:
    assert complete(lake, "mainstem merge wor", MAINSTEM_SERVER="http://127.0.0.1:1") == []
