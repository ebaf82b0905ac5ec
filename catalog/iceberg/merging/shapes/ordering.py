"""The order of columns where both sides added, dropped or moved some."""

from collections.abc import Collection, Sequence


def merged_order(
    base: Sequence[int], ours: Sequence[int], theirs: Sequence[int], result: Collection[int]
) -> tuple[list[int], bool]:
    """Return the ids of `result` in order, and whether the sides ordered what they share apart.

    The side that moved columns gives the order, ours if both did. What the other side added comes
    after the column that it stands after there, and ours' additions before theirs'.
    """
    shared = {*base} & {*ours} & {*theirs} & {*result}
    before, left, right = (
        [each for each in side if each in shared] for side in (base, ours, theirs)
    )
    apart = before not in (left, right) and left != right
    if right == before or left == right or apart:
        order = [each for each in ours if each in result]
        added = {each for each in order if each not in {*base}}
        return _filled(order, theirs, result, added), apart
    return _filled([each for each in theirs if each in result], ours, result, set()), apart


def _filled(
    order: list[int], other: Sequence[int], result: Collection[int], first: Collection[int]
) -> list[int]:
    """Put in what the other side has, each behind its neighbour there and behind all of `first`."""
    place = 0
    placed = {*order}
    for each in other:
        if each in placed:
            place = order.index(each) + 1
        elif each in result:
            while place < len(order) and order[place] in first:
                place += 1
            order.insert(place, each)
            placed.add(each)
            place += 1
    return order
