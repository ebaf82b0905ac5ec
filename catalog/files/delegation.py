"""What of a warehouse's object storage clients may be given, as its storage properties say."""

from collections.abc import Mapping
from enum import StrEnum

from catalog.errors import InvalidInput

# How clients get at files; several, separated by commas. Without it they bring their own access.
ACCESS_DELEGATION = "access-delegation"
ROLE_ARN = "sts.role-arn"
STS_ENDPOINT = "sts.endpoint"
DURATION = "sts.duration-seconds"
# The bounds of AWS.
_MIN_SECONDS, _MAX_SECONDS = 900, 43200
_DEFAULT_SECONDS = 3600


class Delegation(StrEnum):
    """A way in which a client gets at the files of a table."""

    VENDED = "vended-credentials"
    SIGNING = "remote-signing"
    # The server's own, long-lived key for everybody who may load a table.
    STATIC = "static-credentials"


def delegations(storage: Mapping[str, str]) -> frozenset[Delegation]:
    """Return what a warehouse offers."""
    names = storage.get(ACCESS_DELEGATION, "").split(",")
    return frozenset(Delegation(name.strip()) for name in names if name.strip())


# What can be given for a location of each kind.
_OFFERS = {
    "s3": frozenset(Delegation),
    "abfss": frozenset({Delegation.VENDED}),
    "abfs": frozenset({Delegation.VENDED}),
    "gs": frozenset({Delegation.VENDED}),
}


def check_delegation(scheme: str, storage: Mapping[str, str]) -> None:
    """Check the properties that say what clients are given for locations of a scheme.

    Raises:
        InvalidInput: if a value is none that can be, or what vending needs is missing.
    """
    try:
        offered = delegations(storage)
    except ValueError as error:
        known = ", ".join(each.value for each in Delegation)
        raise InvalidInput(
            f"{ACCESS_DELEGATION} is {storage[ACCESS_DELEGATION]!r}, but each part must be one of"
            f" {known}"
        ) from error
    for each in offered - _OFFERS.get(scheme, frozenset()):
        raise InvalidInput(f"{each.value} is not to be had for locations under {scheme}:")
    if scheme == "s3" and Delegation.VENDED in offered and not storage.get(ROLE_ARN):
        raise InvalidInput(f"{Delegation.VENDED.value} needs {ROLE_ARN}, the role to assume")
    duration_seconds(storage)
    if Delegation.SIGNING in offered and region_of(storage) is None:
        raise InvalidInput(f"{Delegation.SIGNING.value} needs s3.region, which is signed")


def duration_seconds(storage: Mapping[str, str]) -> int:
    """Return how long vended credentials hold.

    Raises:
        InvalidInput: if that is not a number between what AWS allows.
    """
    text = storage.get(DURATION, str(_DEFAULT_SECONDS))
    if not text.isascii() or not text.isdigit() or not _MIN_SECONDS <= int(text) <= _MAX_SECONDS:
        raise InvalidInput(f"{DURATION} is {text!r}, not between {_MIN_SECONDS} and {_MAX_SECONDS}")
    return int(text)


def region_of(storage: Mapping[str, str]) -> str | None:
    """Return the region of the store, by either of its names."""
    return storage.get("s3.region") or storage.get("client.region")


def is_path_style(storage: Mapping[str, str]) -> bool:
    """Tell whether buckets stand in the path of an address, and never in its host."""
    return storage.get("s3.path-style-access", "false").lower() == "true"
