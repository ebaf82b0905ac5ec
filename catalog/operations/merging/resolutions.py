"""Which side a merge takes where both changed, as the request says by name."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from catalog.errors import InvalidInput
from catalog.iceberg.merging.files import Isolation
from catalog.operations.entries import shown
from catalog.versioning.diff import changed_keys
from catalog.versioning.ids import ObjectId
from catalog.versioning.keys import Key
from catalog.versioning.merge import Resolution
from catalog.versioning.object_store import Objects
from catalog.versioning.objects import EntryKind
from catalog.versioning.tree import get_many


@dataclass(frozen=True, slots=True)
class Options:
    """What a merge, a cherry-pick or a revert may be asked for.

    `tables` gives resolutions to keys, their levels joined by dots; `default` holds for the rest.
    `plan_id` names the plan of a dry run that must be carried out as it is; `unchanged` names the
    tables that the source read, and that the target must not have changed. An `isolation` of None
    leaves it to each table how strictly it is merged inside.
    """

    default: Resolution = "auto"
    tables: Mapping[str, Resolution] = field(default_factory=dict)
    expected_head: str | None = None
    dry_run: bool = False
    plan_id: str | None = None
    unchanged: tuple[str, ...] = ()
    isolation: Isolation | None = None


@dataclass(slots=True)
class Resolutions:
    """The resolutions of one merge, found by any name that a table has on either side.

    Names that stand for nothing are an error: a resolution that was misspelt would otherwise leave
    its table to the default, unseen.
    """

    options: Options
    _names: dict[Key, set[str]] = field(default_factory=dict)
    _unknown: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._unknown.update(self.options.tables)

    def consider(self, objects: Objects, base: ObjectId, ours: ObjectId, theirs: ObjectId) -> None:
        """Learn the names of what changed between these trees, and that those named exist."""
        if not self.options.tables:
            return
        keys: dict[tuple[EntryKind, str], set[Key]] = {}
        for side in (ours, theirs):
            for key, *entries in changed_keys(objects, base, side):
                for entry in entries:
                    if entry is not None:
                        keys.setdefault((entry.kind, entry.uuid), set()).add(key)
        for together in keys.values():
            for key in together:
                self._names.setdefault(key, set()).update(shown(other) for other in together)
        for names in self._names.values():
            self._unknown -= names
        for tree in (base, ours, theirs):
            plain = [tuple(name.split(".")) for name in self._unknown if all(name.split("."))]
            self._unknown -= {shown(key) for key in get_many(objects, tree, plain)}

    def check(self) -> None:
        """Check that every name stood for something.

        Raises:
            InvalidInput: with the names that did not.
        """
        if self._unknown:
            names = ", ".join(repr(name) for name in sorted(self._unknown))
            raise InvalidInput(
                f"strategy.tables names {names}, which neither side has",
                tables=sorted(self._unknown),
            )

    def resolve(self, key: Key) -> Resolution:
        """Return the resolution of what is called so on either side.

        Raises:
            InvalidInput: if it goes by two names, and they were given different ones.
        """
        tables = self.options.tables
        names = self._names.get(key, {shown(key)}) if tables else set()
        asked = {tables[name] for name in names if name in tables}
        if len(asked) > 1:
            raise InvalidInput(
                f"strategy.tables asks for {' and '.join(sorted(asked))} at once for"
                f" {' and '.join(sorted(names))}, which are one and the same",
                tables=sorted(names),
            )
        return asked.pop() if asked else self.options.default
