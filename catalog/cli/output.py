"""What a command prints: tables for a person, plain lines in a pipe, or one JSON document."""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import orjson
from rich.console import Console
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from catalog.cli.client import Json
from catalog.cli.failures import Failure

_SHORT = 10
_STYLES = {
    "added": "green",
    "success": "green",
    "ok": "green",
    "removed": "red",
    "failure": "red",
    "wrong": "red",
    "modified": "yellow",
    "before": "yellow",
    "after": "yellow",
    "pending": "yellow",
    "renamed": "cyan",
}
_KINDS = ("added", "updated", "removed", "modified", "renamed", "unchanged", "left-out")
# Names and messages come from other people: an escape sequence in one must not reach the terminal.
_CONTROL = dict.fromkeys((*range(32), *range(127, 160)), "�")
_IN_BLOCK = {code: mark for code, mark in _CONTROL.items() if code not in (9, 10)}
_IN_CELL = _CONTROL | {9: " ", 10: " ", 13: " "}


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under named columns; in a pipe tab-separated, without the names and never cut."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: frozenset[str] = frozenset()
    """Columns of numbers."""
    empty: str = ""
    """What a person reads when there are no rows."""


@dataclass(frozen=True, slots=True)
class Fields:
    """Names with values, one a line."""

    pairs: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Text, indented by a number of columns."""

    text: str
    indent: int = 0
    style: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence for a person that a pipe does not get."""

    text: str


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Text for a file, printed as it is."""

    text: str


Block = Table | Fields | Paragraph | Note | Verbatim
DRY_RUN = Note("A dry run: nothing was changed.")


class Output:
    """Print answers on standard output and failures on standard error, in the form asked for."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._console = Console(markup=False, emoji=False, highlight=False)
        self._errors = Console(stderr=True, markup=False, emoji=False, highlight=False)

    @property
    def for_person(self) -> bool:
        """Whether somebody looks at a terminal."""
        return self._console.is_terminal and not self.as_json

    def answer(self, document: Json, *blocks: Block) -> None:
        """Print the document as JSON, or the blocks that show it."""
        if self.as_json:
            sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n")
            sys.stdout.flush()
            return
        for block in blocks:
            self._print(block)

    def step(self, text: str, *, style: str = "green", mark: str = "\N{CHECK MARK}") -> None:
        """Tell how far a longer command has come; with JSON on standard error."""
        console = self._errors if self.as_json else self._console
        console.print(Text.assemble((mark, style), " ", _clean(text)), soft_wrap=True)

    def failure(self, failure: Failure) -> None:
        """Say on standard error what went wrong; with JSON print its document as the answer too."""
        if self.as_json:
            self.answer(failure.document)
        self.say(failure.message)

    def say(self, text: str) -> None:
        """Print a sentence on standard error, after the command's name."""
        line = Text.assemble(("mainstem: ", "bold red"), _clean(text))
        self._errors.print(line, soft_wrap=not self._errors.is_terminal)

    @contextmanager
    def waiting(self, text: str) -> Iterator[Callable[[str], None]]:
        """Show a spinner while something takes its time, where a person looks.

        Yields what changes the text beside it.
        """
        if self.is_watched:
            with self._errors.status(_clean(text)) as status:
                yield lambda changed: status.update(_clean(changed))
        else:
            yield lambda changed: None

    @property
    def is_watched(self) -> bool:
        """Whether a spinner is seen."""
        return self.for_person and self._errors.is_terminal

    def short(self, commit_id: str | None) -> str:
        """Abbreviate a commit id for a person; scripts get all of it."""
        text = commit_id or "-"
        return text[:_SHORT] if self.for_person else text

    def _print(self, block: Block) -> None:
        match block:
            case Table():
                self._table(block)
            case Fields():
                self._fields(block)
            case Paragraph():
                text = Text(_clean(block.text), style=block.style)
                padded = Padding(text, (0, 0, 0, block.indent))
                plain = Text("\n").join(
                    Text(" " * block.indent) + line for line in text.split(allow_blank=True)
                )
                self._console.print(
                    padded if self.for_person else plain, soft_wrap=not self.for_person
                )
            case Verbatim():
                sys.stdout.write(block.text)
            case Note():
                if self.for_person:
                    self._console.print(Text(_clean(block.text), style="dim"))

    def _table(self, table: Table) -> None:
        if not self.for_person:
            for row in table.rows:
                sys.stdout.write("\t".join(_cell(value) for value in row) + "\n")
            return
        if not table.rows:
            self._console.print(Text(_clean(table.empty), style="dim"))
            return
        drawn = RichTable(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        for column in table.columns:
            drawn.add_column(
                column, justify="right" if column in table.right else "left", overflow="fold"
            )
        for row in table.rows:
            drawn.add_row(*(Text(_cell(value), style=_STYLES.get(value, "")) for value in row))
        self._console.print(drawn)

    def _fields(self, fields: Fields) -> None:
        if not self.for_person:
            for name, value in fields.pairs:
                sys.stdout.write(f"{_cell(name)}\t{_cell(value)}\n")
            return
        drawn = RichTable(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
        drawn.add_column(style="bold", no_wrap=True)
        drawn.add_column(overflow="fold")
        for name, value in fields.pairs:
            drawn.add_row(name, Text(_cell(value), style=_STYLES.get(value, "")))
        self._console.print(drawn)


def moment(text: str | None) -> str:
    """Shorten an RFC 3339 time in UTC to seconds."""
    return f"{text[:10]} {text[11:19]}Z" if text else "-"


def duration(seconds: float) -> str:
    """Say a time span as people do: `0.4 s`, `12 s`, `3 min 5 s`, `1 h 2 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def counted(number: int, noun: str) -> str:
    """Say a number with its noun: `1 table`, `1,200 tables`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def tallied(noun: str, kinds: Iterable[str]) -> str:
    """Count what there is of each kind: `3 changes: 1 added, 2 modified`."""
    counts = Counter(kinds)
    parts = ", ".join(f"{counts[kind]:,} {kind}" for kind in _KINDS if counts[kind])
    return f"{counted(counts.total(), noun)}: {parts or 'none'}"


def dotted(key: Sequence[str]) -> str:
    """Join the levels of a key as engines write it."""
    return ".".join(key)


def _clean(text: str) -> str:
    return text.translate(_IN_BLOCK)


def _cell(text: str) -> str:
    return text.translate(_IN_CELL)
