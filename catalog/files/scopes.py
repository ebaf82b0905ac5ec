"""A part of a bucket or container, what a client may do there, and how that is said to S3."""

import json
from dataclasses import dataclass
from typing import Any

from catalog.iceberg.locations import normalise

_READ = ["s3:GetObject", "s3:GetObjectVersion"]
# Not to delete: what this branch does not need another may, or a release, and not every engine
# heeds `gc.enabled`.
_WRITE = ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
_SCHEMES = ("s3", "abfss", "abfs", "gs")
# What IAM would take for a pattern.
_PATTERN_CHARACTERS = "*?$"


@dataclass(frozen=True, slots=True)
class Scope:
    """All keys of a bucket below `prefix`, which ends without a slash.

    Azure's is called `container@account.dfs.core.windows.net`.
    """

    bucket: str
    prefix: str
    read_only: bool

    def holds(self, key: str) -> bool:
        """Tell whether a key lies in the scope; steps up or beside are in none."""
        steps = key.split("/")
        return key.startswith(f"{self.prefix}/") and "." not in steps and ".." not in steps

    @property
    def arn(self) -> str:
        """The bucket's name in policies."""
        return f"arn:aws:s3:::{self.bucket}"

    def policy(self) -> str:
        """Return the session policy that allows this scope and nothing else."""
        statements: list[dict[str, Any]] = [
            {
                "Effect": "Allow",
                "Action": _READ if self.read_only else _READ + _WRITE,
                "Resource": [f"{self.arn}/{self.prefix}/*"],
            },
            {
                "Effect": "Allow",
                "Action": ["s3:ListBucket"],
                "Resource": [self.arn],
                "Condition": {"StringLike": {"s3:prefix": [f"{self.prefix}/*"]}},
            },
            {"Effect": "Allow", "Action": ["s3:GetBucketLocation"], "Resource": [self.arn]},
        ]
        document = {"Version": "2012-10-17", "Statement": statements}
        return json.dumps(document, separators=(",", ":"))


def find_scope(location: str, *, read_only: bool) -> Scope | None:
    """Return the scope of a location; None if it is no part of a bucket that can be named."""
    scheme, _, path = normalise(location).partition("://")
    if scheme not in _SCHEMES:
        return None
    bucket, _, prefix = path.partition("/")
    patterns = any(character in prefix for character in _PATTERN_CHARACTERS)
    return Scope(bucket, prefix, read_only) if bucket and prefix and not patterns else None
