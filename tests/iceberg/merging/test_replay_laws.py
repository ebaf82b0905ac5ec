"""Random histories, merged: rows are what they would be if theirs' changes followed ours'.

Every file has known rows, so the content of a table is a set of rows, and a merge that is no
conflict gives (ours - what theirs took away) + what theirs brought, as git's merges do.
"""

import itertools
import random
from dataclasses import dataclass, field

import pytest

from catalog.iceberg.merging.files import Isolation
from catalog.iceberg.merging.lineage import Purpose
from catalog.iceberg.merging.results import TableConflict, TableMerge
from tests.iceberg.merging.handmade import (
    History,
    data,
    equality_deletes,
    position_deletes,
    rows,
    vector,
)
from tests.iceberg.merging.test_replay import merge

DAYS = range(4)


@dataclass
class World:
    """What files hold, whichever history has them."""

    random: random.Random
    rows: dict = field(default_factory=dict)  # data file -> rows (key, version)
    deletes: dict = field(default_factory=dict)  # delete file -> rows, or keys
    days: dict = field(default_factory=dict)
    count: int = 0

    def name(self, kind):
        self.count += 1
        return f"{kind}{self.count}"

    def content(self, history):
        return content_of(self, history.metadata, history.files)

    def new_data(self, day, found):
        name = self.name("d")
        self.rows[name], self.days[name] = frozenset(found), day
        return data(name, day=day, rows=max(1, len(found)))

    def fresh_rows(self):
        self.count += 1
        keys = self.random.sample(range(50), self.random.randint(1, 3))
        return {(key, self.count) for key in keys}


def content_of(world, metadata, files):
    if metadata.get("current-snapshot-id") is None:
        return frozenset()
    found = set()
    for name, deletes in rows(metadata, files).items():
        gone = set().union(*(world.deletes[each] for each in deletes))
        found |= {row for row in world.rows[name] if row not in gone and row[0] not in gone}
    return frozenset(found)


class Writer:
    """One writer's random commits to one history."""

    def __init__(self, world, history, version):
        self.world, self.history, self.version = world, history, version

    def commit(self):
        kinds = [self.append, self.append, self.drop, self.rewrite, self.compact]
        kinds += [self.delete_rows, self.delete_rows]
        if self.version == 2:
            kinds += [self.upsert]
        self.world.random.choice(kinds)()

    def live(self):
        if not self.history.metadata["snapshots"]:
            return {}
        return rows(self.history.metadata, self.history.files)

    def some(self, least=1, most=1):
        by_day = {}
        for name in self.live():
            by_day.setdefault(self.world.days[name], []).append(name)
        days = [day for day, names in by_day.items() if len(names) >= least]
        if not days:
            return None, []
        day = self.world.random.choice(days)
        names = sorted(by_day[day])
        return day, self.world.random.sample(names, min(len(names), most))

    def alive(self, name):
        gone = set().union(*(self.world.deletes[each] for each in self.live()[name]))
        return {row for row in self.world.rows[name] if row not in gone and row[0] not in gone}

    def removed(self, names):
        """The files, and the vectors that go with them."""
        return [
            *(data(name, day=self.world.days[name]) for name in names),
            *(self.vector_of(name) for name in names if self.vector_of(name)),
        ]

    def vector_of(self, name):
        found = [each for each in self.live()[name] if each.startswith("v")]
        return vector(found[0], name, day=self.world.days[name]) if found else None

    def append(self):
        day = self.world.random.choice(DAYS)
        self.history.commit("append", self.world.new_data(day, self.world.fresh_rows()))

    def drop(self):
        _, names = self.some()
        if names:
            self.history.commit("delete", removed=self.removed(names))

    def rewrite(self):
        day, names = self.some()
        if names:
            kept = set(sorted(self.alive(names[0]))[1:])
            found = self.world.new_data(day, kept | self.world.fresh_rows())
            self.history.commit("overwrite", found, removed=self.removed(names))

    def compact(self):
        day, names = self.some(least=2, most=3)
        if len(names) > 1:
            alive = set().union(*map(self.alive, names))
            number = self.history.metadata["last-sequence-number"]
            found = self.world.new_data(day, alive)
            # Rows that are gone by their key must stay so: the output keeps the number it read at.
            self.history.commit("replace", (found, number), removed=self.removed(names))

    def delete_rows(self):
        day, names = self.some()
        alive = sorted(self.alive(names[0])) if names else []
        if not alive:
            return
        gone = {self.world.random.choice(alive)}
        if self.version == 3:
            old = self.vector_of(names[0])
            name = self.world.name("v")
            self.world.deletes[name] = gone | (self.world.deletes[old.file_path] if old else set())
            replaced = [old] if old else []
            self.history.commit("delete", vector(name, names[0], day=day), removed=replaced)
        else:
            name = self.world.name("p")
            self.world.deletes[name] = gone
            self.history.commit("delete", position_deletes(name, names[0], day=day))

    def upsert(self):
        day = self.world.random.choice(DAYS)
        key = self.world.random.randrange(50)
        name = self.world.name("e")
        self.world.deletes[name] = {key}
        self.world.count += 1
        found = self.world.new_data(day, {(key, self.world.count)})
        self.history.commit("overwrite", found, equality_deletes(name, day=day))


