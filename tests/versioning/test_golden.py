"""Golden ids, and a verifier written from `docs/object-format.md` alone.

If a test here fails, ids of stored commits would change: that needs a new version of the format.
"""

import hashlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import Corruption
from catalog.versioning.ids import ObjectId, object_id
from catalog.versioning.object_store import ObjectCache, Objects
from catalog.versioning.objects import Commit, Entry, EntryKind
from catalog.versioning.tree import apply, empty_tree

PAGE = Path(__file__).parents[2] / "docs" / "object-format.md"

# The verifier. It knows keys as tuples, entries as lists, and nothing of `catalog`.


def cbor(item: Any) -> bytes:
    match item:
        case None:
            return b"\xf6"
        case int():
            return initial(0, item) if item >= 0 else initial(1, -1 - item)
        case bytes():
            return initial(2, len(item)) + item
        case str():
            return initial(3, len(item.encode())) + item.encode()
        case list():
            return initial(4, len(item)) + b"".join(map(cbor, item))
    raise TypeError(item)


def initial(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    for width, low in ((1, 24), (2, 25), (4, 26), (8, 27)):
        if number < 1 << 8 * width:
            return bytes([major << 5 | low]) + number.to_bytes(width, "big")
    raise ValueError(number)


def pairs(mapping: dict[str, Any]) -> list[list[Any]]:
    return [[name, mapping[name]] for name in sorted(mapping, key=str.encode)]


def sha256(item: list[Any]) -> bytes:
    return hashlib.sha256(cbor(item)).digest()


def key_bytes(key: tuple[str, ...]) -> bytes:
    return b"\0".join(level.encode() for level in key)


def is_border(level: int, key: bytes) -> bool:
    digest = hashlib.blake2b(key, digest_size=8, salt=level.to_bytes(16, "big")).digest()
    return int.from_bytes(digest, "big") % (64 if level else 32) == 0


def tree_id(entries: dict[tuple[str, ...], list[Any]]) -> bytes:
    items = sorted((key_bytes(key), cbor(entry)) for key, entry in entries.items())
    level = 0
    while True:
        nodes: list[list[tuple[bytes, bytes]]] = [[]]
        for item in items:
            nodes[-1].append(item)
            if is_border(level, item[0]):
                nodes.append([])
        if len(nodes) > 1 and not nodes[-1]:
            nodes.pop()
        ids = [sha256([1, 1, level, [k for k, _ in each], [v for _, v in each]]) for each in nodes]
        if len(ids) == 1:
            return ids[0]
        items = [(each[-1][0], node_id) for each, node_id in zip(nodes, ids, strict=True)]
        level += 1


def commit_id(
    tree: bytes, parents: list[bytes], generation: int, micros: int, message: str, **more: Any
) -> bytes:
    author, committer = more["author"], more["committer"]
    keys = sorted(map(key_bytes, more["changed_keys"]))
    metadata = pairs(more["metadata"])
    return sha256(
        [2, 1, tree, parents, generation, author, committer, micros, message, metadata, keys]
    )


# What Mainstem makes of the same


def fresh() -> Objects:
    return Objects(lambda ids: {}, ObjectCache(1 << 26))


KINDS = [EntryKind.NAMESPACE, EntryKind.TABLE, EntryKind.VIEW, EntryKind.FUNCTION]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
LEVEL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
FACTS = st.dictionaries(TEXT, TEXT | st.integers(-(1 << 64), (1 << 64) - 1), max_size=4)
ENTRIES = st.builds(
    Entry,
    st.sampled_from(KINDS),
    TEXT,
    st.none() | TEXT,
    st.dictionaries(TEXT, TEXT, max_size=4),
    FACTS,
)


def described(entry: Entry) -> list[Any]:
    return [
        KINDS.index(entry.kind) + 1,
        entry.uuid,
        entry.metadata_location,
        pairs(dict(entry.properties)),
        pairs(dict(entry.facts)),
    ]


def table(number: int) -> Entry:
    return Entry(EntryKind.TABLE, f"uuid-{number}", f"s3://lake/{number}.metadata.json")


@given(st.dictionaries(st.lists(LEVEL, min_size=1, max_size=3).map(tuple), ENTRIES, max_size=12))
def test_the_verifier_finds_the_id_of_any_tree(state):
    objects = fresh()
    root = apply(objects, empty_tree(objects), state)
    assert root == tree_id({key: described(entry) for key, entry in state.items()})


@pytest.mark.parametrize("size", [1, 31, 100, 5000])
def test_the_verifier_finds_the_id_of_large_trees(size: int):
    objects = fresh()
    state = {("ns", f"table_{number}"): table(number) for number in range(size)}
    root = apply(objects, empty_tree(objects), state)
    assert root == tree_id({key: described(entry) for key, entry in state.items()})


@given(
    st.lists(st.binary(min_size=32, max_size=32), max_size=2),
    st.integers(0, 1 << 40),
    st.datetimes(timezones=st.just(UTC)),
    st.tuples(TEXT, TEXT, TEXT),
    st.dictionaries(TEXT, TEXT, max_size=4),
    st.lists(st.lists(LEVEL, min_size=1, max_size=3).map(tuple), max_size=5, unique=True),
)
def test_the_verifier_finds_the_id_of_any_commit(parents, generation, at, texts, metadata, keys):
    objects = fresh()
    keys.sort(key=key_bytes)
    author, committer, message = texts
    tree = empty_tree(objects)
    made = objects.put_commit(
        Commit(
            tree,
            tuple(map(ObjectId, parents)),
            generation,
            author,
            committer,
            at,
            message,
            metadata,
            tuple(keys),
        )
    )
    micros = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert made == commit_id(
        tree,
        parents,
        generation,
        micros,
        message,
        author=author,
        committer=committer,
        metadata=metadata,
        changed_keys=keys,
    )


# Golden ids: of the worked example, and of a tree of three levels


SLIDES = Entry(
    EntryKind.TABLE,
    "3b1f6c2e-9d47-4f0a-8c11-6a2be47d9905",
    "s3://lake/ml/slides/metadata/00000-a.metadata.json",
    facts={"total-records": 569, "format-version": 2},
)
ML = Entry(
    EntryKind.NAMESPACE,
    "8f0c1d52-5b1e-4c55-9a0e-0d3f5a1c7e21",
    properties={"owner": "pathology"},
)
EXAMPLE = [
    "4ce57d1810e3c260d31926721c5ca8c9313bc3624c466bc7ec2c59fb1b5722f2",
    "010dacfba3fc9f8449fa4a878a8f0b874382d2cebf057ddc49b4b6185333a08d",
    "eab46bbb7ffeaf8e93b82a50cc94f54a506a3e45ddfb05b19e840810bf2abe34",
    "307bbfbc0091c3a4c0ef174ae48da01ce2c33c6c7a8251eb65fda6e02f6822db",
]


def test_the_worked_example_has_its_ids():
    objects = fresh()
    empty = empty_tree(objects)
    eight = datetime(2026, 11, 23, 8, tzinfo=UTC)
    named = {"mainstem.warehouse": "5d0e"}
    first = objects.put_commit(
        Commit(empty, (), 0, "mainstem", "mainstem", eight, "Create warehouse lake", named, ())
    )
    keys = (("ml",), ("ml", "slides"))
    root = apply(objects, empty, {keys[0]: ML, keys[1]: SLIDES})
    later = eight + timedelta(milliseconds=250)
    second = objects.put_commit(
        Commit(root, (first,), 1, "Ada", "etl", later, "Create table ml.slides", {}, keys)
    )
    assert [each.hex() for each in (empty, first, root, second)] == EXAMPLE


def test_the_page_shows_the_bytes_of_the_worked_example():
    example = PAGE.read_text(encoding="utf-8").partition("## A worked example")[2]
    told = re.findall(r"`([0-9a-f]{64})`", example)
    shown = []
    for block in re.findall(r"```\n(.*?)```", example, re.DOTALL):
        lines = [line.split(" ", 1)[0] for line in block.splitlines()]
        shown.append(object_id(bytes.fromhex("".join(lines))).hex())
    assert told == shown == EXAMPLE


def test_a_tree_of_three_levels_has_its_id():
    objects = fresh()
    state = {("ns", f"table_{number}"): table(number) for number in range(5000)}
    root = apply(objects, empty_tree(objects), state)
    assert objects.node(root).level == 2
    assert root.hex() == "714fd91a6306e720a25c178b90b206ce7bcb4725e0e5d7aef15c96bd17aacb65"


@pytest.mark.parametrize(
    "data",
    [
        "850101008080f6",  # more than one item
        "8501010080",  # cut short
        "9f0101008080ff",  # indefinite length
        "85 1801 01 00 80 80",  # an integer that is longer than it must be
        "850102008080",  # an unknown version
        "850301008080",  # an unknown type
        "85010100 82 4162 4161 82 4178 4179",  # keys out of order
        "8401010080",  # an item short
    ],
)
def test_what_is_not_in_the_one_allowed_form_is_refused(data: str):
    stored = bytes.fromhex(data)
    identifier = object_id(stored)
    objects = Objects(lambda ids: {identifier: stored}, ObjectCache(1 << 20))
    with pytest.raises(Corruption):
        objects.node(identifier)
