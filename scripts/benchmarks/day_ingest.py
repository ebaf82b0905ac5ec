"""Load a day of the quickstart's data into any catalog; run in the project's folder."""

import json
import sys
from datetime import date
from importlib import import_module
from pathlib import Path

from pyiceberg.catalog import load_catalog


def main(day: date, properties: str) -> None:
    """Load the day into the catalog that pyiceberg opens by properties in JSON."""
    sys.path.insert(0, str(Path.cwd()))
    # Spark's SQL catalog and pyiceberg's share their tables where both are called so.
    catalog = load_catalog("lake", **json.loads(properties))
    ingest, tables = import_module("ingest"), import_module("hospital_data").first_load(day)
    catalog.create_namespace(ingest.NAMESPACE)
    for name, rows in tables.items():
        # Not staged, as `ingest` would: Nessie 0.99 understands no schema that pyiceberg adds.
        table = catalog.create_table((ingest.NAMESPACE, name), rows.schema)
        with table.update_spec() as partitions:
            partitions.add_identity("loaded_on")
    ingest.load(catalog, tables, day)


if __name__ == "__main__":
    main(date.fromisoformat(sys.argv[1]), sys.argv[2])