def grown(world, history, version, most=3):
    writer = Writer(world, history, version)
    for _ in range(world.random.randint(1, most)):
        writer.commit()
    return history


def merged_content(world, found, history):
    return content_of(world, found.metadata, history.files)


def expected(base, ours, theirs):
    return (ours - (base - theirs)) | (theirs - base)


def start(seed, version):
    world = World(random.Random(seed))
    base = History(version)
    for _ in range(4):
        Writer(world, base, version).append()
    return world, grown(world, base, version)


@pytest.mark.parametrize("isolation", list(Isolation))
@pytest.mark.parametrize("version", [2, 3])
def test_a_clean_merge_is_the_serial_history(version, isolation):
    clean = 0
    for seed in range(20):
        world, base = start(seed, version)
        ours, theirs = (grown(world, base.fork(), version) for _ in range(2))
        contents = [world.content(each) for each in (base, ours, theirs)]
        found = merge(base, ours, theirs, isolation)
        if isinstance(found, TableMerge):
            clean += 1
            assert merged_content(world, found, ours) == expected(*contents), seed
        else:
            assert isinstance(found, TableConflict)
    assert clean >= 4


@pytest.mark.parametrize("version", [2, 3])
def test_merges_back_and_forth_take_every_change_once(version):
    clean = 0
    for seed in range(1000, 1012):
        world, base = start(seed, version)
        sides = [base.fork(), base.fork()]
        for turn in range(4):
            for side in sides:
                grown(world, side, version, most=2)
            ours, theirs = sides[turn % 2], sides[1 - turn % 2]
            contents = [world.content(each) for each in (base, ours, theirs)]
            found = merge(base, ours, theirs, Isolation.SNAPSHOT)
            if isinstance(found, TableConflict):
                break
            clean += 1
            assert merged_content(world, found, ours) == expected(*contents), (seed, turn)
            # The source as it is now is what both sides have: the next base.
            base = theirs.fork()
            ours.adopt(found.metadata)
    assert clean >= 4


@pytest.mark.parametrize("version", [2, 3])
def test_picked_commits_and_the_rest_later_come_once_each(version):
    clean = 0
    for seed in range(2000, 2012):
        world, base = start(seed, version)
        ours, theirs = grown(world, base.fork(), version, most=2), base.fork()
        states = [theirs.fork()]
        for _ in range(3):
            Writer(world, theirs, version).commit()
            states.append(theirs.fork())
        steps = list(itertools.pairwise(states))
        content = world.content(ours)
        for before, after in list(steps):
            if before.metadata == after.metadata or world.random.random() < 0.5:
                continue
            found = merge(before, ours, after, Isolation.SNAPSHOT, purpose=Purpose.PICK)
            if isinstance(found, TableMerge):
                content = expected(world.content(before), content, world.content(after))
                assert merged_content(world, found, ours) == content, seed
                ours.adopt(found.metadata)
                steps.remove((before, after))
        found = merge(base, ours, theirs, Isolation.SNAPSHOT)
        if isinstance(found, TableMerge):
            clean += 1
            for before, after in steps:
                content = expected(world.content(before), content, world.content(after))
            assert merged_content(world, found, ours) == content, seed
    assert clean >= 3
