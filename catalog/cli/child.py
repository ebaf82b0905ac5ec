"""Run the command of a release: its output passed through, signals passed on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

_RELAYED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SIGNAL_BASE = 128


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended; `exit_code` as shells give it, 128 and more for a signal."""

    exit_code: int
    seconds: float
    stopped_by: signal.Signals | None
    """The signal that we received meanwhile, and the command with us."""

    @property
    def succeeded(self) -> bool:
        """Whether the command came to its own good end."""
        return self.exit_code == 0 and self.stopped_by is None


@dataclass(slots=True)
class _Relay:
    """Pass signals on to the command, also one that came before the command had begun."""

    at_keyboard: bool
    process: subprocess.Popen[bytes] | None = None
    received: list[int] = field(default_factory=list)

    def receive(self, number: int, frame: FrameType | None) -> None:
        """Take a signal, as a handler does."""
        del frame
        self.received.append(number)
        if self.process is not None:
            self._pass_on(self.process, number)

    def begin(self, process: subprocess.Popen[bytes]) -> None:
        """Pass on what came so far, and from now on whatever comes."""
        self.process = process
        for number in self.received:
            self._pass_on(process, number)

    def _pass_on(self, process: subprocess.Popen[bytes], number: int) -> None:
        try:
            if not self.at_keyboard:
                os.killpg(process.pid, number)
            elif number == signal.SIGTERM:
                process.send_signal(number)
            # Ctrl-C and hanging up reach every process of the terminal's foreground group, so the
            # command has had it; a second one makes dbt and Spark give up without tidying.
        except ProcessLookupError:
            pass


def run_command(
    command: Sequence[str], environment: Mapping[str, str], *, output_to_stderr: bool
) -> Ended:
    """Run a command to its end, whatever signal comes meanwhile.

    Away from a terminal the command leads a process group of its own, and a signal to us is sent
    to all of it. At a terminal it stays in our group, so that it can read from the keyboard.
    """
    relay = _Relay(at_keyboard=os.isatty(0))
    begun = time.monotonic()
    with _handled(relay):
        process = subprocess.Popen(
            command,
            env=dict(environment),
            stdout=sys.stderr.fileno() if output_to_stderr else None,
            process_group=None if relay.at_keyboard else 0,
        )
        relay.begin(process)
        code = process.wait()
    return Ended(
        exit_code=code if code >= 0 else SIGNAL_BASE - code,
        seconds=time.monotonic() - begun,
        stopped_by=signal.Signals(relay.received[0]) if relay.received else None,
    )


@contextmanager
def _handled(relay: _Relay) -> Iterator[None]:
    before = {number: signal.signal(number, relay.receive) for number in _RELAYED}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
