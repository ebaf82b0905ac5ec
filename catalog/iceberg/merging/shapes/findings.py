"""What a merge of shapes finds on its way: problems, notes, and what it owes."""

from dataclasses import dataclass, field

from catalog.iceberg.merging.owed import Claim, Owed, Side
from catalog.iceberg.merging.problems import Problem


@dataclass(slots=True)
class Findings:
    """Gathers all that is found, so that every problem of a merge is told at once."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    owed: list[Owed] = field(default_factory=list)

    def refuse(self, code: str, detail: str) -> None:
        """Note a problem; what is found twice is told once."""
        problem = Problem(code, detail)
        if problem not in self.problems:
            self.problems.append(problem)

    def has(self, code: str) -> bool:
        """Tell whether there is a problem with this code."""
        return any(problem.code == code for problem in self.problems)

    def owe(
        self,
        claim: Claim,
        side: Side,
        problem: Problem,
        *,
        field_id: int | None = None,
        spec_id: int | None = None,
    ) -> None:
        """Note what must hold of the files of a side, and the problem if it does not."""
        self.owed.append(Owed(claim, side, problem, field_id, spec_id))


def spoken(side: Side) -> str:
    """Return what people call a side of a merge."""
    return "the target" if side is Side.OURS else "the source"


def other(side: Side) -> Side:
    """Return the opposite side."""
    return Side.THEIRS if side is Side.OURS else Side.OURS
