"""Protections: rules on refs whose name matches a pattern, and their verdict on a move of one.

A protection is not part of versioned content, so a branch cannot carry, and edit, the gate that it
must pass. Every kind of move is judged here, so that no operation goes round another's rule.

A pattern is matched part by part, parts being what `/` divides. In a part `*` stands for any
characters and `?` for one, neither for `/`. A part `**` stands for any number of parts: also none
at the beginning or in the middle, at least one at the end (`release/**` is all that lies inside
`release/`; `**` alone is every ref). Matching minds case.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

from catalog.errors import InvalidInput

_MAX_PATTERN_BYTES = 255
_MAX_CHECK_NAME_BYTES = 255
# What no ref name may contain, except the two wildcards.
_NEVER_IN_PATTERNS = re.compile(r"[\x00-\x20\x7f~^:\[\\]|\.\.|@\{")


class MoveKind(StrEnum):
    """The ways in which a ref can move."""

    COMMIT = "commit"
    MERGE = "merge"
    RESET = "reset"
    CREATE = "create"
    DELETE = "delete"
    CREATE_TAG = "create-tag"
    DELETE_TAG = "delete-tag"


class CheckState(StrEnum):
    """What a check says of a commit."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Rules:
    """What one protection asks for.

    `required_approvals` is part of the interface, but 0 is its only value until there are reviews.
    Without `merge_inside_tables` a table that both sides changed is a conflict.
    """

    require_merge: bool = False
    required_checks: tuple[str, ...] = ()
    required_approvals: int = 0
    forbid_delete: bool = False
    forbid_reset: bool = False
    merge_inside_tables: bool = True

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Rules":
        """Read rules; what is left out is not asked for.

        Raises:
            InvalidInput: naming the member that is unknown or has a value that cannot be.
        """
        known = {field.name for field in fields(cls)}
        for name in document:
            if name not in known:
                raise InvalidInput(f"A protection has no rule {name!r}", rule=name)
        for name in sorted((known - {"required_checks"}) & document.keys()):
            wanted = int if name == "required_approvals" else bool
            if type(document[name]) is not wanted:
                raise InvalidInput(
                    f"{name} must be {'a whole number' if wanted is int else 'true or false'},"
                    f" not {document[name]!r}",
                    rule=name,
                )
        if document.get("required_approvals", 0) != 0:
            raise InvalidInput(
                "required_approvals must be 0: this server has no reviews yet, so no merge could"
                f" ever have {document['required_approvals']} approvals",
                rule="required_approvals",
            )
        members = dict(document)
        members["required_checks"] = _check_names(document.get("required_checks", []))
        return cls(**members)

    def to_json(self) -> dict[str, Any]:
        """Return the rules as a JSON object that names every rule."""
        return {**asdict(self), "required_checks": list(self.required_checks)}


@dataclass(frozen=True, slots=True)
class RefMove:
    """What is about to happen to which ref; `operation` is the reflog's word for it.

    `merges_inside` says that a table which both sides changed was merged inside.
    """

    kind: MoveKind
    ref: str
    operation: str
    merges_inside: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """The rule that forbids a move, the pattern that it stands under, and the reason in words."""

    rule: str
    pattern: str
    detail: str


def check_pattern(pattern: str) -> str:
    """Return the pattern if it can be one.

    Raises:
        InvalidInput: with the rule that it breaks.
    """
    if not pattern or len(pattern.encode(errors="surrogatepass")) > _MAX_PATTERN_BYTES:
        raise InvalidInput(f"A pattern has 1 to {_MAX_PATTERN_BYTES} bytes", pattern=pattern)
    found = _NEVER_IN_PATTERNS.search(pattern)
    if found is not None:
        raise InvalidInput(
            f"Invalid pattern {pattern!r}: no ref name contains {found.group()!r};"
            " the wildcards are *, ? and **",
            pattern=pattern,
        )
    for part in pattern.split("/"):
        if not part:
            raise InvalidInput(
                f"Invalid pattern {pattern!r}: a part between slashes is empty", pattern=pattern
            )
        if "**" in part and part != "**":
            raise InvalidInput(
                f"Invalid pattern {pattern!r}: ** must stand alone between slashes,"
                f" not as {part!r}",
                pattern=pattern,
            )
    return pattern


def matches(pattern: str, ref: str) -> bool:
    """Say whether a ref's name matches a pattern."""
    return re.fullmatch(_expression(pattern), ref, re.DOTALL) is not None


def verdict(rules: Mapping[str, Rules], move: RefMove, checks: Mapping[str, str]) -> Refusal | None:
    """Judge a move by every protection whose pattern matches; None lets it pass.

    `checks` are the latest states by name on the commit that the move brings in: the source's head
    for a merge, the target of a reset, nothing for a direct commit.
    """
    matching = {pattern: rules[pattern] for pattern in sorted(rules) if matches(pattern, move.ref)}
    for judge in _JUDGES[move.kind]:
        refusal = judge(matching, move, checks)
        if refusal is not None:
            return refusal
    return None


def inside_refusal(rules: Mapping[str, Rules], ref: str) -> Refusal | None:
    """Return why no table may be merged inside on its way to a ref; None if it may.

    A merge that knows it makes a conflict of each table that both sides changed.
    """
    for pattern in sorted(rules):
        if not rules[pattern].merge_inside_tables and matches(pattern, ref):
            return Refusal(
                "merge_inside_tables",
                pattern,
                f"Branch {ref!r} takes no tables that were merged inside (protection {pattern!r},"
                " rule merge_inside_tables): take the target's or the source's side of each table"
                " that both changed",
            )
    return None


