"""Files, snapshots and tables for judging, made by hand."""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pyiceberg.manifest import DataFileContent

from catalog.iceberg.manifests.entries import Entry
from catalog.iceberg.merging.checks.judge import Histories, Verdict, judge
from catalog.iceberg.merging.files import FileChanges, FileKey, Isolation, Step, file_key
from tests.manifests import DATA, EQUALITY_DELETES, PATH_FIELD, POSITION_DELETES, file

ID, DAY, SITE, AMOUNT = 1, 2, 3, 4
BY_DAY, UNPARTITIONED, BY_MONTH, BY_BUCKET = 0, 1, 2, 3
BASE = 1  # The sequence number of the base.

SCHEMA = {
    "type": "struct",
    "schema-id": 0,
    "fields": [
        {"id": ID, "name": "id", "required": True, "type": "long"},
        {"id": DAY, "name": "day", "required": False, "type": "date"},
        {"id": SITE, "name": "site", "required": False, "type": "string"},
        {"id": AMOUNT, "name": "amount", "required": False, "type": "double"},
    ],
}


def spec(spec_id: int, *fields: tuple[int, str]) -> dict[str, Any]:
    """Return a partition spec of sources and transforms."""
    names = {each["id"]: each["name"] for each in SCHEMA["fields"]}  # type: ignore[attr-defined]
    return {
        "spec-id": spec_id,
        "fields": [
            {
                "source-id": source,
                "field-id": 1000 + 10 * spec_id + number,
                "name": names.get(source, "gone")
                + ("" if transform == "identity" else f"_{transform}"),
                "transform": transform,
            }
            for number, (source, transform) in enumerate(fields)
        ],
    }


SPECS = (
    spec(BY_DAY, (DAY, "identity")),
    spec(UNPARTITIONED),
    spec(BY_MONTH, (DAY, "month")),
    spec(BY_BUCKET, (ID, "bucket[4]")),
)


def table(version: int = 2, **members: Any) -> dict[str, Any]:
    """Return completed metadata with the columns and specs of this module."""
    return {
        "format-version": version,
        "schemas": [SCHEMA],
        "current-schema-id": 0,
        "partition-specs": list(SPECS),
        "default-spec-id": BY_DAY,
        "properties": {},
        **members,
    }


def data(path: str, **kwargs: Any) -> Entry:
    """Return a data file: of a day, in a spec and tuple, with ids from … to …"""
    return _entry(path, DATA, **kwargs)


def equality(path: str, *, columns: Sequence[int] = (ID,), **kwargs: Any) -> Entry:
    """Return an equality delete file."""
    return _entry(path, EQUALITY_DELETES, equality_ids=list(columns), **kwargs)


def positions(path: str, *targets: str, **kwargs: Any) -> Entry:
    """Return a position delete file; it names one target, the bounds of two, or none."""
    if len(targets) == 1:
        kwargs["referenced_data_file"] = targets[0]
    elif targets:
        kwargs["paths"] = (min(targets), max(targets))
    return _entry(path, POSITION_DELETES, **kwargs)


def vector(path: str, target: str, offset: int = 4, **kwargs: Any) -> Entry:
    """Return a deletion vector."""
    return _entry(
        path, POSITION_DELETES, referenced_data_file=target, content_offset=offset, **kwargs
    )


def _entry(
    path: str,
    content: int,
    *,
    day: int | None = 1,
    ids: tuple[int, int] | None = None,
    spec_id: int = BY_DAY,
    partition: Sequence[Any] | None = None,
    paths: tuple[str, str] | None = None,
    sequence: int | None = None,
    rows: int = 10,
    **fields: Any,
) -> Entry:
    if partition is None:
        partition = {UNPARTITIONED: ()}.get(spec_id, (day,))
    lower, upper, nulls = {}, {}, {}
    if ids is not None:
        lower[ID], upper[ID], nulls[ID] = struct.pack("<q", ids[0]), struct.pack("<q", ids[1]), 0
    if paths is not None:
        lower[PATH_FIELD], upper[PATH_FIELD] = paths[0].encode(), paths[1].encode()
    known = {"lower_bounds": lower, "upper_bounds": upper, "null_value_counts": nulls}
    made = file(path, DataFileContent(content), partition, record_count=rows, **known | fields)
    return Entry(
        file=made,
        spec_id=spec_id,
        snapshot_id=None,
        sequence_number=-1 if sequence is None else sequence,
        added=True,
        first_row_id=None,
    )


