from catalog.iceberg.merging.changes import Lists, Source, file_changes
from catalog.iceberg.scans.schemas import to_specs
from tests.iceberg.merging.handmade import History, data, equality_deletes, vector


def changes(history, before, after):
    """Give the names of what changed between two snapshots, by their place in the history."""
    snapshots = history.metadata["snapshots"]
    opened = []

    def read(path):
        opened.append(path)
        return history.files[path]

    source = Source(to_specs(history.metadata["partition-specs"]), {}, read, Lists(read))
    found = file_changes(None if before is None else snapshots[before], snapshots[after], source)
    names = [
        sorted(key[0] for key in part)
        for part in (found.added, found.removed, found.added_deletes, found.removed_deletes)
    ]
    return (*names, opened)


def test_a_snapshot_is_compared_with_its_parent():
    history = History(version=3).commit("append", data("a"), data("b"))
    history.commit("overwrite", data("c"), vector("v", "b"), removed=[data("a")])
    assert changes(history, 0, 1)[:4] == (["c"], ["a"], ["v"], [])
    assert changes(history, None, 0)[:4] == (["a", "b"], [], [], [])


def test_a_stretch_is_told_net():
    history = History().commit("append", data("a"), data("b"))
    history.commit("append", data("x"), equality_deletes("e"))
    history.commit("overwrite", data("y"), removed=[data("a"), data("x")])
    history.commit("delete", removed=[data("y"), equality_deletes("e")])
    assert changes(history, 0, 3)[:4] == ([], ["a"], [], [])
    assert changes(history, 0, 2)[:4] == (["y"], ["a"], ["e"], [])


def test_files_that_are_listed_as_carried_over_from_a_snapshot_in_between_are_added():
    """`x` was added by the second snapshot; the third rewrote its manifest, for `y` is gone."""
    history = History().commit("append", data("a"))
    history.commit("append", data("x"), data("y"))
    history.commit("delete", removed=[data("y")])
    assert changes(history, 0, 2)[:4] == (["x"], [], [], [])


def test_vectors_in_one_file_are_told_apart():
    history = History(version=3).commit("append", data("a"), data("b"))
    history.commit("delete", vector("v", "a", offset=4), vector("v", "b", offset=44))
    history.commit("delete", vector("w", "b", offset=4), removed=[vector("v", "b", offset=44)])
    assert changes(history, 1, 2)[2:4] == (["w"], ["v"])


def test_manifests_that_both_list_are_never_opened():
    history = History().commit("append", data("a"))
    for name in "bcdef":
        history.commit("append", data(name))
    *_, opened = changes(history, 4, 5)
    assert len(opened) == 3
    assert sum("snap" in path for path in opened) == 2
