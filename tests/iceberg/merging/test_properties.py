"""Properties of a table: by key, along with columns, and what is never taken from the source."""

import orjson
import pytest

from tests.iceberg.merging.tables import (
    add,
    apply,
    drop,
    field,
    names,
    put,
    rename,
    set_properties,
    struct,
    table,
    unset,
)
from tests.iceberg.merging.test_shapes import merged, problems

METRICS = "write.metadata.metrics.column."
MAPPING = "schema.name-mapping.default"


def properties(base, ours, theirs):
    found = merged(base, ours, theirs).metadata["properties"]
    return {key: value for key, value in found.items() if key != "gc.enabled"}


def test_each_key_goes_its_way():
    base = apply(table(), put(a="1", b="1", c="1", d="1"))
    ours = [put(a="2", new="o"), unset("c")]
    theirs = [put(b="2", other="t"), unset("d")]
    assert properties(base, ours, theirs) == {"a": "2", "b": "2", "new": "o", "other": "t"}


@pytest.mark.parametrize(
    ("ours", "theirs", "words"),
    [
        (put(a="2"), put(a="3"), "is '2' on the target and '3' on the source; before, it was '1'."),
        (put(a="2"), unset("a"), "removed on the source and set to '2' on the target"),
        (unset("a"), put(a="3"), "removed on the target and set to '3' on the source"),
        (put(b="2"), put(b="3"), "before, it was not set."),
    ],
)
def test_two_values_of_one_key_are_a_conflict(ours, theirs, words):
    found = problems(apply(table(), put(a="1")), [ours], [theirs])
    assert list(found) == ["property-conflict"]
    assert words in found["property-conflict"]


@pytest.mark.parametrize(
    "key",
    [
        *(
            "write.data.path",
            "write.metadata.path",
            "write.object-storage.enabled",
            "s3.access-key",
        ),
        *("write.wap.enabled", "history.expire.max-snapshot-age-ms", "commit.retry.num-retries"),
        *("encryption.key-id", "location"),
    ],
)
def test_what_is_the_targets_own_is_not_taken(key):
    result = merged(table(), [put(a="1")], [set_properties({key: "7"})])
    assert key not in result.metadata["properties"]
    assert result.notes == (
        f"The property {key} of the source was not taken: it is the target's own.",
    )
    kept = merged(table(), [set_properties({key: "7"})], [set_properties({key: "8"})])
    assert kept.metadata["properties"][key] == "7"


def test_copies_of_other_parts_are_not_taken():
    assert properties(table(), [put(a="1")], [set_properties({"numRows": "7"})]) == {"a": "1"}


def test_what_changes_how_engines_write_is_taken_and_told():
    result = merged(table(), [put(a="1")], [set_properties({"write.merge.mode": "merge-on-read"})])
    assert result.metadata["properties"]["write.merge.mode"] == "merge-on-read"
    assert result.notes == (
        "The property write.merge.mode is set to merge-on-read, as on the source.",
    )


# --- keys that name a column ---------------------------------------------------------------------


def of(column, value="full"):
    return set_properties({METRICS + column: value})


def test_a_key_follows_its_column_through_a_rename_on_either_side():
    base = apply(table(), of("v", "none"))
    renamed = [rename("v", "w"), unset(METRICS + "v"), of("w", "none")]
    expected = {METRICS + "w": "full"}
    assert properties(base, renamed, [of("v")]) == expected
    assert properties(base, [of("v")], renamed) == expected
    # pyiceberg renames the column and leaves the key as it was.
    assert properties(base, [of("v")], [rename("v", "w")]) == expected


def test_a_key_goes_with_its_column():
    base = apply(table(), of("v"))
    assert properties(base, [put(a="1")], [drop("v"), unset(METRICS + "v")]) == {"a": "1"}


def test_a_key_set_for_a_dropped_column_is_a_conflict():
    base = apply(table(), of("v", "none"))
    for ours, theirs in (([of("v")], [drop("v")]), ([drop("v")], [of("v")])):
        found = problems(base, ours, theirs)
        assert list(found) == ["column-used-and-dropped"]
        assert METRICS + "v" in found["column-used-and-dropped"]


def test_one_column_with_two_values_is_a_conflict_under_whatever_name():
    base = apply(table(), of("v", "none"))
    theirs = [rename("v", "w"), unset(METRICS + "v"), of("w", "counts")]
    assert "property-conflict" in problems(base, [of("v")], theirs)


def test_both_names_of_a_renamed_column_may_have_keys():
    base = table()
    ours = [of("v", "none"), rename("v", "w"), of("w", "full")]
    expected = {METRICS + "v": "none", METRICS + "w": "full"}
    assert properties(base, ours, []) == expected
    assert properties(base, [], ours) == expected


# --- the name mapping ----------------------------------------------------------------------------


def mapping(*entries):
    return set_properties({MAPPING: orjson.dumps(list(entries)).decode()})


def entry(field_id, *known, **more):
    return {"field-id": field_id, "names": list(known), **more}


ENTRIES = [entry(1, "id"), entry(2, "v"), entry(3, "name"), entry(4, "at")]


def test_name_mappings_are_joined_by_field_id():
    base = apply(table(), mapping(*ENTRIES))
    ours = [rename("v", "w"), mapping(ENTRIES[0], entry(2, "v", "w"), *ENTRIES[2:])]
    theirs = [add("t"), mapping(*ENTRIES, entry(5, "t"))]
    found = orjson.loads(properties(base, ours, theirs)[MAPPING])
    assert found == [
        ENTRIES[0],
        entry(2, "v", "w"),
        *ENTRIES[2:],
        entry(5, "t"),
    ]


def test_the_mapping_of_a_column_with_a_fresh_id_has_the_fresh_id():
    base = apply(table(), mapping(*ENTRIES))
    ours = [add("o"), mapping(*ENTRIES, entry(5, "o"))]
    theirs = [add("t"), mapping(*ENTRIES, entry(5, "t"))]
    result = merged(base, ours, theirs)
    found = orjson.loads(result.metadata["properties"][MAPPING])
    assert found[4:] == [entry(5, "o"), entry(6, "t")]
    assert names(result.metadata)[4:] == ["o", "t"]


def test_nested_entries_stay_where_they_are():
    nested = table(field(1, "s", struct(field(2, "x"), field(3, "y"))))
    before = entry(1, "s", fields=[entry(2, "x"), entry(3, "y")])
    base = apply(nested, mapping(before))
    ours = mapping(entry(1, "s", fields=[entry(2, "x", "xx"), entry(3, "y")]))
    theirs = mapping(entry(1, "s", fields=[entry(2, "x"), entry(3, "y", "yy")]))
    found = orjson.loads(properties(base, [ours], [theirs])[MAPPING])
    assert found == [entry(1, "s", fields=[entry(2, "x", "xx"), entry(3, "y", "yy")])]


def test_one_name_for_two_fields_is_a_conflict():
    base = apply(table(), mapping(*ENTRIES))
    ours = mapping(entry(1, "id", "old"), *ENTRIES[1:])
    theirs = mapping(ENTRIES[0], entry(2, "v", "old"), *ENTRIES[2:])
    assert list(problems(base, [ours], [theirs])) == ["property-conflict"]


def test_what_is_no_mapping_is_a_value_like_any_other():
    base = apply(table(), mapping(*ENTRIES))
    broken = set_properties({MAPPING: "{"})
    assert list(problems(base, [broken], [mapping(ENTRIES[0])])) == ["property-conflict"]
    assert properties(base, [put(a="1")], [broken])[MAPPING] == "{"
