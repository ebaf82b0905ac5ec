"""What a revision holds, asked of the Iceberg interface as engines do."""

from collections.abc import Iterator, Sequence

from catalog.cli.commands import Session

Levels = tuple[str, ...]
# How the Iceberg REST specification joins the levels of a namespace in a path.
_LEVEL_SEPARATOR = "\x1f"


def tables_at(session: Session, revision: str) -> Iterator[Levels]:
    """Walk the tables of a revision: levels of the namespace, then the name."""
    warehouse = f"{session.warehouse}@{revision}"
    prefix = session.client.get_iceberg("config", warehouse=warehouse)["overrides"]["prefix"]
    below: list[Levels] = [()]
    while below:
        for levels in namespaces_at(session, prefix, below.pop()):
            namespace = namespace_segment(levels)
            found = session.client.get_iceberg(prefix, "namespaces", namespace, "tables")
            for table in found["identifiers"]:
                yield (*levels, table["name"])
            below.append(levels)


def namespaces_at(session: Session, prefix: str, parent: Levels = ()) -> list[Levels]:
    """Return the namespaces directly below one, or at the top."""
    under = namespace_segment(parent)
    found = session.client.get_iceberg(prefix, "namespaces", parent=under)
    return [tuple(levels) for levels in found["namespaces"]]


def namespace_segment(levels: Sequence[str]) -> str:
    """Return a namespace as a path or a query names it."""
    return _LEVEL_SEPARATOR.join(levels)
