"""A Python client for notebooks and pipelines: branches, merges, releases, and tables as Arrow.

Needs the extra `pyiceberg`. `docs/client.md` shows it at work.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any, Literal, TypeVar

import pyarrow as pa  # type: ignore[import-untyped]
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.expressions import AlwaysTrue

from catalog.cli.client import Client, Json
from catalog.cli.failures import Failure, Refused
from catalog.clock import parse_time

_RELEASES = "release/"
_Answer = TypeVar("_Answer")


class RequestFailed(Exception):
    """The server refused, or could not be reached; `problem` is its problem document."""

    def __init__(self, message: str, problem: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.problem = problem


class MergeConflicts(RequestFailed):
    """The merge would lose somebody's change; nothing was changed."""

    @property
    def conflicts(self) -> list[dict[str, Any]]:
        """Every conflict: its key, the reason, and details."""
        return list(self.problem["conflicts"])


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of the warehouse."""

    id: str
    author: str
    committed_at: datetime
    message: str
    metadata: dict[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one table, view or namespace between two revisions.

    `detail` is what a diff with details tells: `parts`, the columns, properties and the like that
    differ, and `data`, the rows and files.
    """

    name: str
    kind: str
    change: Literal["added", "removed", "modified", "renamed"]
    detail: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Blamed:
    """A part of a table as it is, and the commit that brought it, if the trail leads so far.

    `part` is `column`, `property`, `partition-spec` and the like; `table` stands for its creation.
    """

    part: str
    name: str
    value: Any
    commit: Commit | None


@dataclass(frozen=True, slots=True)
class Merged:
    """A merge that was made; or in a dry run, without a commit, one that would be."""

    commit_id: str | None
    changes: list[Change]


@dataclass(frozen=True, slots=True)
class Release:
    """A release: a name for a commit that never moves."""

    name: str
    commit_id: str
    created_at: datetime
    message: str


def connect(
    server: str = "http://127.0.0.1:8181",
    *,
    warehouse: str = "",
    author: str | None = None,
    credential: str = "",
) -> "Warehouse":
    """Connect to a warehouse, the server's default one if none is named.

    `credential` is `CLIENT:SECRET`, where the server asks for one.

    Raises:
        RequestFailed: if the server cannot be reached or has no such warehouse.
    """
    with ExitStack() as failing:
        client = Client(server, author=author, credential=credential)
        failing.callback(client.close)
        name = warehouse or _asked(lambda: client.get("server"))["default_warehouse"]
        found = _asked(lambda: client.get("warehouses", name))
        failing.pop_all()
    return Warehouse(client, name, found["default_branch"])


class Warehouse:
    """A warehouse: where branches and releases are had from. Close it, or use it in `with`."""

    def __init__(self, client: Client, name: str, default_branch: str) -> None:
        self._client = client
        self.name = name
        self.default_branch = default_branch
        self._catalogs: dict[str, Catalog] = {}

    def __enter__(self) -> "Warehouse":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Warehouse({self.name!r} at {self._client.server})"

    def close(self) -> None:
        """Close the connections to the server."""
        for catalog in self._catalogs.values():
            catalog.close()
        self._client.close()

    def branch(self, name: str | None = None) -> "Branch":
        """Return a branch that exists, the default one if none is named."""
        name = name or self.default_branch
        self._get("branches", name)
        return Branch(self, name)

    def branches(self, prefix: str = "") -> list["Branch"]:
        """Return the branches whose names begin so, by name."""
        pages = self._client.pages(*self._path("branches"), member="branches", prefix=prefix)
        return [Branch(self, found["name"]) for found in _asked(lambda: list(pages))]

    def create_branch(self, name: str, start: str | None = None) -> "Branch":
        """Create a branch at a revision, by default at the default branch; nothing is copied."""
        self._post("branches", body={"name": name, "from": start or self.default_branch})
        return Branch(self, name)

    def at(self, revision: str) -> "Revision":
        """Return a release, commit or `main@{now}`: resolved now, and the same for ever."""
        return Revision(self, self._get("commits", revision)["commit_id"])

    def release(
        self,
        name: str,
        *,
        at: str | None = None,
        message: str = "",
        metadata: Mapping[str, str] | None = None,
    ) -> Release:
        """Name a revision for ever, by default the head of the default branch."""
        body = {"name": name, "at": at or self.default_branch, "message": message}
        return _release(self._post("tags", body={**body, "metadata": dict(metadata or {})}))

    def releases(self, prefix: str = _RELEASES) -> list[Release]:
        """Return the releases whose names begin so, by name."""
        pages = self._client.pages(*self._path("tags"), member="tags", prefix=prefix)
        return [_release(tag) for tag in _asked(lambda: list(pages))]

    def log(
        self, revision: str | None = None, limit: int = 50, *, table: str | None = None
    ) -> list[Commit]:
        """Return the commits before a revision, newest first; of a table those that changed it."""
        pages = self._client.pages(
            *self._path("commits"),
            member="commits",
            limit=limit,
            ref=revision or self.default_branch,
            table=table,
        )
        return [_commit(found) for found in _asked(lambda: list(pages))]

    def diff(self, before: str, after: str, *, detail: bool = False) -> list[Change]:
        """Return what differs between two revisions; with details its metadata is read."""
        query: dict[str, Any] = {"from": before, "to": after, "detail": "true" if detail else None}
        found = _asked(lambda: self._client.get(*self._path("diff"), **query))
        return [_change(each) for each in found["changes"]]

    def diff_rows(
        self,
        before: str,
        after: str,
        table: str,
        *,
        key: str | Sequence[str] = (),
        limit: int | None = None,
    ) -> pa.Table:
        """Return the rows of a table that differ between two revisions; needs the extra `duckdb`.

        `_change` is `added`, `removed`, or `before` and `after` for the two states of one row:
        `key`, or else the table's identifier fields, tell which rows are one. `_changed_columns`
        names what of it differs.

        Raises:
            ModuleNotFoundError: if DuckDB is not installed.
        """
        rows = import_module("catalog.cli.changed_rows")

        def found() -> pa.Table:
            opened = rows.changed_rows(self._client, self.name, before, after, table, _several(key))
            with opened as changed:
                return changed.duck.arrow(changed.query(limit))

        return _asked(found)

    def blame(self, table: str, revision: str | None = None) -> list[Blamed]:
        """Return which commit brought each part of a table, view or namespace to what it is."""
        query = {"table": table, "ref": revision or self.default_branch}
        found = _asked(lambda: self._client.get(*self._path("blame"), **query))
        return [_blamed(each) for each in found["parts"]]

    def _path(self, *segments: str) -> tuple[str, ...]:
        return ("warehouses", self.name, *segments)

    def _get(self, *segments: str) -> Json:
        return _asked(lambda: self._client.get(*self._path(*segments)))

    def _post(self, *segments: str, body: Json) -> Json:
        return _asked(lambda: self._client.post(*self._path(*segments), body=body))

    def _delete(self, *segments: str) -> None:
        _asked(lambda: self._client.delete(*self._path(*segments)))

    def _iceberg(self, revision: str) -> Catalog:
        if revision not in self._catalogs:
            properties = self._client.iceberg(self.name, revision)
            self._catalogs[revision] = load_catalog(self.name, **properties)
        return self._catalogs[revision]