_Judge = Callable[[Mapping[str, Rules], RefMove, Mapping[str, str]], Refusal | None]


def _require_merge(
    rules: Mapping[str, Rules], move: RefMove, checks: Mapping[str, str]
) -> Refusal | None:
    for pattern, rule in rules.items():
        if rule.require_merge:
            return Refusal(
                "require_merge",
                pattern,
                f"Branch {move.ref!r} takes merges only (protection {pattern!r}, rule"
                f" require_merge), so {move.operation} is refused: create a branch from it, make"
                " the change there, and merge that branch",
            )
    return None


def _required_checks(
    rules: Mapping[str, Rules], move: RefMove, checks: Mapping[str, str]
) -> Refusal | None:
    for pattern, rule in rules.items():
        wanting = [
            f"{name} is {checks.get(name, 'missing')}"
            for name in rule.required_checks
            if checks.get(name) != CheckState.SUCCESS
        ]
        if wanting:
            return Refusal(
                "required_checks",
                pattern,
                f"Branch {move.ref!r} takes only what has passed its checks (protection"
                f" {pattern!r}, rule required_checks): {', '.join(wanting)}{_where(move)}",
            )
    return None


def _where(move: RefMove) -> str:
    if move.kind is MoveKind.MERGE:
        return " on the head of the source"
    if move.kind is MoveKind.RESET:
        return " on the commit to reset to"
    return "; a direct commit has no checks, so make the change on a branch, check it and merge"


def _guarded(
    rules: Mapping[str, Rules], move: RefMove, checks: Mapping[str, str]
) -> Refusal | None:
    """Refuse to delete a guarded branch, which could be created again at any commit."""
    for pattern, rule in rules.items():
        name = "require_merge" if rule.require_merge else "required_checks"
        if rule.require_merge or rule.required_checks:
            return Refusal(
                name,
                pattern,
                f"Branch {move.ref!r} is guarded (protection {pattern!r}, rule {name}) and cannot"
                " be deleted, since it could then be created again anywhere; remove the protection"
                " first",
            )
    return None


def _forbid_delete(
    rules: Mapping[str, Rules], move: RefMove, checks: Mapping[str, str]
) -> Refusal | None:
    for pattern, rule in rules.items():
        if rule.forbid_delete:
            return Refusal(
                "forbid_delete",
                pattern,
                f"{move.ref!r} must not be deleted (protection {pattern!r}, rule forbid_delete)",
            )
    return None


def _merge_inside_tables(
    rules: Mapping[str, Rules], move: RefMove, checks: Mapping[str, str]
) -> Refusal | None:
    return inside_refusal(rules, move.ref) if move.merges_inside else None


def _forbid_reset(
    rules: Mapping[str, Rules], move: RefMove, checks: Mapping[str, str]
) -> Refusal | None:
    for pattern, rule in rules.items():
        if rule.forbid_reset:
            return Refusal(
                "forbid_reset",
                pattern,
                f"Branch {move.ref!r} must not be reset (protection {pattern!r}, rule"
                " forbid_reset); revert the commits instead, so that history stays",
            )
    return None


# Creating a ref takes nothing from anybody. A tag holds no line of work, so only its deletion is
# anyone's concern.
_JUDGES: Mapping[MoveKind, tuple[_Judge, ...]] = {
    MoveKind.COMMIT: (_require_merge, _required_checks, _merge_inside_tables),
    MoveKind.MERGE: (_required_checks, _merge_inside_tables),
    MoveKind.RESET: (_forbid_reset, _require_merge, _required_checks),
    MoveKind.CREATE: (),
    MoveKind.DELETE: (_forbid_delete, _guarded),
    MoveKind.CREATE_TAG: (),
    MoveKind.DELETE_TAG: (_forbid_delete,),
}


def _check_names(document: object) -> tuple[str, ...]:
    if not isinstance(document, list | tuple):
        raise InvalidInput(
            f"required_checks must be a list of names, not {document!r}", rule="required_checks"
        )
    names = tuple(check_name(name) for name in document)
    if len(set(names)) < len(names):
        raise InvalidInput("required_checks names a check twice", rule="required_checks")
    return names


def check_name(name: object) -> str:
    """Return the name of a check if it can be one.

    Raises:
        InvalidInput: with the rule that it breaks.
    """
    if not isinstance(name, str) or not name.strip():
        raise InvalidInput(f"A check's name is a text that is not empty, not {name!r}")
    if len(name.encode(errors="surrogatepass")) > _MAX_CHECK_NAME_BYTES:
        raise InvalidInput(f"A check's name has at most {_MAX_CHECK_NAME_BYTES} bytes")
    if any(ord(character) < 32 or ord(character) == 127 for character in name):
        raise InvalidInput(f"A check's name has no control characters: {name!r}")
    return name


def _expression(pattern: str) -> str:
    parts = pattern.split("/")
    pieces = []
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if part == "**":
            pieces.append(".+" if last else "(?:[^/]+/)*")
        else:
            literal = re.escape(part).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
            pieces.append(literal if last else f"{literal}/")
    return "".join(pieces)
