"""Reading commits far back in a history many at once.

A commit names its parents, so a walk learns which commits it needs one generation at a time, and
would ask the database for each. The reflog of a branch lists the heads that it had in one
statement; where a walk follows them they are read ahead, a page at a time.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from catalog.operations.warehouses import Warehouse
from catalog.store import refs
from catalog.store.engine import read
from catalog.versioning.ids import ObjectId
from catalog.versioning.object_store import Objects
from catalog.versioning.objects import Commit

# So many times a walk asks for single commits before its place in a reflog is looked for, and so
# often it is looked for: that scans the branch's reflog.
_PATIENCE = 8
_MAX_SEARCHES = 8
_PAGE = 500


@dataclass(slots=True)
class ReadAhead:
    """Commits by id, for `graph`; of `branches` the reflogs are followed."""

    warehouse: Warehouse
    objects: Objects
    branches: Sequence[str]
    _asked: int = 0
    _searches: int = 0
    # For each branch the move that its pages came to, and the head before it.
    _reached: dict[str, tuple[int, ObjectId | None]] = field(default_factory=dict)

    def __call__(self, identifiers: Collection[ObjectId]) -> Mapping[ObjectId, Commit]:
        """Return commits.

        Raises:
            Corruption: if one is not stored, or is no commit.
        """
        missing = self.objects.missing(identifiers)
        if missing:
            self._asked += 1
            self.objects.prefetch(missing | self._ahead(missing))
        return self.objects.commits(identifiers)

    def _ahead(self, missing: set[ObjectId]) -> set[ObjectId]:
        for branch, (move, before) in self._reached.items():
            if before in missing:
                return self._page(branch, move)
        if self._asked <= _PATIENCE or self._searches == _MAX_SEARCHES:
            return set()
        self._searches += 1
        for branch in self.branches:
            found = self._search(branch, missing)
            if found is not None:
                return self._page(branch, found + 1)
        return set()

    def _search(self, branch: str, missing: set[ObjectId]) -> int | None:
        warehouse = self.warehouse
        return read(
            warehouse.catalog.engine,
            lambda connection: refs.find_move(connection, warehouse.id, branch, missing),
        )

    def _page(self, branch: str, before: int) -> set[ObjectId]:
        warehouse = self.warehouse
        moves = read(
            warehouse.catalog.engine,
            lambda connection: refs.list_reflog(
                connection, warehouse.id, branch=branch, before=before, limit=_PAGE
            ),
        )
        self._reached[branch] = (
            (moves[-1].id, moves[-1].previous_commit_id) if moves else (before, None)
        )
        return {move.commit_id for move in moves if move.commit_id is not None}
