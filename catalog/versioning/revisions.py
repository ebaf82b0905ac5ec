"""Names of refs and warehouses, the grammar of revisions, and prefixes of Iceberg paths.

revision = ( name [ "@{" ( time | "now" ) "}" ] | hex digits, 8 to 64 ) *( "~" [n] | "^" [n] )
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from catalog.clock import parse_time
from catalog.errors import InvalidInput
from catalog.versioning.ids import ObjectId, from_hex, to_hex

RefName = NewType("RefName", str)

_MAX_NAME_BYTES = 255
_MAX_STEPS = 100_000
_HEX = re.compile(r"[0-9a-fA-F]{8,64}")
_WAREHOUSE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]")
_STEP = re.compile(r"~([0-9]*)|\^([0-9]*)|@\{([^}]*)\}")


@dataclass(frozen=True, slots=True)
class Name:
    """The name of a branch or a tag."""

    name: RefName


@dataclass(frozen=True, slots=True)
class IdPrefix:
    """A commit id or the beginning of one, in lower-case hex."""

    prefix: str


@dataclass(frozen=True, slots=True)
class Ancestor:
    """`~n`: the n-th ancestor by first parents."""

    count: int


@dataclass(frozen=True, slots=True)
class Parent:
    """`^n`: the n-th parent; 0 is the commit itself."""

    number: int


@dataclass(frozen=True, slots=True)
class At:
    """`@{time}`: where the branch stood then; None is `@{now}`."""

    moment: datetime | None


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision as parsed: where it begins, and the steps from there."""

    base: Name | IdPrefix
    steps: tuple[Ancestor | Parent | At, ...] = ()


@dataclass(frozen=True, slots=True)
class Prefix:
    """What the prefix of an Iceberg path stands for: a branch, or else a commit."""

    warehouse: str
    branch: RefName | None = None
    commit: ObjectId | None = None


def check_ref_name(text: str) -> RefName:
    """Return the name if a ref may be called so; git's rules, and no name that reads as an id.

    Raises:
        InvalidInput: with the rule that it breaks.
    """
    broken = _broken_rule(text)
    if broken is not None:
        raise InvalidInput(f"Invalid ref name {text!r}: {broken}", name=text)
    return RefName(text)


def _broken_rule(text: str) -> str | None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return "it is not valid Unicode"
    parts = text.split("/")
    rules = (
        (not 1 <= size <= _MAX_NAME_BYTES, f"it must have 1 to {_MAX_NAME_BYTES} bytes"),
        (text == "HEAD", "HEAD is reserved"),
        (text == "@", "a single @ is reserved"),
        (any(not part for part in parts), "no part between slashes may be empty"),
        (any(part.startswith(".") for part in parts), "no part may begin with a dot"),
        (any(part.endswith(".lock") for part in parts), "no part may end in .lock"),
        (".." in text, "it must not hold two dots in a row"),
        ("@{" in text, "it must not hold @{"),
        (text.endswith("."), "it must not end in a dot"),
        (text.startswith("-"), "it must not begin with a dash"),
        (_FORBIDDEN.search(text) is not None, r"no blank, control character or one of ~^:?*[\ "),
        (_HEX.fullmatch(text) is not None, "8 to 64 hex digits would read as a commit id"),
    )
    return next((rule for broken, rule in rules if broken), None)


def check_warehouse_name(text: str) -> str:
    """Return the name if a warehouse may be called so: it stands in paths without escaping.

    Raises:
        InvalidInput: if it may not.
    """
    if _WAREHOUSE.fullmatch(text) is None:
        raise InvalidInput(
            f"Invalid warehouse name {text!r}: 1 to 63 letters, digits, '_' or '-', beginning"
            " with a letter or digit",
            name=text,
        )
    return text


