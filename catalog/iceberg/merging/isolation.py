"""The isolation that a table asks for itself."""

from collections.abc import Mapping

from catalog.iceberg.merging.files import Isolation

_COMMANDS = ("delete", "update", "merge")


def isolation_of(properties: Mapping[str, str]) -> Isolation:
    """Return the strictest isolation of a table's row-level commands.

    Which command wrote a snapshot is not told. Engines take serializable where nothing is set
    (Java TableProperties).
    """
    found = {properties.get(f"write.{command}.isolation-level", "") for command in _COMMANDS}
    is_snapshot = {each.lower() for each in found} == {Isolation.SNAPSHOT.value}
    return Isolation.SNAPSHOT if is_snapshot else Isolation.SERIALIZABLE
