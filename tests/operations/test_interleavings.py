"""Writers whose steps interleave in any order, against a dict.

A writer reads keys of the head, plans, and lands later; between the two the others act. What it
wrote must be what its function makes of the values at the moment at which it landed: as if all had
worked one after the other.
"""

from dataclasses import dataclass
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.operations.callers import Caller
from catalog.operations.commit import Head, Plan, commit
from catalog.operations.history import LogFilter, list_commits
from catalog.operations.refs import get_branch, reset_branch
from catalog.operations.warehouses import Catalog, Warehouse, create_warehouse
from catalog.versioning.ids import to_hex
from catalog.versioning.keys import Key
from catalog.versioning.object_store import Objects
from catalog.versioning.objects import Entry, EntryKind
from catalog.versioning.tree import get_many, scan

CALLER = Caller("test")
KEYS: list[Key] = [("a",), ("b",), ("m", "c"), ("m", "d")]
NUMBERS = count()
State = dict[Key, str]


@dataclass(frozen=True)
class Writer:
    """Writes to `target` a text made of what `reads` hold; others act while it plans."""

    target: Key
    reads: tuple[Key, ...]
    whole_range: bool
    drops: bool
    meanwhile: tuple["Writer | str", ...]

    def made(self, state: State, name: str) -> str | None:
        held = [key for key in KEYS if key[0] == "m"] if self.whole_range else []
        values = [state.get(key, "-")[-12:] for key in (*self.reads, *held, self.target)]
        return None if self.drops else f"{name}({','.join(values)})"


def writers(meanwhile: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(
        Writer,
        st.sampled_from(KEYS),
        st.lists(st.sampled_from(KEYS), max_size=2).map(tuple),
        st.booleans(),
        st.booleans(),
        st.lists(meanwhile, max_size=2).map(tuple),
    )


RESET = st.just("reset")
# Two levels of interruption, so that no plan is made so often that it takes the branch's lock.
WORK = st.lists(writers(writers(RESET) | RESET) | RESET, max_size=5)


class Run:
    """Runs writers against a warehouse, and at each landing the model."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.states: list[State] = [{}]
        self.heads = [get_branch(warehouse, "main").commit_id]
        self.names = count()

    @property
    def state(self) -> State:
        return self.states[-1]

    def act(self, what: Writer | str) -> None:
        if isinstance(what, Writer):
            self.write(what)
        elif len(self.heads) > 1:
            self.heads.pop()
            self.states.pop()
            reset_branch(self.warehouse, "main", to_hex(self.heads[-1]), caller=CALLER)

    def write(self, writer: Writer) -> None:
        name = str(next(self.names))
        waiting = list(writer.meanwhile)

        def build(objects: Objects, head: Head) -> Plan:
            found = get_many(objects, head.commit.tree, KEYS)
            seen = {key: entry.metadata_location or "" for key, entry in found.items()}
            while waiting:
                self.act(waiting.pop(0))
            made = writer.made(seen, name)
            entry = None if made is None else Entry(EntryKind.TABLE, name, made)
            return Plan(
                {writer.target: entry},
                name,
                reads=frozenset(writer.reads),
                ranges=(("m",),) if writer.whole_range else (),
            )

        done = commit(self.warehouse, "main", build, caller=CALLER, operation="edit")
        assert done.previous == self.heads[-1]
        made = writer.made(self.state, name)
        after = {key: value for key, value in self.state.items() if key != writer.target}
        self.states.append(after if made is None else {**after, writer.target: made})
        self.heads.append(done.commit_id)

    def check(self) -> None:
        objects = self.warehouse.objects()
        for commit_id, state in zip(self.heads, self.states, strict=True):
            tree = objects.commit(commit_id).tree
            held = {key: entry.metadata_location for key, entry in scan(objects, tree)}
            assert held == state
        page = list_commits(self.warehouse, "main", wanted=LogFilter(), limit=1000)
        assert [each.commit_id for each in page.commits] == self.heads[::-1]


@given(WORK)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_interleaved_writers_do_what_they_would_do_one_after_the_other(
    on_sqlite: Catalog, work: list[Writer | str]
):
    name = f"i{next(NUMBERS)}"
    warehouse = create_warehouse(
        on_sqlite, name, location=f"file:///interleaved/{name}", caller=CALLER
    )
    run = Run(warehouse)
    for what in work:
        run.act(what)
    run.check()
