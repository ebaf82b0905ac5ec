"""Changes of a column's type: which ones readers of older files know, and what they change."""

from catalog.iceberg.types import decimal_precision, decimal_scale, type_name

_LEGAL = {
    "int": {"long"},
    "float": {"double"},
    "date": {"timestamp", "timestamp_ns"},
}


def is_promotion(before: str, after: str) -> bool:
    """Tell whether files with the one type can be read as the other (spec "Schema Evolution")."""
    if before == "unknown":
        return after not in ("struct", "list", "map")
    if type_name(before) == type_name(after) == "decimal":
        wider = decimal_precision(after) >= decimal_precision(before)
        return wider and decimal_scale(after) == decimal_scale(before)
    return after in _LEGAL.get(before, ())


def changes_transforms(before: str, after: str) -> bool:
    """Tell whether partition and sort transforms yield something else after the change."""
    return before == "date" and after != before
