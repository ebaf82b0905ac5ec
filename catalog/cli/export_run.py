"""Carry `mainstem export` out: read a revision as engines do, register its tables elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from catalog.cli.commands import Session
from catalog.cli.failures import ExitCode, Failure
from catalog.cli.import_run import chosen, report
from catalog.cli.output import counted
from catalog.foreign.catalogs import ForeignCatalog, ForeignCatalogFailed
from catalog.foreign.exports import export


def export_catalog(
    session: Session,
    name: str,
    revision: str,
    *,
    properties: Mapping[str, str],
    patterns: Sequence[str],
    update: bool,
    dry_run: bool,
) -> bool:
    """Export what the patterns choose of one commit, and say whether nothing was left out."""
    commit_id = str(session.get("commits", revision)["commit_id"])
    try:
        with _revision(session, commit_id) as source, ForeignCatalog(name, properties) as target:
            with session.output.waiting(f"Reading {revision}"):
                contents = chosen(source.contents(), patterns)
                loaded = source.load(contents.names)
            with session.output.waiting(f"Exporting {counted(len(loaded), 'table')}"):
                done = export(target, contents, loaded, update=update, dry_run=dry_run)
    except ForeignCatalogFailed as error:
        raise Failure(ExitCode.UNAVAILABLE, str(error)) from error
    names = [asdict(each) for each in done]
    session.output.answer({"commit_id": commit_id, "names": names}, *report(names, dry_run=dry_run))
    return all(each.outcome != "left-out" for each in done)


def _revision(session: Session, commit_id: str) -> ForeignCatalog:
    """Return our own tables at a commit, which the Iceberg interface serves as any catalog."""
    return ForeignCatalog(f"mainstem-{commit_id[:10]}", session.iceberg(commit_id))
