"""A release's command, as an engine would be: writes a table where its environment says.

`ingest.py TABLE ROWS [EXIT_CODE]`: creates namespace `day` and the table if they are missing,
appends a snapshot that claims ROWS rows, notes its run in the file `runs`, and ends.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote


def request(method, url, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    call = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(call, timeout=60) as response:
        return json.loads(response.read() or b"{}")


def ensure(url, body):
    try:
        request("POST", url, body)
    except urllib.error.HTTPError as error:
        with error:
            if error.code != 409:
                raise


def write(uri, warehouse, table, rows):
    config = request("GET", f"{uri}/v1/config?warehouse={quote(warehouse, safe='')}")
    namespaces = f"{uri}/v1/{config['overrides']['prefix']}/namespaces"
    ensure(namespaces, {"namespace": ["day"]})
    schema = {
        "type": "struct",
        "fields": [{"id": 1, "name": "id", "type": "long", "required": False}],
    }
    ensure(f"{namespaces}/day/tables", {"name": table, "schema": schema})
    url = f"{namespaces}/day/tables/{table}"
    metadata = request("GET", url)["metadata"]
    before = metadata.get("current-snapshot-id")
    snapshot = {
        "snapshot-id": time.time_ns(),
        "sequence-number": metadata["last-sequence-number"] + 1,
        "timestamp-ms": time.time_ns() // 1_000_000,
        "manifest-list": f"{metadata['location']}/metadata/snap-{time.time_ns()}.avro",
        "summary": {"operation": "append", "total-records": str(rows)},
        "schema-id": 0,
    }
    if before not in (None, -1):
        snapshot["parent-snapshot-id"] = before
    head = {"ref-name": "main", "type": "branch", "snapshot-id": snapshot["snapshot-id"]}
    request(
        "POST",
        url,
        {
            "requirements": [],
            "updates": [
                {"action": "add-snapshot", "snapshot": snapshot},
                {"action": "set-snapshot-ref", **head},
            ],
        },
    )


def main(table, rows, exit_code):
    with Path("runs").open("a") as runs:
        runs.write(f"{os.environ['MAINSTEM_BRANCH']}\n")
    write(os.environ["MAINSTEM_URI"], os.environ["MAINSTEM_WAREHOUSE"], table, rows)
    print("ingested", table)
    return exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int((sys.argv[3:] or ["0"])[0])))
