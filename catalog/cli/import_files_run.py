"""Carry `mainstem import files` out, and report what became of each file."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import typer

from catalog.cli.commands import Session
from catalog.cli.failures import ExitCode, Failure
from catalog.cli.output import DRY_RUN, Block, Note, Table, counted, dotted, tallied
from catalog.errors import InvalidInput
from catalog.foreign.files import Imported, Request
from catalog.foreign.files import import_files as import_in_place
from catalog.foreign.folders import Folder, FolderRefused
from catalog.foreign.hive import TYPES
from catalog.iceberg.locations import contains


def import_files(
    session: Session,
    place: str,
    key: Sequence[str],
    *,
    types: Mapping[str, str],
    properties: Mapping[str, str],
    branch: str | None,
    dry_run: bool,
    message: str | None,
) -> bool:
    """Import a folder's files, and say whether none was left out."""
    _check(key, types)
    branch = branch or session.default_branch()
    try:
        folder = Folder(place, properties)
        if dry_run:
            _check_location(session, folder.address)
        with session.output.waiting(f"Reading {folder.address}") as tell:
            summary = _summary(session, folder, key, message)
            kinds = {name: TYPES[kind] for name, kind in types.items()}
            request = Request(tuple(key), folder, kinds, summary, dry_run)

            def watch(number: int) -> None:
                tell(f"Reading {folder.address}: {counted(number, 'file')}")

            done = import_in_place(session.iceberg(branch), request, watch)
    except FolderRefused as refused:
        raise Failure(ExitCode.REFUSED, str(refused)) from refused
    head = str(session.get("branches", branch)["commit_id"])
    document = {"commit_id": head, "files": [asdict(each) for each in done]}
    session.output.answer(document, *_report(done, dry_run=dry_run))
    return all(each.outcome != "left-out" for each in done)


def _check(key: Sequence[str], types: Mapping[str, str]) -> None:
    if len(key) < 2 or not all(key):
        raise typer.BadParameter("write NAMESPACE.TABLE", param_hint="--table")
    for kind in types.values():
        if kind not in TYPES:
            known = ", ".join(sorted(TYPES))
            raise typer.BadParameter(f"{kind!r} is none of {known}", param_hint="--partition-type")


def _check_location(session: Session, address: str) -> None:
    """Say of a dry run what the server would say if it were to make the table.

    The server also resolves symbolic links.
    """
    warehouse = session.get()
    places = [str(each["location"]) for each in (warehouse, *warehouse["locations"])]
    try:
        inside = any(contains(each, address) for each in places)
    except InvalidInput as error:
        raise FolderRefused(str(error)) from error
    if not inside:
        raise FolderRefused(
            f"{address} lies in no location of the warehouse ({', '.join(places)}):"
            f" `mainstem warehouse add-location {session.warehouse} {address}` adds it"
        )


def _summary(
    session: Session, folder: Folder, key: Sequence[str], message: str | None
) -> dict[str, str]:
    said = {
        "mainstem.message": message or f"Import files into {dotted(key)}",
        "mainstem.metadata.import.folder": folder.address,
    }
    if session.client.author:
        said["mainstem.author"] = session.client.author
    return said


def _report(done: Sequence[Imported], *, dry_run: bool) -> tuple[Block, ...]:
    rows = [
        (each.path, each.reason or "-", each.detail) for each in done if each.outcome == "left-out"
    ]
    blocks: list[Block] = []
    if rows:
        blocks.append(Table(("Left out", "Reason", "Detail"), rows, empty=""))
    blocks.append(Note(tallied("file", (each.outcome for each in done))))
    if dry_run:
        blocks.append(DRY_RUN)
    return tuple(blocks)
