"""How colliding contents are settled: side by side, in order, and each once."""

from threading import Barrier

import pytest

from catalog.errors import StorageUnavailable
from catalog.operations.merging.contents import Contents, Progress
from catalog.operations.merging.outcomes import Content, Rule
from catalog.versioning.objects import Entry, EntryKind
from catalog.versioning.outcomes import Cause, Collision, Conflict, ConflictReason


def table(name: str, version: int) -> Entry:
    return Entry(EntryKind.TABLE, name, f"file:///{name}/{version}.metadata.json")


def collision(name: str, ours: int = 2) -> Collision:
    return Collision((name,), table(name, 1), table(name, ours), table(name, 3))


def merged(collision: Collision) -> Content:
    return Content(table(collision.ours.uuid, 9), Rule.SUCCESSOR)


def test_contents_are_settled_side_by_side_and_answered_in_order():
    together = Barrier(3, timeout=30)

    def settle(collision: Collision) -> Content:
        together.wait()
        return merged(collision)

    answers = Contents(settle).collide([collision("c"), collision("a"), collision("b")])
    assert answers == [table("c", 9), table("a", 9), table("b", 9)]


def test_only_what_has_moved_is_settled_again():
    settled: list[str] = []

    def settle(collision: Collision) -> Content:
        settled.append(collision.ours.uuid)
        return merged(collision)

    contents = Contents(settle)
    first = contents.collide([collision("a"), collision("b")])
    assert contents.collide([collision("a"), collision("b", ours=4)]) == first
    assert sorted(settled) == ["a", "b", "b"]


def test_progress_is_reported_as_contents_are_settled():
    def settle(collision: Collision) -> Content | tuple[Cause, ...]:
        return merged(collision) if collision.ours.uuid == "a" else ()

    told: list[Progress] = []
    Contents(settle, told.append).collide([collision("a"), collision("b")])
    assert [(each.done, each.total) for each in told] == [(0, 2), (1, 2), (2, 2)]
    assert {(each.key, each.conflict) for each in told[1:]} == {(("a",), False), (("b",), True)}


def test_a_conflict_names_its_causes():
    causes = tuple(Cause(f"code-{number}", f"Reason {number}.") for number in range(5))
    (conflict,) = Contents(lambda each: causes).collide([collision("a")])
    assert isinstance(conflict, Conflict)
    assert conflict.reason is ConflictReason.BOTH_CHANGED
    assert conflict.causes == causes
    assert conflict.detail == (
        "table a was changed on the target and, differently, on the source. Reason 0. Reason 1."
        " Reason 2. There are 2 more causes"
    )


def test_a_failure_of_the_server_ends_it_all():
    def settle(collision: Collision) -> Content:
        if collision.ours.uuid == "t7":
            raise StorageUnavailable("The store is away")
        return merged(collision)

    contents = Contents(settle)
    with pytest.raises(StorageUnavailable):
        contents.collide([collision(f"t{number}") for number in range(20)])
