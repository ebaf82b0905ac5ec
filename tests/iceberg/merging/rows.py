"""A table small enough to hold its rows: files are lists of rows, commands change files.

Each command leaves what a writer would leave, and says what it meant.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import count
from typing import NamedTuple

from catalog.iceberg.manifests.entries import Entry
from catalog.iceberg.merging.files import FileKey, Step, file_key
from catalog.iceberg.scans.deletes import is_equality, is_vector
from tests.iceberg.merging.by_hand import changes, data, equality, positions, vector


class Row(NamedTuple):
    """A row; an update gives it another version."""

    name: str
    day: int
    key: int
    version: str = ""


@dataclass
class Disk:
    """What the files of all branches hold, by path and offset."""

    rows: dict[FileKey, list[Row]] = field(default_factory=dict)
    deleted: dict[FileKey, set[tuple[str, int]]] = field(default_factory=dict)
    keys: dict[FileKey, set[int]] = field(default_factory=dict)
    numbers: "count[int]" = field(default_factory=count)

    def write(self, day: int, rows: Iterable[Row], sequence: int) -> Entry:
        held = list(rows)
        keys = [row.key for row in held]
        entry = data(
            f"data{next(self.numbers):03}",
            day=day,
            ids=(min(keys), max(keys)),
            rows=len(held),
            sequence=sequence,
        )
        self.rows[file_key(entry)] = held
        return entry


Meaning = Callable[[list[Row]], list[Row]]


@dataclass
class Branch:
    """The live files of one branch, the steps that it took, and what each of them meant."""

    disk: Disk
    version: int
    name: str
    live: dict[FileKey, Entry] = field(default_factory=dict)
    sequence: int = 0
    steps: list[Step] = field(default_factory=list)
    meanings: list[Meaning] = field(default_factory=list)
    base: frozenset[FileKey] = frozenset()
    by_filter: bool = True

    def fork(self, name: str, *, by_filter: bool) -> "Branch":
        """Return a branch; its commands mean their filters, or the rows that they found."""
        base, live = frozenset(self.live), dict(self.live)
        own = {"steps": [], "meanings": [], "base": base, "by_filter": by_filter}
        return replace(self, name=name, live=live, **own)

    def files(self, day: int | None = None) -> list[Entry]:
        return [
            entry
            for key, entry in self.live.items()
            if key in self.disk.rows and day in (None, entry.partition[0])
        ]

    def deletes(self) -> list[Entry]:
        return [entry for key, entry in self.live.items() if key not in self.disk.rows]

    def living(self, entry: Entry) -> list[tuple[int, Row]]:
        """Return the rows of a data file that no delete file takes away, with their places."""
        path = entry.file.file_path
        gone: set[int] = set()
        old: set[int] = set()
        has_vector = False
        for delete in self.deletes():
            key, number = file_key(delete), delete.sequence_number
            if is_equality(delete):
                if delete.partition == entry.partition and number > entry.sequence_number:
                    rows = enumerate(self.disk.rows[file_key(entry)])
                    gone |= {place for place, row in rows if row.key in self.disk.keys[key]}
            elif number >= entry.sequence_number:
                places = {place for named, place in self.disk.deleted[key] if named == path}
                if is_vector(delete) and places:
                    assert not has_vector, "two vectors of one file"
                    has_vector = True
                    gone |= places
                else:
                    old |= places
        gone |= set() if has_vector else old
        rows = enumerate(self.disk.rows[file_key(entry)])
        return [(place, row) for place, row in rows if place not in gone]

    def rows(self) -> list[Row]:
        return [row for entry in self.files() for _, row in self.living(entry)]

    def commit(
        self,
        operation: str,
        added: Iterable[Entry],
        removed: Iterable[Entry] = (),
        meaning: Meaning = list,
        **summary: str,
    ) -> None:
        self.sequence += 1
        come, gone = list(added), list(removed)
        paths = {entry.file.file_path for entry in gone}
        come_paths = {each.referenced_data_file for each in come}
        for delete in self.deletes():
            # What a writer of v3 does with the vectors of files that go or get another one.
            if is_vector(delete) and delete.referenced_data_file in paths | come_paths:
                gone.append(delete)
        for entry in gone:
            self.live.pop(file_key(entry), None)
        for entry in come:
            self.live[file_key(entry)] = entry
        gone += self._aged()
        snapshot = {
            "snapshot-id": hash((self.name, self.sequence)) & 0xFFFFFFFF,
            "sequence-number": self.sequence,
            "schema-id": 0,
            "summary": {
                "operation": operation,
                "total-data-files": str(len(self.files())),
                **{name.replace("_", "-"): value for name, value in summary.items()},
            },
        }
        self.steps.append(Step(snapshot, changes(come, gone)))
        self.meanings.append(meaning)

    def _aged(self) -> list[Entry]:
        """Drop delete files that are older than all data, as Java's writers do."""
        oldest = min((entry.sequence_number for entry in self.files()), default=0)
        aged = [entry for entry in self.deletes() if entry.sequence_number < oldest]
        for entry in aged:
            del self.live[file_key(entry)]
        return aged

    def touches_base(self, entries: Iterable[Entry]) -> bool:
        return any(file_key(entry) in self.base for entry in entries)

    @property
    def next(self) -> int:
        return self.sequence + 1

    def new_rows(self, day: int, keys: Iterable[int]) -> list[Row]:
        return [Row(f"{self.name}{self.next}.{n}", day, key) for n, key in enumerate(keys)]

    # Commands.

    def append(self, day: int, keys: list[int]) -> None:
        rows = self.new_rows(day, keys)
        self.commit(
            "append", [self.disk.write(day, rows, self.next)], meaning=lambda now: [*now, *rows]
        )

    def replace_day(self, day: int, keys: list[int]) -> None:
        old = self.files(day)
        rows = self.new_rows(day, keys)
        hits = self._hits(day, None)
        self.commit(
            "overwrite",
            [self.disk.write(day, rows, self.next)],
            old,
            lambda now: [*(row for row in now if not hits(row)), *rows],
            replace_partitions="true",
        )

    def rewrite(self, day: int, keys: list[int], *, update: bool) -> None:
        """Delete or update rows by copy-on-write."""
        hit = [e for e in self.files(day) if any(row.key in keys for _, row in self.living(e))]
        if not hit:
            return
        tag = f"{self.name}{self.next}"
        hits = self._hits(day, keys)
        written = []
        for entry in hit:
            rows = [row for _, row in self.living(entry)]
            kept = _changed(rows, hits, tag if update else None)
            if kept:
                written.append(self.disk.write(day, kept, self.next))
        self.commit(
            "overwrite" if written else "delete",
            written,
            hit,
            lambda now: _changed(now, hits, tag if update else None),
        )

    def delete_rows(self, day: int, keys: list[int], *, update: bool, several: bool) -> None:
        """Delete or update rows by position: one delete file a file, or one for all."""
        places = {
            entry.file.file_path: [p for p, row in self.living(entry) if row.key in keys]
            for entry in self.files(day)
        }
        places = {path: found for path, found in places.items() if found}
        if not places:
            return
        hits, tag = self._hits(day, keys), f"{self.name}{self.next}"
        changed = [
            row._replace(version=tag)
            for entry in self.files(day)
            for _, row in self.living(entry)
            if update and row.key in keys
        ]
        added = self._delete_files(day, places, several=several)
        if changed:
            added.append(self.disk.write(day, changed, self.next))
        self.commit(
            "overwrite" if update else "delete",
            added,
            meaning=lambda now: _changed(now, hits, tag if update else None),
        )

    def update_in_two(self, day: int, keys: list[int]) -> None:
        """Update rows by a snapshot that deletes and one that inserts."""
        changed = [
            row for entry in self.files(day) for _, row in self.living(entry) if row.key in keys
        ]
        if not changed:
            return
        before = self.sequence
        hits, tag = self._hits(day, keys), f"{self.name}{self.next}"
        self.delete_rows(day, keys, update=False, several=False)
        assert self.sequence == before + 1
        self.meanings[-1] = lambda now: _changed(now, hits, tag)
        rows = [row._replace(version=tag) for row in changed]
        self.commit("append", [self.disk.write(day, rows, self.next)])

    def upsert(self, day: int, key: int) -> None:
        (row,) = self.new_rows(day, [key])
        delete = equality(
            f"eq{next(self.disk.numbers):03}", day=day, ids=(key, key), sequence=self.next
        )
        self.disk.keys[file_key(delete)] = {key}
        self.commit(
            "overwrite",
            [delete, self.disk.write(day, [row], self.next)],
            meaning=lambda now: [
                *(each for each in now if (each.day, each.key) != (day, key)),
                row,
            ],
        )

    def compact(self, day: int, *, keep_number: bool) -> None:
        old = self.files(day)
        rows = [row for entry in old for _, row in self.living(entry)]
        if not rows:
            return
        number = self.sequence if keep_number else self.next
        self.commit("replace", [self.disk.write(day, rows, number)], old)

    def compact_deletes(self, day: int) -> None:
        """Rewrite the position deletes of a day, into one file."""
        old = [e for e in self.deletes() if not is_equality(e) and e.partition[0] == day]
        if self.version > 2 or not old:
            return
        paths: dict[str, list[int]] = {}
        for entry in old:
            for path, place in self.disk.deleted[file_key(entry)]:
                paths.setdefault(path, []).append(place)
        newest = max(entry.sequence_number for entry in old)
        self.commit("replace", self._delete_files(day, paths, several=True, number=newest), old)

    def truncate(self) -> None:
        old = self.files()
        if old:
            hits = self._hits(None, None)
            meaning: Meaning = lambda now: [row for row in now if not hits(row)]  # noqa: E731
            self.commit("delete", [], old, meaning)

    def _hits(self, day: int | None, keys: list[int] | None) -> Callable[[Row], bool]:
        """Return which rows a command means.

        Those of its filter, if it changed a file that both sides have; if it only changed rows of
        its own side, the others knew nothing that it could have seen.
        """
        found = [
            (entry, row)
            for entry in self.files(day)
            for _, row in self.living(entry)
            if keys is None or row.key in keys
        ]
        names = {row.name for _, row in found}
        files = self.files(day) if keys is None else [entry for entry, _ in found]
        if not (self.by_filter and self.touches_base(files)):
            return lambda row: row.name in names
        return lambda row: day in (None, row.day) and (keys is None or row.key in keys)

    def _delete_files(
        self, day: int, places: dict[str, list[int]], *, several: bool, number: int | None = None
    ) -> list[Entry]:
        sequence = self.next if number is None else number
        if self.version > 2:
            return [self._vector(day, path, found, sequence) for path, found in places.items()]
        groups = [list(places)] if several else [[path] for path in places]
        made = []
        for group in groups:
            name = f"pos{next(self.disk.numbers):03}"
            entry = positions(name, *group, day=day, sequence=sequence)
            self.disk.deleted[file_key(entry)] = {(p, n) for p in group for n in places[p]}
            made.append(entry)
        return made

    def _vector(self, day: int, path: str, found: list[int], sequence: int) -> Entry:
        before = [e for e in self.deletes() if is_vector(e) and e.referenced_data_file == path]
        entry = vector(f"dv{next(self.disk.numbers):03}", path, day=day, sequence=sequence)
        held = {(path, place) for place in found}
        for each in before:
            held |= self.disk.deleted[file_key(each)]
        self.disk.deleted[file_key(entry)] = held
        return entry

    # What a merge does.

    def replay(self, steps: Iterable[Step], *, shared: int) -> None:
        """Put another branch's steps behind this one's, under new sequence numbers."""
        numbers: dict[int, int] = {}
        for step in steps:
            self.sequence += 1
            numbers[step.snapshot["sequence-number"]] = self.sequence
            what = step.changes
            for key in (*what.removed, *what.removed_deletes):
                del self.live[key]
            for key, entry in (*what.added.items(), *what.added_deletes.items()):
                assert key not in self.live
                number = entry.sequence_number
                mapped = number if number <= shared else numbers[number]
                self.live[key] = replace(entry, sequence_number=mapped)


def _changed(rows: list[Row], hits: Callable[[Row], bool], version: str | None) -> list[Row]:
    if version is None:
        return [row for row in rows if not hits(row)]
    return [row._replace(version=version) if hits(row) else row for row in rows]
