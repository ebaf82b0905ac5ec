"""Writes the matrix into docs/merge.md: `python -m tests.engines.merging.page`."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.engines.merging.cases import (
    LEFT_OUT,
    OK,
    REASONS,
    Entry,
    Section,
    Side,
    histories,
    sections,
    words,
)

PAGE = Path(__file__).parents[3] / "docs" / "merge.md"
_PART = re.compile(r"(<!-- matrix -->\n).*(<!-- end of matrix -->)", flags=re.DOTALL)
_TITLES = {
    "rows": "Rows on both sides: {table}",
    "shape-theirs": "Rows by ours, the table itself by theirs",
    "shape-ours": "The table itself by ours, rows by theirs",
    "shapes": "The table itself on both sides",
    "tables": "Whole tables",
    "views": "Views",
}
_FEW = 12


def render() -> str:
    """Return the part of the page."""
    matrices = (line for each in sections() for line in _section(each))
    return "\n".join([*_legend(), *matrices, *_histories(), ""])


def _legend() -> Iterator[str]:
    outcomes = {
        each for section in sections() for entry in section.entries for each in entry.outcomes
    }
    outcomes |= {cell.outcome for cell in histories()}
    used = {word for outcome in outcomes for word in words(outcome)}
    yield "| in a cell | what is so | `reason`, or `code` of a cause |"
    yield "|---|---|---|"
    yield "| ✓ | the merge holds what both did | |"
    yield "| ✓ left out | so it is, but for theirs' rewriting of files, which changes no row | |"
    for word, reason in REASONS.items():
        if word in used:
            yield f"| ✗ {word} | {reason.words} | `{reason.code}` |"
    yield ""


def _section(section: Section) -> Iterator[str]:
    yield f"#### {_TITLES[section.name].format(table=section.table.words)}"
    yield ""
    columns = list(dict.fromkeys(entry.theirs for entry in section.entries))
    yield from _grid(section, len(columns)) if len(columns) <= _FEW else _list(section)
    yield ""


def _grid(section: Section, width: int) -> Iterator[str]:
    """One line for each thing that ours did, one column for each that theirs did."""
    entries = section.entries
    yield f"| ours ↓ theirs → | {' | '.join(each.theirs.words for each in entries[:width])} |"
    yield "|---" * (width + 1) + "|"
    for start in range(0, len(entries), width):
        line = entries[start : start + width]
        yield f"| **{line[0].ours.words}** | {' | '.join(map(_cell, line))} |"


def _list(section: Section) -> Iterator[str]:
    """One line for each thing that ours did that does not go with all that theirs did."""
    columns = list(dict.fromkeys(entry.theirs.words for entry in section.entries))
    lines = list(dict.fromkeys(entry.ours for entry in section.entries))
    yield f"Ours: {'; '.join(each.words for each in lines)}."
    yield f"Theirs: {'; '.join(columns)}."
    yield "Each of the former goes with each of the latter, but for these:"
    yield ""
    yield "| ours | theirs |"
    yield "|---|---|"
    for ours in lines:
        refused = [
            f"{_outcome(each.outcomes[0])}: {each.theirs.words}"
            for each in section.entries
            if each.ours == ours and each.outcomes != (OK,)
        ]
        if refused:
            yield f"| **{ours.words}** | {'<br>'.join(refused)} |"


def _histories() -> Iterator[str]:
    yield "#### Several steps"
    yield ""
    yield "Rows 1 to 5 lie in one partition, 6 to 8 and those above 100 in another."
    yield ""
    yield "| table | ours | theirs | |"
    yield "|---|---|---|---|"
    for cell in histories():
        sides = f"{_told(cell.ours)} | {_told(cell.theirs)}"
        yield f"| {cell.table.name} | {sides} | {_outcome(cell.outcome)} |"


def _told(side: Side) -> str:
    steps = (
        f"{step.operation.words}{f' ({step.place.row})' if step.place.row else ''}"
        for step in side.steps
    )
    return ", then ".join(steps)


def _cell(entry: Entry) -> str:
    return " / ".join(map(_outcome, entry.outcomes))


def _outcome(word: str) -> str:
    return {OK: "✓", LEFT_OUT: "✓ left out"}.get(word) or f"✗ {', '.join(words(word))}"


def written(page: str) -> str:
    """Return the page with the part as it should be."""
    return _PART.sub(lambda found: f"{found[1]}{render()}{found[2]}", page)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
