"""How a command ends that does not succeed: exit codes, and the exception that carries one."""

from enum import IntEnum
from typing import Any


class ExitCode(IntEnum):
    """What a script can rely on; `docs/cli.md` documents each."""

    OK = 0
    NO = 1
    USAGE = 2
    NOT_FOUND = 3
    REFUSED = 4
    UNAVAILABLE = 5
    STATE = 6
    NOT_EXECUTABLE = 126
    NO_SUCH_COMMAND = 127
    INTERRUPTED = 130


class Failure(Exception):
    """End the command with an exit code and one or two sentences that say what to do.

    `document` is what `--json` prints: the server's problem document, or one made of the message.
    """

    def __init__(
        self, exit_code: int, message: str, document: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.message = message
        self.document = document or {"title": "Command failed", "detail": message}


class Unreachable(Failure):
    """The server gave no answer; whether it carried out a change is not known."""

    def __init__(self, message: str) -> None:
        super().__init__(ExitCode.UNAVAILABLE, message)


class Refused(Failure):
    """The server answered with a problem document, or with the conflicts of a merge."""

    def __init__(self, exit_code: int, document: dict[str, Any]) -> None:
        detail = document.get("detail") or document.get("title") or "The server refuses"
        super().__init__(exit_code, str(detail), document)
        self.conflicts: list[dict[str, Any]] = list(document.get("conflicts") or ())
