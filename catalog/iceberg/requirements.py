"""Check the requirements of a commit against the metadata that it found."""

from collections.abc import Sequence

from catalog.errors import CommitFailed, InvalidInput, ValidationFailed
from catalog.iceberg.metadata import Metadata, completed

# Requirement type -> member of the metadata, and Java's words for it.
_IDS = {
    "assert-last-assigned-field-id": ("last-column-id", "last assigned field id"),
    "assert-current-schema-id": ("current-schema-id", "current schema"),
    "assert-last-assigned-partition-id": ("last-partition-id", "last assigned partition id"),
    "assert-default-spec-id": ("default-spec-id", "default partition spec"),
    "assert-default-sort-order-id": ("default-sort-order-id", "default sort order"),
}


def check_requirements(requirements: Sequence[Metadata], metadata: Metadata | None) -> None:
    """Check parsed requirements, in order, against a table's metadata, None if there is none.

    Raises:
        CommitFailed: if one does not hold.
        InvalidInput: if one cannot be asked of a table, or `assert-create` stands beside another.
    """
    if is_create(requirements):
        if metadata is not None:
            raise CommitFailed("Requirement failed: table already exists")
        return
    if metadata is None:
        if requirements:
            raise CommitFailed("Requirement failed: table does not exist")
        return
    filled = completed(metadata)
    for requirement in requirements:
        _check(requirement, filled)


def is_create(requirements: Sequence[Metadata]) -> bool:
    """Tell whether the requirements are those of a creation.

    Raises:
        InvalidInput: if `assert-create` stands beside another requirement.
    """
    kinds = [requirement["type"] for requirement in requirements]
    if "assert-create" not in kinds:
        return False
    if set(kinds) != {"assert-create"}:
        raise InvalidInput(f"Invalid create requirements: {kinds}")
    return True


def check_uuid(requirement: Metadata, actual: str | None, what: str) -> None:
    """Check that a uuid is the one required, ignoring case.

    Raises:
        CommitFailed: if it is not.
    """
    given = requirement["uuid"]
    if actual is None or actual.lower() != given.lower():
        raise CommitFailed(
            f"Requirement failed: {what} does not match: expected {actual} != {given}"
        )


def _check(requirement: Metadata, metadata: Metadata) -> None:
    match requirement["type"]:
        case "assert-table-uuid":
            check_uuid(requirement, metadata.get("table-uuid"), "UUID")
        case "assert-ref-snapshot-id":
            _check_ref(requirement, metadata["refs"])
        case "assert-view-uuid":
            raise ValidationFailed("Cannot validate AssertViewUUID against a table")
        case kind:
            member, what = _IDS[kind]
            given, actual = requirement[kind.removeprefix("assert-")], metadata[member]
            if given != actual:
                raise CommitFailed(
                    f"Requirement failed: {what} changed: expected id {given} != {actual}"
                )


def _check_ref(requirement: Metadata, refs: Metadata) -> None:
    name, expected = requirement["ref"], requirement["snapshot-id"]
    ref = refs.get(name)
    if ref is None:
        if expected is not None:
            raise CommitFailed(
                f"Requirement failed: branch or tag {name} is missing, expected {expected}"
            )
        return
    kind, actual = ref["type"].lower(), ref["snapshot-id"]
    if expected is None:
        raise CommitFailed(f"Requirement failed: {kind} {name} was created concurrently")
    if expected != actual:
        raise CommitFailed(
            f"Requirement failed: {kind} {name} has changed: expected id {expected} != {actual}"
        )
