"""The contents of tables and views that both sides of a merge changed: what becomes of each."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from catalog.operations.entries import shown
from catalog.operations.merging.outcomes import Content, Rule
from catalog.operations.merging.successors import ReadMetadata, successor
from catalog.versioning.bases import is_undecided
from catalog.versioning.keys import Key
from catalog.versioning.objects import Entry
from catalog.versioning.outcomes import Cause, Collision, Conflict, Outcome

# Each holds the metadata of one table's three sides, so more of them cost memory.
_PARALLEL = 8
# A sentence names this many causes; all of them stand beside it.
_CAUSES_IN_SENTENCE = 3


@dataclass(frozen=True, slots=True)
class Progress:
    """How many of the colliding contents are settled, and the last of these."""

    done: int
    total: int
    key: Key | None = None
    conflict: bool = False


Report = Callable[[Progress], None]
# What becomes of one collision, or why nothing does.
Settle = Callable[[Collision], Content | tuple[Cause, ...]]
_Sides = tuple[str | None, str | None, str | None]


def unreported(progress: Progress) -> None:
    """Report progress to nobody."""


def unmerged(collision: Collision) -> tuple[Cause, ...]:
    """Merge no two contents."""
    return ()


class Contents:
    """What becomes of the contents that collide in one operation.

    What was settled stays so: a plan that is made anew on a moved head asks again only of what has
    moved there.
    """

    def __init__(self, settle: Settle, report: Report = unreported) -> None:
        self._settle = settle
        self._report = report
        self._settled: dict[_Sides, Content | tuple[Cause, ...]] = {}

    def collide(self, collisions: Sequence[Collision]) -> list[Entry | Conflict]:
        """Settle all, several at once; the first failure of the server's own ends it."""
        open_ = [each for each in collisions if _sides(each) not in self._settled]
        if open_:
            self._report(Progress(0, len(open_)))
        for number, (each, content) in enumerate(_side_by_side(self._settle, open_), 1):
            self._settled[_sides(each)] = content
            self._report(
                Progress(number, len(open_), each.key, conflict=isinstance(content, tuple))
            )
        return [self._answer(each) for each in collisions]

    def of(self, outcome: Outcome) -> Content | None:
        """Return what the contents of an outcome became, None if they did not collide."""
        found = self._settled.get(_sides(outcome))
        return found if isinstance(found, Content) else None

    def _answer(self, collision: Collision) -> Entry | Conflict:
        content = self._settled[_sides(collision)]
        if isinstance(content, Content):
            return content.entry
        return collision.conflict(_sentence(collision, content), content)


def settle_by_history(read: ReadMetadata, collision: Collision) -> Content | tuple[Cause, ...]:
    """Settle what one side has in its history, as the bases of a merge need it."""
    if collision.base is not None and is_undecided(collision.base):
        return (_UNDECIDED,)
    entry = successor(read, collision)
    return () if entry is None else Content(entry, Rule.SUCCESSOR)


_UNDECIDED = Cause(
    "undecided-base",
    "The two sides were merged crosswise before, and what they have in common is not decided.",
)


def _side_by_side(
    settle: Settle, collisions: Sequence[Collision]
) -> Iterator[tuple[Collision, Content | tuple[Cause, ...]]]:
    """Settle each in a thread, and yield them as they are done."""
    pool = ThreadPoolExecutor(_PARALLEL, thread_name_prefix="merge")
    try:
        futures = {pool.submit(settle, each): each for each in collisions}
        for done in as_completed(futures):
            yield futures[done], done.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _sides(of: Collision | Outcome) -> _Sides:
    base, ours, theirs = (
        None if entry is None else entry.metadata_location
        for entry in (of.base, of.ours, of.theirs)
    )
    return base, ours, theirs


def _sentence(collision: Collision, causes: Sequence[Cause]) -> str:
    what = f"{collision.ours.kind.value} {shown(collision.key)}"
    sentence = f"{what} was changed on the target and, differently, on the source"
    more = len(causes) - _CAUSES_IN_SENTENCE
    named = [cause.detail.removesuffix(".") for cause in causes[:_CAUSES_IN_SENTENCE]]
    return ". ".join([sentence, *named, *([f"There are {more} more causes"] if more > 0 else ())])
