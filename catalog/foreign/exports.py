"""Exports: names in another catalog pointed at the metadata files of a revision here.

Other catalogs take tables one by one. What is there already is left as it is, so an export that
broke off is finished by running it again.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.exceptions import NamespaceAlreadyExistsError

from catalog.foreign.catalogs import Contents, ForeignCatalog, Levels, Loaded

Outcome = Literal["added", "updated", "unchanged", "left-out"]
# How many tables are registered at once.
_PARALLEL = 8


@dataclass(frozen=True, slots=True)
class Exported:
    """What became of one name in the other catalog, or would; `reason` if it was left out."""

    key: Levels
    kind: str
    outcome: Outcome
    reason: str | None = None
    detail: str = ""


def export(
    target: ForeignCatalog,
    contents: Contents,
    loaded: Sequence[Loaded],
    *,
    update: bool,
    dry_run: bool,
) -> list[Exported]:
    """Make the namespaces and register the tables and views, and tell of each, by key."""
    spaces = [
        _namespace(target, namespace, properties, dry_run=dry_run)
        for namespace, properties in sorted(contents.namespaces.items())
    ]

    def one(each: Loaded) -> Exported:
        return _export(target, each, update=update, dry_run=dry_run)

    with ThreadPoolExecutor(_PARALLEL, thread_name_prefix="export") as pool:
        names = list(pool.map(one, loaded))
    return sorted([*spaces, *names], key=lambda name: name.key)


def _namespace(
    target: ForeignCatalog, namespace: Levels, properties: Mapping[str, str], *, dry_run: bool
) -> Exported:
    try:
        there = target.catalog.namespace_exists(namespace)
        if not there and not dry_run:
            target.catalog.create_namespace(namespace, dict(properties))
    except NamespaceAlreadyExistsError:
        there = True
    except Exception as error:  # A flat catalog has no namespace inside another, for example.
        return Exported(namespace, "namespace", "left-out", "refused", _told(error))
    return Exported(namespace, "namespace", "unchanged" if there else "added")


def _export(target: ForeignCatalog, new: Loaded, *, update: bool, dry_run: bool) -> Exported:
    if new.metadata_location is None:
        return _left_out(new, "unreadable", new.problem)
    try:
        judged = _judge(target, new, target.find(new.name), update=update)
        if not dry_run and judged.outcome in ("added", "updated"):
            _register(target, new, new.metadata_location, overwrite=judged.outcome == "updated")
    except Exception as error:  # One that is refused must not keep the others back.
        return _left_out(new, "refused", _told(error))
    return judged


def _judge(
    target: ForeignCatalog, new: Loaded, existing: Loaded | None, *, update: bool
) -> Exported:
    key, kind = new.name.key, new.name.kind
    if existing is None:
        if kind == "view" and not isinstance(target.catalog, RestCatalog):
            return _left_out(new, "no-views", "The other catalog keeps no views")
        return Exported(key, kind, "added")
    if existing.uuid != new.uuid:
        return _left_out(new, "name-taken", f"Another {kind} has the name there")
    if existing.metadata_location == new.metadata_location:
        return Exported(key, kind, "unchanged")
    if existing.metadata_location not in new.came_from:
        return _left_out(new, "diverged", "The state there did not become the one here")
    if not update:
        return _left_out(new, "moved-on", "There is a later state here; ask for updates")
    if not isinstance(target.catalog, RestCatalog):
        return _left_out(new, "no-updates", "The other catalog points no table at another file")
    return Exported(key, kind, "updated")


def _register(target: ForeignCatalog, new: Loaded, location: str, *, overwrite: bool) -> None:
    if new.name.kind == "view":
        target.catalog.register_view(new.name.key, location)
    elif overwrite:
        target.catalog.register_table(new.name.key, location, overwrite=True)
    else:
        target.catalog.register_table(new.name.key, location)


def _left_out(new: Loaded, reason: str, detail: str) -> Exported:
    return Exported(new.name.key, new.name.kind, "left-out", reason, detail)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
