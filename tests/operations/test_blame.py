"""Who brought which part, held against the definition on whole states."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.iceberg.parts import Parts, namespace_parts
from catalog.operations.blame import trail
from catalog.versioning.diff import changed_keys
from catalog.versioning.ids import ObjectId
from catalog.versioning.object_store import ObjectCache, Objects
from catalog.versioning.objects import Commit, Entry, EntryKind
from catalog.versioning.tree import apply, empty_tree

Properties = Mapping[str, str]


@dataclass(frozen=True)
class State:
    """One table under its name at the time."""

    name: str
    properties: Properties

    @property
    def parts(self) -> dict[str, str]:
        return {"name": self.name, "table": "u", **self.properties}


@dataclass
class History:
    """Commits by number; each holds the table, or does not."""

    objects: Objects = field(default_factory=lambda: Objects(lambda ids: {}, ObjectCache(1 << 20)))
    states: list[State | None] = field(default_factory=list)
    parents: list[tuple[int, ...]] = field(default_factory=list)
    ids: list[ObjectId] = field(default_factory=list)
    files: dict[str, Properties] = field(default_factory=dict)

    def commit(self, parents: tuple[int, ...], state: State | None) -> None:
        edits = {}
        if state is not None:
            # As in a lake, what holds the same properties is one metadata file.
            location = "file:///" + repr(sorted(state.properties.items()))
            self.files[location] = state.properties
            edits[(state.name,)] = Entry(EntryKind.TABLE, "u", location)
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
        self.states.append(state)
        self.parents.append(parents)

    def read(self, entry: Entry) -> Parts:
        assert entry.metadata_location is not None
        return namespace_parts(self.files[entry.metadata_location])

    def blamed(self, number: int) -> dict[str, int]:
        state = self.states[number]
        assert state is not None
        parts = namespace_parts(state.properties)
        found = trail(
            self.objects,
            self.objects.commits,
            self.ids[number],
            (state.name,),
            parts,
            self.read,
        )
        return {each.part.name: int(each.brought[1].message) for each in found if each.brought}

    def brought(self, number: int, part: str) -> int:
        """Find by the definition which commit brought a part to what it is at `number`."""
        state = self.states[number]
        assert state is not None
        whole = [each for each in self.parents[number] if self.states[each] == state]
        for parent in whole or self.parents[number]:
            before = self.states[parent]
            if before is not None and before.parts.get(part) == state.parts[part]:
                return self.brought(parent, part)
        return number


@st.composite
def histories(draw) -> History:
    history = History()
    history.commit((), None)
    for number in range(1, draw(st.integers(2, 14))):
        above = st.integers(max(0, number - 4), number - 1)
        parents = tuple(draw(st.lists(above, min_size=1, max_size=2, unique=True)))
        known = [state for parent in parents if (state := history.states[parent]) is not None]
        if not known:
            # It is made once: another one would have another uuid.
            made = (
                State("a", {"x": str(number)})
                if all(each is None for each in history.states)
                else None
            )
            history.commit(parents, made)
            continue
        base = draw(st.sampled_from(known))
        properties = dict(base.properties)
        for other in known:
            for name, value in other.properties.items():
                if draw(st.booleans()):
                    properties[name] = value
        if draw(st.booleans()):
            properties[draw(st.sampled_from("xyz"))] = draw(st.sampled_from("012"))
        name = draw(st.sampled_from([base.name, base.name, "a", "b"]))
        history.commit(parents, State(name, properties))
    return history


@given(histories())
@settings(max_examples=100, deadline=None)
def test_each_part_is_brought_by_the_commit_that_the_definition_names(history: History) -> None:
    for number, state in enumerate(history.states):
        if state is not None:
            expected = {part: history.brought(number, part) for part in state.parts}
            assert history.blamed(number) == expected
