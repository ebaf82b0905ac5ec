"""Load one day of the hospitals' data into the raw tables of the branch that the environment names.

`ingest.py DAY [--since FIRST_DAY] [--fault]`. A day that is loaded again takes the
place of what was loaded for it before, so that a release can be run again.
"""

import argparse
import os
import sys
import warnings
from collections.abc import Mapping
from datetime import date

import pyarrow as pa
from hospital_data import first_load, increment, with_a_fault
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.expressions import EqualTo
from pyiceberg.table import Table

NAMESPACE = "raw"


def main() -> None:
    """Load the day that the command line names."""
    wanted = _arguments()
    tables = (
        increment(wanted.day, days_since_first=(wanted.day - wanted.since).days)
        if wanted.since
        else first_load(wanted.day)
    )
    catalog = load_catalog(
        "mainstem",
        type="rest",
        uri=os.environ["MAINSTEM_URI"],
        warehouse=os.environ["MAINSTEM_WAREHOUSE"],
        # The HTTP library takes text as Latin-1, and the header is UTF-8.
        **{"header.X-Mainstem-Author": os.environ["MAINSTEM_AUTHOR"].encode().decode("latin-1")},
    )
    load(catalog, with_a_fault(tables) if wanted.fault else tables, wanted.day)
    rows = sum(len(table) for table in tables.values())
    sys.stdout.write(f"Ingested {rows:,} rows of {wanted.day} into {len(tables)} raw tables\n")


def load(catalog: Catalog, tables: Mapping[str, pa.Table], day: date) -> None:
    """Put a day's rows into the raw tables, in place of those that the day had before."""
    catalog.create_namespace_if_not_exists(NAMESPACE)
    for name, rows in tables.items():
        table = _table(catalog, name, rows.schema)
        with warnings.catch_warnings():
            # pyiceberg warns that a day which was not loaded before has no rows to delete.
            warnings.simplefilter("ignore")
            table.overwrite(rows, overwrite_filter=EqualTo("loaded_on", day.isoformat()))


def _table(catalog: Catalog, name: str, schema: pa.Schema) -> Table:
    try:
        return catalog.load_table((NAMESPACE, name))
    except NoSuchTableError:
        with (
            catalog.create_table_transaction((NAMESPACE, name), schema) as creation,
            creation.update_spec() as partitions,
        ):
            partitions.add_identity("loaded_on")
        return catalog.load_table((NAMESPACE, name))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("day", type=date.fromisoformat)
    parser.add_argument("--since", type=date.fromisoformat, help="the day of the first load")
    parser.add_argument("--fault", action="store_true", help="as a broken scanner sends it")
    return parser.parse_args()


if __name__ == "__main__":
    main()
