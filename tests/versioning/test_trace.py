"""The history of one key, held against a model that looks at whole states."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from catalog.versioning.diff import changed_keys
from catalog.versioning.graph import first_parent, log
from catalog.versioning.object_store import ObjectCache, Objects
from catalog.versioning.objects import Commit, Entry, EntryKind
from catalog.versioning.trace import Trace
from catalog.versioning.tree import apply, empty_tree

# What a name stands for: a uuid and a version of its content.
State = Mapping[str, tuple[str, int]]


@dataclass
class Repository:
    """Commits by number, each with its state."""

    objects: Objects = field(default_factory=lambda: Objects(lambda ids: {}, ObjectCache(1 << 20)))
    states: list[dict[str, tuple[str, int]]] = field(default_factory=list)
    parents: list[tuple[int, ...]] = field(default_factory=list)
    ids: list = field(default_factory=list)

    def commit(self, *parents: int, **state: tuple[str, int]) -> int:
        edits = {
            (name,): Entry(EntryKind.TABLE, uuid, f"file:///{uuid}/{version}")
            for name, (uuid, version) in state.items()
        }
        tree = apply(self.objects, empty_tree(self.objects), edits)
        above = [self.objects.commit(self.ids[parent]) for parent in parents]
        before = above[0].tree if above else empty_tree(self.objects)
        made = Commit(
            tree=tree,
            parents=tuple(self.ids[parent] for parent in parents),
            generation=1 + max((each.generation for each in above), default=-1),
            author="a",
            committer="c",
            committed_at=datetime(2026, 1, 1, tzinfo=UTC),
            message=str(len(self.ids)),
            metadata={},
            changed_keys=tuple(key for key, *_ in changed_keys(self.objects, before, tree)),
        )
        self.ids.append(self.objects.put_commit(made))
        self.states.append(dict(state))
        self.parents.append(parents)
        return len(self.ids) - 1

    def log(self, start: int, name: str, **options) -> list[int]:
        trace = Trace(self.objects, self.objects.commits, {self.ids[start]: [(name,)]}, **options)
        walked = log(self.objects.commits, self.ids[start], follow=trace)
        return [int(commit.message) for each, commit in walked if trace.changed(each, commit)]

    def expected(self, start: int, name: str) -> list[int]:
        """Apply the definition commit by commit, on whole states."""
        names: dict[int, set[str]] = {number: set() for number in range(start + 1)}
        names[start].add(name)
        shown = []
        for number in range(start, -1, -1):
            changed = False
            for each in names[number]:
                now = self.states[number].get(each)
                above = self.parents[number]
                alike = [parent for parent in above if self.states[parent].get(each) == now]
                if alike:
                    names[alike[0]].add(each)
                    continue
                changed |= bool(above) or now is not None
                for parent in above:
                    names[parent].add(former(self.states[parent], self.states[number], each))
            if changed:
                shown.append(number)
        return shown


def former(before: State, after: State, name: str) -> str:
    if name not in after:
        return name
    uuid = after[name][0]
    if name in before and before[name][0] == uuid:
        return name
    return next((each for each, (other, _) in sorted(before.items()) if other == uuid), name)


def test_a_rename_is_a_change_and_followed() -> None:
    repository = Repository()
    repository.commit()
    repository.commit(0, a=("u", 1))
    repository.commit(1, a=("u", 1), other=("v", 1))
    repository.commit(2, b=("u", 1), other=("v", 1))
    last = repository.commit(3, b=("u", 2), other=("v", 1))
    assert repository.log(last, "b") == [4, 3, 1]
    assert repository.log(last, "a") == [3, 1]


def test_a_merge_that_took_over_a_branchs_state_is_left_out_for_the_commits_that_made_it() -> None:
    repository = Repository()
    repository.commit(a=("u", 1))
    repository.commit(0, a=("u", 1), other=("v", 1))
    repository.commit(0, a=("u", 2))
    merge = repository.commit(1, 2, a=("u", 2), other=("v", 1))
    assert repository.log(merge, "a") == [2, 0]
    assert repository.log(merge, "a", follow=first_parent) == [3, 0]
    assert repository.log(merge, "other") == [1]


def test_a_merge_that_made_a_state_of_its_own_is_shown_with_both_lines() -> None:
    repository = Repository()
    repository.commit(a=("u", 1))
    repository.commit(0, a=("u", 2))
    repository.commit(0, b=("u", 1))
    merge = repository.commit(1, 2, b=("u", 2))
    assert sorted(repository.log(merge, "b")) == [0, 1, 2, 3]


def test_what_was_dropped_and_made_anew_goes_on_under_its_name() -> None:
    repository = Repository()
    repository.commit()
    repository.commit(0, a=("u", 1))
    repository.commit(1)
    repository.commit(2, a=("v", 1))
    last = repository.commit(3, a=("w", 1))
    assert repository.log(last, "a") == [4, 3, 2, 1]
    assert repository.log(2, "a") == [2, 1]


def test_a_uuid_registered_under_a_second_name_is_no_rename() -> None:
    repository = Repository()
    repository.commit(a=("u", 1))
    repository.commit(0, a=("u", 2))
    last = repository.commit(1, a=("u", 2), b=("u", 2))
    assert repository.log(last, "b") == [2]


NAMES = st.sampled_from("abc")


@st.composite
def repositories(draw) -> Repository:
    """Draw histories in which a uuid has one name at a time, as operations keep it."""
    repository = Repository()
    repository.commit()
    for number in range(1, draw(st.integers(1, 12))):
        parents = draw(
            st.lists(
                st.integers(max(0, number - 4), number - 1), min_size=1, max_size=2, unique=True
            )
        )
        state: dict[str, tuple[str, int]] = {}
        for parent in parents:
            for name, content in repository.states[parent].items():
                if draw(st.booleans()) and content[0] not in {each for each, _ in state.values()}:
                    state[name] = content
        for _ in range(draw(st.integers(0, 2))):
            one, other = draw(NAMES), draw(NAMES)
            if one in state and draw(st.booleans()):
                state[other] = state.pop(one)
            else:
                uuid, version = state.get(one, (f"u{number}{one}", 0))
                state[one] = (uuid, version + number)
        repository.commit(*parents, **state)
    return repository


@given(repositories(), NAMES)
def test_the_log_of_a_key_is_what_the_definition_says(repository: Repository, name: str) -> None:
    last = len(repository.ids) - 1
    assert sorted(repository.log(last, name)) == sorted(repository.expected(last, name))