@dataclass(frozen=True)
class Did:
    """What one snapshot did."""

    operation: str
    added: tuple[Entry, ...] = ()
    removed: tuple[Entry, ...] = ()
    summary: Mapping[str, str] = field(default_factory=dict)

    def saying(self, **summary: str) -> "Did":
        """Return the same with more in its summary; `_` stands for `-`."""
        more = {name.replace("_", "-"): value for name, value in summary.items()}
        return replace(self, summary={**self.summary, **more})


def append(*added: Entry) -> Did:
    return Did("append", added)


def overwrite(added: Iterable[Entry] = (), removed: Iterable[Entry] = ()) -> Did:
    return Did("overwrite", tuple(added), tuple(removed))


def delete(*files: Entry, removed: Iterable[Entry] = ()) -> Did:
    """Return a snapshot that added delete files, and removed what stands in `removed`."""
    return Did("delete", files, tuple(removed))


def compact(added: Iterable[Entry] = (), removed: Iterable[Entry] = ()) -> Did:
    return Did("replace", tuple(added), tuple(removed))


def upsert(*added: Entry) -> Did:
    return Did("overwrite", added)


def replace_partitions(added: Iterable[Entry], removed: Iterable[Entry] = ()) -> Did:
    return overwrite(added, removed).saying(replace_partitions="true")


def steps(side: int, what: Sequence[Did], *, schema_id: int = 0) -> list[Step]:
    """Return the snapshots of a side; files get their numbers, and live counts stay above zero."""
    made = []
    for number, each in enumerate(what, BASE + 1):
        summary = {"operation": each.operation, "total-data-files": "99", **each.summary}
        snapshot = {
            "snapshot-id": side + number,
            "sequence-number": number,
            "schema-id": schema_id,
            "summary": summary,
        }
        numbered = [
            replace(entry, sequence_number=number) if entry.sequence_number == -1 else entry
            for entry in each.added
        ]
        old = [
            replace(entry, sequence_number=BASE) if entry.sequence_number == -1 else entry
            for entry in each.removed
        ]
        made.append(Step(snapshot, changes(numbered, old)))
    return made


def changes(added: Iterable[Entry], removed: Iterable[Entry]) -> FileChanges:
    return FileChanges(
        added=_keyed(added, deletes=False),
        removed=_keyed(removed, deletes=False),
        added_deletes=_keyed(added, deletes=True),
        removed_deletes=_keyed(removed, deletes=True),
    )


def _keyed(entries: Iterable[Entry], *, deletes: bool) -> dict[FileKey, Entry]:
    return {
        file_key(entry): entry for entry in entries if (int(entry.file.content) != DATA) is deletes
    }


def difference(made: Iterable[Step]) -> FileChanges:
    """Return what snapshots did to the live files, taken together."""
    added: dict[FileKey, Entry] = {}
    removed: dict[FileKey, Entry] = {}
    for step in made:
        each = step.changes
        for key, entry in (*each.removed.items(), *each.removed_deletes.items()):
            if added.pop(key, None) is None:
                removed[key] = entry
        for key, entry in (*each.added.items(), *each.added_deletes.items()):
            added[key] = entry
    return changes(added.values(), removed.values())


OURS, THEIRS = 1000, 2000


def histories(
    ours: Sequence[Did],
    then: Sequence[Did],
    *,
    passed: Sequence[int] = (),
    schema_id: int = 0,
    **members: Any,
) -> Histories:
    """Return two histories since one base; `passed` are places of theirs that ours has too."""
    our_steps, their_steps = steps(OURS, ours), steps(THEIRS, then, schema_id=schema_id)
    known: dict[str, Any] = {
        "ours": table(),
        "theirs": table(),
        "merged": table(),
        "spec_ids": {each["spec-id"]: each["spec-id"] for each in SPECS},
        "owed": (),
        "difference": difference((*our_steps, *(their_steps[place] for place in passed))),
        "our_steps": our_steps,
        "their_steps": their_steps,
        "passed": frozenset(their_steps[place].snapshot["snapshot-id"] for place in passed),
        "numbers": {BASE: BASE},
        "shared_number": BASE,
        "shared_row_ids": True,
    }
    return Histories(**known | members)


def judged(
    ours: Sequence[Did],
    then: Sequence[Did],
    isolation: Isolation = Isolation.SERIALIZABLE,
    **members: Any,
) -> Verdict:
    return judge(histories(ours, then, **members), isolation)


def codes(verdict: Verdict) -> set[str]:
    return {problem.code for problem in verdict.problems}