class Revision:
    """The tables of a revision."""

    def __init__(self, warehouse: Warehouse, revision: str) -> None:
        self.warehouse = warehouse
        self.revision = revision

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.revision!r})"

    @property
    def commit_id(self) -> str:
        """The commit that it is now."""
        return str(self.warehouse._get("commits", self.revision)["commit_id"])

    def iceberg(self) -> Catalog:
        """Return pyiceberg's catalog of this revision, for all that is not here."""
        return self.warehouse._iceberg(self.revision)

    def tables(self) -> list[str]:
        """Return the names of all tables, `namespace.table`."""
        catalog = self.iceberg()

        def below(parent: tuple[str, ...]) -> Iterator[str]:
            for namespace in catalog.list_namespaces(parent):
                yield from (".".join(each) for each in catalog.list_tables(namespace))
                yield from below(namespace)

        return sorted(below(()))

    def to_arrow(
        self,
        table: str,
        *,
        columns: str | Sequence[str] = "*",
        where: str | None = None,
        limit: int | None = None,
    ) -> pa.Table:
        """Read a table, or of it some columns, the rows that a condition holds for, or the first.

        Raises:
            pyiceberg.exceptions.NoSuchTableError: if there is no such table.
            ValueError: if it has no such column.
        """
        found = self.iceberg().load_table(table)
        scan = found.scan(where or AlwaysTrue(), selected_fields=_several(columns), limit=limit)
        return scan.to_arrow()


class Branch(Revision):
    """A branch: it moves, and can be written to through `iceberg()`."""

    @property
    def name(self) -> str:
        """The branch's name."""
        return self.revision

    def merge(
        self,
        into: str | None = None,
        *,
        message: str | None = None,
        metadata: Mapping[str, str] | None = None,
        expected_head: str | None = None,
        dry_run: bool = False,
        isolation: Literal["serializable", "snapshot"] | None = None,
    ) -> Merged:
        """Merge it into another branch, by default into the default one.

        `metadata` is kept in the merge commit. With `expected_head` nothing is merged unless the
        target is still there. `isolation` says how strictly tables are merged inside that both
        sides changed; without it each table's own properties do.

        Raises:
            MergeConflicts: if both sides changed what does not go together; nothing was changed.
            RequestFailed: if the target has moved, or a protection refuses.
        """
        body = {
            "source": self.name,
            "target": into or self.warehouse.default_branch,
            "message": message,
            "metadata": dict(metadata or {}),
            "expected_target_head": expected_head,
            "dry_run": dry_run,
            "isolation": isolation,
        }
        found = self.warehouse._post("merges", body=body)
        return Merged(found["commit_id"], [_change(each) for each in found["changes"]])

    def report_check(
        self, name: str, state: Literal["pending", "success", "failure"], summary: str = ""
    ) -> None:
        """Report the outcome of a check on the branch's head, as protections ask for."""
        body = {"name": name, "state": state, "summary": summary}
        self.warehouse._post("commits", self.commit_id, "checks", body=body)

    def delete(self) -> None:
        """Delete the branch; what was merged or released stays."""
        self.warehouse._delete("branches", self.name)


def _several(names: str | Sequence[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _asked(ask: Callable[[], _Answer]) -> _Answer:
    try:
        return ask()
    except Refused as refused:
        kind = MergeConflicts if refused.conflicts else RequestFailed
        raise kind(refused.message, refused.document) from refused
    except Failure as failure:
        raise RequestFailed(failure.message, failure.document) from failure


def _commit(found: Json) -> Commit:
    return Commit(
        id=found["commit_id"],
        author=found["author"],
        committed_at=parse_time(found["committed_at"]),
        message=found["message"],
        metadata=found["metadata"],
    )


def _blamed(found: Json) -> Blamed:
    commit = None if found["commit"] is None else _commit(found["commit"])
    return Blamed(found["part"], found["name"], found["value"], commit)


def _change(found: Json) -> Change:
    return Change(".".join(found["key"]), found["kind"], found["change"], found.get("detail"))


def _release(tag: Json) -> Release:
    created = parse_time(tag["created_at"])
    return Release(tag["name"], tag["commit_id"], created, tag["message"])
