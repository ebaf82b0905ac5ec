"""Branches, merges, picks, reverts and resets against a model: a dict for every commit.

Tables have no metadata files here, so that a table changed on both sides is always a conflict.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Literal
from uuid import uuid4

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from catalog.errors import MergeConflicts
from catalog.operations.callers import Caller
from catalog.operations.commit import Head, Plan, commit
from catalog.operations.history import LogFilter, list_commits, list_reflog
from catalog.operations.merge import Merged, Options, cherry_pick, merge, revert
from catalog.operations.refs import (
    create_branch,
    create_tag,
    delete_branch,
    list_branches,
    list_tags,
    reset_branch,
)
from catalog.operations.warehouses import Catalog, Warehouse, create_warehouse
from catalog.versioning.ids import ObjectId, to_hex
from catalog.versioning.keys import Key
from catalog.versioning.object_store import Objects
from catalog.versioning.objects import Entry, EntryKind
from catalog.versioning.tree import get, scan

# By uuid: the name of the table and its metadata location. Namespaces are what their names say, so
# by these: the name, and the one property that each has.
Tables = Mapping[str, tuple[str, str]]
Place = tuple[str, str] | None
Strategy = Literal["auto", "fail", "ours", "theirs"]

NAMES = st.sampled_from(["a", "b", "c", "d"])
NAMESPACES = st.sampled_from(["m", "n"])
PICKS = st.integers(0, 10_000)
STRATEGIES: st.SearchStrategy[Strategy] = st.sampled_from(["auto", "fail", "ours", "theirs"])
CALLER = Caller("machine")
NUMBERS = count()
NAMESPACE = Entry(EntryKind.NAMESPACE, str(uuid4()))


def nowhere() -> str:
    """Return a location that holds nothing."""
    return f"file:///nowhere/{uuid4()}.metadata.json"


class Clash(Exception):
    """The model's word for a merge with conflicts."""


@dataclass
class Model:
    """Commits with their parents and tables, and the refs that point to them."""

    trees: dict[ObjectId, Tables] = field(default_factory=dict)
    parents: dict[ObjectId, tuple[ObjectId, ...]] = field(default_factory=dict)
    branches: dict[str, ObjectId] = field(default_factory=dict)
    tags: dict[str, ObjectId] = field(default_factory=dict)
    moves: dict[str, list[ObjectId | None]] = field(default_factory=dict)

    def ancestors(self, commit_id: ObjectId) -> set[ObjectId]:
        """The commit and all that came before it."""
        found: set[ObjectId] = set()
        ahead = [commit_id]
        while ahead:
            current = ahead.pop()
            if current not in found:
                found.add(current)
                ahead += self.parents[current]
        return found

    def bases(self, ours: ObjectId, theirs: ObjectId) -> list[ObjectId]:
        """The best common ancestors."""
        common = self.ancestors(ours) & self.ancestors(theirs)
        return [
            each
            for each in common
            if not any(other != each and each in self.ancestors(other) for other in common)
        ]

    def first_parent(self, commit_id: ObjectId) -> Tables:
        """The tables before a commit."""
        parents = self.parents[commit_id]
        return self.trees[parents[0]] if parents else {}


def merged_place(base: Place, ours: Place, theirs: Place) -> Place:
    """Merge where one table stands, name and content each on their own."""
    if theirs in (base, ours):
        return ours
    if ours == base:
        return theirs
    if ours is None or theirs is None:
        raise Clash
    parts = []
    for index in (0, 1):
        before = None if base is None else base[index]
        if ours[index] != theirs[index] and before not in (ours[index], theirs[index]):
            raise Clash
        parts.append(theirs[index] if ours[index] == before else ours[index])
    return parts[0], parts[1]


def merged_tables(base: Tables, ours: Tables, theirs: Tables, strategy: Strategy) -> Tables:
    """Merge trees as `merge_trees` should; a name that two tables would have is a clash."""
    result: dict[str, tuple[str, str]] = {}
    for uuid in {*base, *ours, *theirs}:
        before, left, right = base.get(uuid), ours.get(uuid), theirs.get(uuid)
        both = left != before and right not in (before, left)
        if both and strategy == "fail":
            raise Clash
        if both and strategy in ("ours", "theirs"):
            place = left if strategy == "ours" else right
        else:
            place = merged_place(before, left, right)
        if place is not None:
            result[uuid] = place
    if len({name for name, _ in result.values()}) < len(result):
        raise Clash
    return result


