"""Why two sides of a table do not go together."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason against a merge.

    `code` is stable, in kebab-case. `detail` is one sentence for the people who made the changes;
    it calls ours the target and theirs the source.
    """

    code: str
    detail: str
