"""Show what changed within tables, views and namespaces: columns and properties, rows and files."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson

from catalog.cli.client import Json
from catalog.cli.output import Block, Note, Paragraph, Table, counted, dotted

_MARKS = {"added": "+", "removed": "-", "modified": "~"}
_STYLES = {"added": "green", "removed": "red", "modified": "yellow"}
# The data has its own columns.
_UNTOLD = {"snapshot"}
_LONG = 100
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def parts_shown(changes: Sequence[Json]) -> tuple[Block, ...]:
    """Show the changed parts of what stayed; of what came or went its name says enough."""
    return tuple(block for change in changes for block in _parts_of(change))


def stat_shown(changes: Sequence[Json], totals: Json) -> tuple[Block, ...]:
    """Show what was added to each table and removed from it, and in all."""
    rows = [
        (dotted(change["key"]), *_stat(change["detail"]["data"]))
        for change in changes
        if (change.get("detail") or {}).get("data")
    ]
    columns = ("Table", "Rows", "Files", "Size", "Snapshots", "Counted by")
    numbers = frozenset({"Rows", "Files", "Size", "Snapshots"})
    table = Table(columns, rows, right=numbers, empty="No table differs.")
    return (table, Note(_in_all(totals))) if rows else (table,)


def _parts_of(change: Json) -> Iterator[Block]:
    detail = change.get("detail") or {}
    if "unreadable" in detail:
        yield Paragraph("")
        yield Paragraph(dotted(change["key"]))
        yield Paragraph(f"cannot be told: {detail['unreadable']}", indent=2, style="red")
        return
    if change["change"] not in ("modified", "renamed"):
        return
    parts = [each for each in _topmost(detail.get("parts") or []) if each["part"] not in _UNTOLD]
    if not parts:
        return
    yield Paragraph("")
    yield Paragraph(dotted(change["key"]))
    for part in parts:
        yield Paragraph(_part(part), indent=2, style=_STYLES[part["change"]])


def _topmost(parts: Sequence[Json]) -> Iterator[Json]:
    """Leave out the columns within one that came or went as a whole."""
    whole: list[str] = []
    for part in parts:
        if part["part"] == "column" and part["change"] != "modified":
            if any(part["name"].startswith(f"{name}.") for name in whole):
                continue
            whole.append(part["name"])
        yield part


def part_text(kind: str, name: str, value: object) -> tuple[str, str]:
    """Return what people call a part, and its value in a line."""
    return _label(kind, name), _SHOWN.get(kind, _text)(value)


def _label(kind: str, name: str) -> str:
    spaced = kind.replace("-", " ")
    return spaced if name == kind else f"{spaced} {name}"


def _part(part: Json) -> str:
    label = _label(part["part"], part["name"])
    before, after = part.get("from"), part.get("to")
    shown = _SHOWN.get(part["part"], _text)
    match part["change"]:
        case "added":
            told = shown(after)
        case "removed":
            told = shown(before)
        case _ if part["part"] == "column":
            told = _column_changed(part)
        case _:
            told = f"{shown(before)} -> {shown(after)}"
    return f"{_MARKS[part['change']]} {label}: {told}"


def _column(value: Json) -> str:
    return f"{value['type']}{' required' if value['required'] else ''}"


def _column_changed(part: Json) -> str:
    before, after = part["from"], part["to"]
    return ", ".join(_aspect(aspect, before, after) for aspect in part["aspects"])


def _aspect(aspect: str, before: Json, after: Json) -> str:
    match aspect:
        case "renamed":
            return f"was called {before['name']}"
        case "type":
            return f"{before['type']} -> {after['type']}"
        case "required":
            return "required now" if after["required"] else "optional now"
        case "doc":
            return f"doc {_text(before.get('doc'))} -> {_text(after.get('doc'))}"
        case _:
            return "another default"


def _fields(value: Sequence[Json]) -> str:
    return ", ".join(_field(each) for each in value) if value else "none"


def _field(field: Json) -> str:
    source = ", ".join(field["sources"])
    transform = field["transform"]
    if transform == "identity":
        text = source
    elif transform.endswith("]"):
        name, _, width = transform.removesuffix("]").partition("[")
        text = f"{name}({width}, {source})"
    else:
        text = f"{transform}({source})"
    return f"{text} {field['direction']}" if "direction" in field else text


def _names(value: Sequence[str]) -> str:
    return ", ".join(value) if value else "none"


_SHOWN: dict[str, Callable[[Any], str]] = {
    "column": _column,
    "partition-spec": _fields,
    "sort-order": _fields,
    "identifier-fields": _names,
}


def _text(value: object) -> str:
    if value is None:
        return "none"
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    line = " ".join(text.split())
    return line if len(line) <= _LONG else f"{line[: _LONG - 1]}…"


def _stat(data: Json) -> tuple[str, ...]:
    snapshots = f"+{data['snapshots_added']}" if data["snapshots_added"] else ""
    if data["snapshots_removed"]:
        snapshots = f"-{data['snapshots_removed']}"
    if "rows_added" not in data:
        difference = data["difference"]
        if difference is None:
            return ("-", "-", "-", snapshots, "unknown")
        signed = (f"{difference[name]:+,}" for name in ("rows", "files"))
        return (*signed, _signed_size(difference["bytes"]), snapshots, "difference")
    about = "" if data["exact"] else "about "
    return (
        about + _moved(data["rows_added"], data["rows_removed"]),
        _moved(data["files_added"], data["files_removed"]),
        _sizes(data["bytes_added"], data["bytes_removed"]),
        snapshots,
        data["basis"],
    )


def _moved(added: int, removed: int) -> str:
    return " ".join(
        f"{sign}{number:,}" for sign, number in (("+", added), ("-", removed)) if number
    )


def _sizes(added: int, removed: int) -> str:
    return " ".join(
        f"{sign}{_size(number)}" for sign, number in (("+", added), ("-", removed)) if number
    )


def _signed_size(number: int) -> str:
    return f"{'-' if number < 0 else '+'}{_size(abs(number))}"


def _size(number: float) -> str:
    for unit in _UNITS[:-1]:
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" or number >= 10 else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} {_UNITS[-1]}"


def _in_all(totals: Json) -> str:
    moved = _moved(totals["rows_added"], totals["rows_removed"]) or "0"
    files = _moved(totals["files_added"], totals["files_removed"]) or "0"
    size = _sizes(totals["bytes_added"], totals["bytes_removed"]) or "0 B"
    text = f"{counted(totals['tables'], 'table')}: {moved} rows, {files} files, {size}"
    others = totals["by_difference"]
    if others["tables"]:
        text += (
            f"; besides, {counted(others['tables'], 'table')} of which only the difference is"
            f" known: {others['rows']:+,} rows"
        )
    for name, said in (("unreadable", "cannot be read"), ("left_out", "are left out")):
        if totals[name]:
            text += f"; {totals[name]:,} {said}"
    return text
