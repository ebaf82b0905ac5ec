from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from catalog.versioning.graph import first_parent, is_ancestor, log, merge_bases
from catalog.versioning.ids import ObjectId, object_id
from catalog.versioning.objects import Commit


class History:
    """Commits numbered from 0, each with the numbers of its parents; counts what is read."""

    def __init__(self, parents):
        self.parents = parents
        self.commits = {}
        self.reads = 0
        for number, above in enumerate(parents):
            generation = 1 + max((self.of(p).generation for p in above), default=-1)
            self.commits[identify(number)] = Commit(
                tree=ObjectId(b"t" * 32),
                parents=tuple(identify(parent) for parent in above),
                generation=generation,
                author="a",
                committer="c",
                committed_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number),
                message=str(number),
                metadata={},
                changed_keys=(),
            )

    def of(self, number):
        return self.commits[identify(number)]

    def __call__(self, ids):
        self.reads += len(ids)
        return {each: self.commits[each] for each in ids}

    def ancestors(self, number):
        found = {number}
        for parent in self.parents[number]:
            found |= self.ancestors(parent)
        return found


def identify(number):
    return object_id(str(number).encode())


@st.composite
def histories(draw):
    parents = [[]]
    for number in range(1, draw(st.integers(1, 16))):
        count = draw(st.integers(0, min(3, number)))
        above = draw(
            st.lists(st.integers(0, number - 1), min_size=count, max_size=count, unique=True)
        )
        parents.append(above)
    return History(parents)


@given(histories(), st.data())
def test_merge_bases_are_the_best_common_ancestors(history, data):
    numbers = st.integers(0, len(history.parents) - 1)
    ours, theirs = data.draw(numbers), data.draw(numbers)
    common = history.ancestors(ours) & history.ancestors(theirs)
    best = [
        one
        for one in common
        if not any(other != one and one in history.ancestors(other) for other in common)
    ]
    found = merge_bases(history, identify(ours), identify(theirs))
    assert found == sorted(identify(number) for number in best)
    assert found == merge_bases(history, identify(theirs), identify(ours))


@given(histories(), st.data())
def test_is_ancestor_agrees_with_the_set_of_ancestors(history, data):
    numbers = st.integers(0, len(history.parents) - 1)
    one, other = data.draw(numbers), data.draw(numbers)
    expected = one in history.ancestors(other)
    assert is_ancestor(history, identify(one), identify(other)) == expected


@given(histories())
def test_log_shows_each_ancestor_once_and_no_parent_before_its_child(history):
    start = len(history.parents) - 1
    shown = [int(commit.message) for _, commit in log(history, identify(start))]
    assert sorted(shown) == sorted(history.ancestors(start))
    for place, number in enumerate(shown):
        assert not set(shown[:place]) & set(history.parents[number])


@given(histories())
def test_the_first_parents_alone_make_one_line(history):
    number = len(history.parents) - 1
    line = [number]
    while history.parents[number]:
        number = history.parents[number][0]
        line.append(number)
    shown = log(history, identify(line[0]), follow=first_parent)
    assert [int(commit.message) for _, commit in shown] == line


def test_a_criss_cross_has_two_bases():
    history = History([[], [0], [0], [1, 2], [2, 1]])
    assert merge_bases(history, identify(3), identify(4)) == sorted([identify(1), identify(2)])


def test_the_base_of_a_short_branch_is_found_without_reading_the_history():
    parents = [[], *([number] for number in range(5000)), [4990]]
    history = History(parents)
    history.reads = 0
    assert merge_bases(history, identify(5000), identify(5001)) == [identify(4990)]
    assert history.reads < 30


def test_log_reads_no_more_than_it_shows():
    history = History([[], *([number] for number in range(5000))])
    history.reads = 0
    shown = log(history, identify(5000))
    for _ in range(100):
        next(shown)
    assert history.reads < 110