class Machine(RuleBasedStateMachine):
    """Random work on a few branches, held against the model after every step."""

    catalog: Catalog

    def __init__(self) -> None:
        super().__init__()
        number = next(NUMBERS)
        self.warehouse: Warehouse = create_warehouse(
            self.catalog,
            f"machine{number}",
            location=f"file:///nowhere/machine{number}",
            caller=CALLER,
        )
        root = self.head("main")
        self.model = Model({root: {}}, {root: ()}, {"main": root}, {}, {"main": [root]})
        done = commit(
            self.warehouse,
            "main",
            lambda objects, head: Plan({("ns",): NAMESPACE}, "Create namespace"),
            caller=CALLER,
            operation="create-namespace",
        )
        self.land("main", done.commit_id, {})

    # What is there already

    def head(self, branch: str) -> ObjectId:
        """Return a branch's head as it is stored."""
        found = {ref.name: ref.commit_id for ref in list_branches(self.warehouse, limit=1000)}
        return found[branch]

    def stored(self, commit_id: ObjectId) -> Tables:
        """Return the tables at a commit as they are stored."""
        objects = self.warehouse.objects()
        found = dict(scan(objects, objects.commit(commit_id).tree))
        found.pop(("ns",), None)
        return {
            entry.uuid if entry.kind is EntryKind.TABLE else key[0]: (
                key[-1],
                entry.metadata_location or entry.properties["p"],
            )
            for key, entry in found.items()
        }

    def branch(self, pick: int) -> str:
        """Choose a branch."""
        names = sorted(self.model.branches)
        return names[pick % len(names)]

    def commit_id(self, pick: int) -> ObjectId:
        """Choose any commit that was ever made, but for the first: it has no namespace."""
        commits = list(self.model.trees)[1:]
        return commits[pick % len(commits)]

    def land(self, branch: str, commit_id: ObjectId, tables: Tables, *more: ObjectId) -> None:
        """Note a new commit on a branch, with further parents."""
        self.model.trees[commit_id] = tables
        self.model.parents[commit_id] = (self.model.branches[branch], *more)
        self.model.branches[branch] = commit_id
        self.model.moves[branch].append(commit_id)

    # Direct commits

    def edit(
        self, branch: str, change: Callable[[Objects, Head], Plan | None], after: Tables
    ) -> None:
        done = commit(self.warehouse, branch, change, caller=CALLER, operation="edit")
        assert done.previous == self.model.branches[branch]
        assert done.plan is not None
        self.land(branch, done.commit_id, after)

    def named(self, branch: str, name: str) -> str | None:
        """Return the uuid of a table in the model."""
        tables = self.model.trees[self.model.branches[branch]]
        return next((uuid for uuid, place in tables.items() if place[0] == name), None)

    def after(self, branch: str, uuid: str, place: Place) -> Tables:
        """Return the model's tables with one of them elsewhere."""
        tables = dict(self.model.trees[self.model.branches[branch]])
        tables.pop(uuid, None)
        return tables if place is None else {**tables, uuid: place}

    @rule(pick=PICKS, name=NAMES)
    def write(self, pick: int, name: str) -> None:
        """Create a table, or change the one that has the name."""
        branch, location = self.branch(pick), nowhere()
        uuid = self.named(branch, name) or str(uuid4())
        entry = Entry(EntryKind.TABLE, uuid, location)
        self.edit(
            branch,
            lambda objects, head: Plan({("ns", name): entry}, f"Write {name}"),
            self.after(branch, uuid, (name, location)),
        )

    @rule(pick=PICKS, name=NAMES)
    def drop(self, pick: int, name: str) -> None:
        """Drop a table."""
        branch = self.branch(pick)
        uuid = self.named(branch, name)
        if uuid is not None:
            plan = Plan({("ns", name): None}, f"Drop {name}")
            self.edit(branch, lambda objects, head: plan, self.after(branch, uuid, None))

    @rule(pick=PICKS, name=NAMES, to=NAMES)
    def rename(self, pick: int, name: str, to: str) -> None:
        """Rename a table."""
        branch = self.branch(pick)
        uuid = self.named(branch, name)
        if uuid is None or self.named(branch, to) is not None:
            return
        location = self.model.trees[self.model.branches[branch]][uuid][1]
        edits: dict[Key, Entry | None] = {
            ("ns", name): None,
            ("ns", to): Entry(EntryKind.TABLE, uuid, location),
        }
        self.edit(
            branch,
            lambda objects, head: Plan(edits, "Rename"),
            self.after(branch, uuid, (to, location)),
        )

    @rule(pick=PICKS, name=NAMESPACES, value=st.sampled_from("123"))
    def name_space(self, pick: int, name: str, value: str) -> None:
        """Make a namespace, or make it anew, as whoever drops and creates it again."""
        entry = Entry(EntryKind.NAMESPACE, str(uuid4()), properties={"p": value})
        branch = self.branch(pick)
        plan = Plan({(name,): entry}, f"Make namespace {name}")
        self.edit(branch, lambda objects, head: plan, self.after(branch, name, (name, value)))

    @rule(pick=PICKS, name=NAMESPACES)
    def drop_namespace(self, pick: int, name: str) -> None:
        """Drop a namespace, which holds nothing."""
        branch = self.branch(pick)
        if name in self.model.trees[self.model.branches[branch]]:
            plan = Plan({(name,): None}, f"Drop namespace {name}")
            self.edit(branch, lambda objects, head: plan, self.after(branch, name, None))

    @rule(pick=PICKS, name=NAMES, other=NAMES)
    def race(self, pick: int, name: str, other: str) -> None:
        """Write a table while another writer gets in before with the same one or another."""
        branch = self.branch(pick)
        seen: list[Entry | None] = []

        def slow(objects: Objects, head: Head) -> Plan:
            if not seen:
                self.write(pick, other)
            seen.append(get(objects, head.commit.tree, ("ns", name)))
            uuid = seen[-1].uuid if seen[-1] is not None else new.uuid
            return Plan({("ns", name): Entry(new.kind, uuid, new.metadata_location)}, "Slow")

        new = Entry(EntryKind.TABLE, str(uuid4()), nowhere())
        done = commit(self.warehouse, branch, slow, caller=CALLER, operation="edit")
        assert len(seen) == (2 if name == other else 1)
        uuid = self.named(branch, name) or new.uuid
        self.land(
            branch, done.commit_id, self.after(branch, uuid, (name, new.metadata_location or ""))
        )

    # Refs

    @precondition(lambda self: len(self.model.branches) < 4)
    @rule(pick=PICKS)
    def fork(self, pick: int) -> None:
        """Create a branch at any commit."""
        name, start = f"b{len(self.model.moves)}", self.commit_id(pick)
        create_branch(self.warehouse, name, to_hex(start), caller=CALLER)
        self.model.branches[name] = start
        self.model.moves[name] = [start]

    @rule(pick=PICKS)
    def remove(self, pick: int) -> None:
        """Delete a branch other than the default one."""
        branch = self.branch(pick)
        if branch != "main":
            delete_branch(self.warehouse, branch, caller=CALLER)
            del self.model.branches[branch]
            self.model.moves[branch].append(None)

    @rule(pick=PICKS, to=PICKS)
    def reset(self, pick: int, to: int) -> None:
        """Move a branch to any commit."""
        branch, commit_id = self.branch(pick), self.commit_id(to)
        head = to_hex(self.model.branches[branch])
        reset_branch(self.warehouse, branch, to_hex(commit_id), expected_head=head, caller=CALLER)
        self.model.branches[branch] = commit_id
        self.model.moves[branch].append(commit_id)

    @rule(pick=PICKS)
    def tag(self, pick: int) -> None:
        """Tag any commit."""
        name, commit_id = f"v{len(self.model.tags)}", self.commit_id(pick)
        create_tag(self.warehouse, name, to_hex(commit_id), caller=CALLER)
        self.model.tags[name] = commit_id

    # Merges

    def carry_out(
        self, branch: str, expected: Callable[[], Tables], act: Callable[[], Merged]
    ) -> Merged | None:
        """Act, and hold the outcome against the model's; None after a conflict on both."""
        try:
            tables = expected()
        except Clash:
            tables = None
        try:
            merged = act()
        except MergeConflicts:
            assert tables is None
            return None
        assert merged.commit_id is not None
        assert merged.previous == self.model.branches[branch]
        assert tables == self.stored(merged.commit_id)
        return merged

    @rule(pick=PICKS, source=PICKS, strategy=STRATEGIES, squash=st.booleans())
    def merge(self, pick: int, source: int, strategy: Strategy, squash: bool) -> None:
        """Merge any commit, the heads of branches most often."""
        branch = self.branch(pick)
        theirs = self.model.branches[self.branch(source)] if source % 4 else self.commit_id(source)
        ours = self.model.branches[branch]
        bases = self.model.bases(ours, theirs)
        if len(bases) > 1:
            self.criss_cross(branch, theirs, bases)
            return
        trees = self.model.trees
        try:
            merged_tables(trees[bases[0]], trees[ours], trees[theirs], strategy)
        except Clash:
            # How a strategy settles names that meet is the business of the tests of trees.
            strategy = "fail" if strategy == "fail" else "auto"
        merged = self.carry_out(
            branch,
            lambda: merged_tables(trees[bases[0]], trees[ours], trees[theirs], strategy),
            lambda: self.as_planned(branch, theirs, strategy, squash),
        )
        if merged is None or merged.commit_id == ours:
            assert merged is None or theirs in self.model.ancestors(ours) or squash
            return
        assert merged.commit_id is not None
        parents = () if squash else (theirs,)
        self.land(branch, merged.commit_id, self.stored(merged.commit_id), *parents)

    def as_planned(self, branch: str, theirs: ObjectId, strategy: Strategy, squash: bool) -> Merged:
        """Merge by the plan of a dry run, which must have told what the merge then does."""

        def run(options: Options) -> Merged:
            source = to_hex(theirs)
            return merge(
                self.warehouse, source, branch, options=options, squash=squash, caller=CALLER
            )

        told = run(Options(default=strategy, dry_run=True))
        assert self.head(branch) == self.model.branches[branch]
        done = run(Options(default=strategy, plan_id=told.plan_id))
        assert (done.changes, done.outcomes) == (told.changes, told.outcomes)
        return done

    def criss_cross(self, branch: str, theirs: ObjectId, bases: list[ObjectId]) -> None:
        """Merge against several bases: no side may win that changed something since them all."""
        ours = self.model.branches[branch]
        try:
            merged = merge(self.warehouse, to_hex(theirs), branch, options=Options(), caller=CALLER)
        except MergeConflicts:
            return
        assert merged.commit_id is not None
        result = self.stored(merged.commit_id)
        trees = self.model.trees
        for uuid in {*trees[ours], *trees[theirs], *result}:
            left, right, place = (
                trees[ours].get(uuid),
                trees[theirs].get(uuid),
                result.get(uuid),
            )
            befores = [trees[base].get(uuid) for base in bases]
            if left == right:
                assert place == left
            elif place == right:
                assert left in befores
            elif place == left:
                assert right in befores
            else:
                assert place in [merged_place(b, left, right) for b in befores if b is not None]
        self.land(branch, merged.commit_id, result, theirs)

    @rule(pick=PICKS, source=PICKS)
    def cherry_pick(self, pick: int, source: int) -> None:
        """Pick any commit."""
        branch, picked = self.branch(pick), self.commit_id(source)
        ours = self.model.branches[branch]
        merged = self.carry_out(
            branch,
            lambda: merged_tables(
                self.model.first_parent(picked),
                self.model.trees[ours],
                self.model.trees[picked],
                "auto",
            ),
            lambda: cherry_pick(
                self.warehouse, [to_hex(picked)], branch, options=Options(), caller=CALLER
            ),
        )
        self.landed(branch, merged)

    @rule(pick=PICKS, source=PICKS)
    def revert(self, pick: int, source: int) -> None:
        """Revert any commit that does not touch the namespace of the tables."""
        branch, reverted = self.branch(pick), self.commit_id(source)
        if ("ns",) in self.changed(reverted):
            return
        ours = self.model.branches[branch]
        merged = self.carry_out(
            branch,
            lambda: merged_tables(
                self.model.trees[reverted],
                self.model.trees[ours],
                self.model.first_parent(reverted),
                "auto",
            ),
            lambda: revert(
                self.warehouse, to_hex(reverted), branch, options=Options(), caller=CALLER
            ),
        )
        self.landed(branch, merged)

    def changed(self, commit_id: ObjectId) -> tuple[Key, ...]:
        return self.warehouse.objects().commit(commit_id).changed_keys

    def landed(self, branch: str, merged: Merged | None) -> None:
        """Note the commit that a pick or revert made, if it did."""
        if merged is None or merged.commit_id == self.model.branches[branch]:
            return
        assert merged.commit_id is not None
        self.land(branch, merged.commit_id, self.stored(merged.commit_id))

    # What always holds

    @invariant()
    def every_branch_is_where_the_model_has_it(self) -> None:
        found = {ref.name: ref.commit_id for ref in list_branches(self.warehouse, limit=1000)}
        assert found == self.model.branches
        for commit_id in found.values():
            assert self.stored(commit_id) == self.model.trees[commit_id]

    @invariant()
    def tags_never_change(self) -> None:
        found = {ref.name: ref.commit_id for ref in list_tags(self.warehouse, limit=1000)}
        assert found == self.model.tags
        for commit_id in found.values():
            assert self.stored(commit_id) == self.model.trees[commit_id]

    @invariant()
    def logs_and_reflogs_tell_all(self) -> None:
        for branch, head in self.model.branches.items():
            page = list_commits(self.warehouse, branch, wanted=LogFilter(), limit=1000)
            assert {each.commit_id for each in page.commits} == self.model.ancestors(head)
            assert len(page.commits) == len(self.model.ancestors(head))
        for branch, moves in self.model.moves.items():
            entries = list_reflog(self.warehouse, branch, before=None, limit=1000)
            assert [entry.commit_id for entry in entries] == moves[::-1]


def test_branches_merges_and_resets_agree_with_a_dict_for_every_commit(catalog: Catalog) -> None:
    machine = type("MachineOnCatalog", (Machine,), {"catalog": catalog})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=20,
            stateful_step_count=30,
            deadline=None,
            phases=(Phase.explicit, Phase.generate),
        ),
    )