def parse_revision(text: str) -> Revision:
    """Parse a revision.

    Raises:
        InvalidInput: saying what is wrong with it.
    """
    begin = re.search(r"[~^]|@\{", text)
    head = text if begin is None else text[: begin.start()]
    if head in ("", "@", "HEAD"):
        # What git takes for the branch that is checked out, which no server has.
        raise InvalidInput(
            f"Invalid revision {text!r}: begin with the name of a branch or tag or a commit id, for"
            " example main, main~3 or main@{now}",
            revision=text,
        )
    base = (
        IdPrefix(head.lower()) if _HEX.fullmatch(head) is not None else Name(check_ref_name(head))
    )
    steps: list[Ancestor | Parent | At] = []
    position = len(head)
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            raise InvalidInput(
                f"Invalid revision {text!r}: cannot read {text[position:]!r}; write for example"
                " main~3, main^2 or main@{2026-11-23T08:00:00Z}",
                revision=text,
            )
        steps.append(_step(match, text))
        position = match.end()
    if any(isinstance(step, At) for step in steps[1:]) or (
        steps and isinstance(steps[0], At) and isinstance(base, IdPrefix)
    ):
        raise InvalidInput(
            f"Invalid revision {text!r}: @{{…}} follows the name of a branch directly",
            revision=text,
        )
    return Revision(base, tuple(steps))


def _step(match: re.Match[str], text: str) -> Ancestor | Parent | At:
    tilde, caret, moment = match.groups()
    if moment is not None:
        return At(None if moment == "now" else parse_time(moment))
    digits = tilde if tilde is not None else caret
    if len(digits) > len(str(_MAX_STEPS)) or int(digits or 1) > _MAX_STEPS:
        raise InvalidInput(f"Invalid revision {text!r}: at most {_MAX_STEPS} steps", revision=text)
    count = int(digits or 1)
    return Ancestor(count) if tilde is not None else Parent(count)


def split_revision(text: str) -> tuple[str, str | None]:
    """Split `name@revision` at the first `@`; without one there is no revision."""
    name, found, revision = text.partition("@")
    return (name, revision) if found else (text, None)


def encode_prefix(
    warehouse: str, *, branch: str | None = None, commit: ObjectId | None = None
) -> str:
    """Return one path segment of unreserved characters, which no client escapes.

    `/` of a branch becomes `~`, which no ref name holds; any other byte outside `A-Za-z0-9._-`
    becomes `..` and two hex digits, for no ref name holds `..` either. A commit is `~` and its id,
    since no ref name begins with a slash.
    """
    if branch is None:
        assert commit is not None
        return f"{warehouse}.~{to_hex(commit)}"
    return f"{warehouse}.{''.join(_escape(byte) for byte in branch.encode())}"


def _escape(byte: int) -> str:
    character = chr(byte)
    if character == "/":
        return "~"
    if byte < 128 and (character.isalnum() or character in "._-"):
        return character
    return f"..{byte:02x}"


def decode_prefix(text: str) -> Prefix:
    """Read what `encode_prefix` wrote.

    Raises:
        InvalidInput: if `text` is nothing of the kind.
    """
    warehouse, found, ref = text.partition(".")
    if not found or not ref:
        raise InvalidInput(f"Invalid prefix {text!r}: ask /v1/config for the one to use")
    check_warehouse_name(warehouse)
    if ref.startswith("~"):
        return Prefix(warehouse, commit=from_hex(ref[1:]))
    data = bytearray()
    position = 0
    while position < len(ref):
        escaped = re.compile(r"\.\.([0-9a-f]{2})").match(ref, position)
        if escaped is not None:
            data.append(int(escaped[1], 16))
            position = escaped.end()
        else:
            data += b"/" if ref[position] == "~" else ref[position].encode()
            position += 1
    try:
        return Prefix(warehouse, branch=check_ref_name(data.decode()))
    except UnicodeDecodeError as error:
        raise InvalidInput(f"Invalid prefix {text!r}: not UTF-8") from error
