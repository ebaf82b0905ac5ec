"""Carry `mainstem import catalog` out: read another catalog, register what it has."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from catalog.cli.client import Json
from catalog.cli.commands import Session
from catalog.cli.failures import ExitCode, Failure
from catalog.cli.output import DRY_RUN, Block, Note, Table, counted, dotted, tallied
from catalog.foreign.catalogs import Contents, ForeignCatalog, ForeignCatalogFailed, Levels, Loaded


def import_catalog(
    session: Session,
    name: str,
    properties: Mapping[str, str],
    patterns: Sequence[str],
    request: Json,
) -> bool:
    """Import what the patterns choose, and say whether nothing of it was left out."""
    try:
        with (
            ForeignCatalog(name, properties) as source,
            session.output.waiting(f"Reading catalog {name}"),
        ):
            contents = chosen(source.contents(), patterns)
            loaded = source.load(contents.names)
            origin = {"mainstem.import.catalog": name, "mainstem.import.uri": source.address}
    except ForeignCatalogFailed as error:
        raise Failure(ExitCode.UNAVAILABLE, str(error)) from error
    body = {**request, **_found(contents, loaded), "metadata": origin}
    with session.output.waiting(f"Importing {counted(len(loaded), 'table')}"):
        answer = session.post("imports", body=body)
    unread = [_unread(each) for each in loaded if each.metadata_location is None]
    answer["names"] = sorted([*answer["names"], *unread], key=lambda each: each["key"])
    session.output.answer(answer, *report(answer["names"], dry_run=request["dry_run"]))
    return all(each["outcome"] != "left-out" for each in answer["names"])


def chosen(contents: Contents, patterns: Sequence[str]) -> Contents:
    """Return the tables and views that a pattern matches, and the namespaces that hold them.

    Raises:
        Failure: if a pattern matches none, which is a slip; `*` may.
    """
    if "*" in patterns:
        return contents
    for pattern in patterns:
        if not any(fnmatchcase(dotted(name.key), pattern) for name in contents.names):
            raise Failure(ExitCode.NOT_FOUND, f"No table or view there is called {pattern!r}")
    names = [
        name
        for name in contents.names
        if any(fnmatchcase(dotted(name.key), pattern) for pattern in patterns)
    ]
    holding = {name.key[:depth] for name in names for depth in range(1, len(name.key))}
    namespaces = {key: each for key, each in contents.namespaces.items() if key in holding}
    return Contents(namespaces, names)


def report(names: Sequence[Json], *, dry_run: bool) -> tuple[Block, ...]:
    """Show all but what stayed as it was, and a summary."""
    columns = ("Outcome", "Kind", "Name", "Reason", "Detail")
    rows = [
        (each["outcome"], each["kind"], dotted(each["key"]), each["reason"] or "-", each["detail"])
        for each in names
        if each["outcome"] != "unchanged"
    ]
    blocks: list[Block] = [Table(columns, rows, empty="Nothing to do.")]
    if names:
        blocks.append(Note(tallied("name", (each["outcome"] for each in names))))
    if dry_run:
        blocks.append(DRY_RUN)
    return tuple(blocks)


def _found(contents: Contents, loaded: Sequence[Loaded]) -> Json:
    tables = [
        {
            "key": list(each.name.key),
            "kind": each.name.kind,
            "metadata_location": each.metadata_location,
        }
        for each in loaded
        if each.metadata_location is not None
    ]
    return {"namespaces": _namespaces(contents.namespaces), "tables": tables}


def _namespaces(found: Mapping[Levels, Mapping[str, str]]) -> list[Json]:
    return [{"key": list(key), "properties": dict(each)} for key, each in found.items()]


def _unread(loaded: Loaded) -> Json:
    return {
        "key": list(loaded.name.key),
        "kind": loaded.name.kind,
        "outcome": "left-out",
        "reason": "unreadable",
        "detail": loaded.problem,
    }
