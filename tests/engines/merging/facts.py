"""What pyiceberg finds said in a table's metadata, beside its rows and the columns' names."""

from typing import Any

from pyiceberg.table import Table
from pyiceberg.transforms import BucketTransform
from pyiceberg.view import View


def facts(table: Table) -> dict[str, Any]:
    """Return what the operations on a table's shape change."""
    tag = table.metadata.refs.get("eod")
    fields = table.schema().fields
    return {
        "type of v": next((str(each.field_type) for each in fields if each.field_id == 3), None),
        "required": {each.field_id for each in fields if each.required and each.field_id != 1},
        "team": table.properties.get("team"),
        "stage": table.properties.get("stage"),
        "buckets": next(
            (
                each.transform.num_buckets
                for each in table.spec().fields
                if isinstance(each.transform, BucketTransform)
            ),
            None,
        ),
        "sorted by": next((each.source_id for each in table.sort_order().fields), None),
        "tag kept for days": tag and (tag.max_ref_age_ms or 0) // 86_400_000,
        "branch": "audit" in table.metadata.refs,
        "version": table.format_version,
    }


def view_facts(view: View) -> dict[str, Any]:
    """Return what the operations on a view's properties change."""
    return {key: view.metadata.properties.get(key) for key in ("team", "stage")}
