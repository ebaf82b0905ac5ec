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

URI = os.environ["MAINSTEM_URI"]


def request(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    call = urllib.request.Request(URI + path, data, headers, method=method)
    with urllib.request.urlopen(call, timeout=60) as response:
        return json.loads(response.read() or b"{}")


def ensure(path, body):
    try:
        request("POST", path, body)
    except urllib.error.HTTPError as error:
        if error.code != 409:
            raise


def main(table, rows, exit_code):
    with Path("runs").open("a") as runs:
        runs.write(f"{os.environ['MAINSTEM_BRANCH']}\n")
    warehouse = quote(os.environ["MAINSTEM_WAREHOUSE"], safe="")
    prefix = request("GET", f"/v1/config?warehouse={warehouse}")["overrides"]["prefix"]
    ensure(f"/v1/{prefix}/namespaces", {"namespace": ["day"]})
    schema = {
        "type": "struct",
        "fields": [{"id": 1, "name": "id", "type": "long", "required": False}],
    }
    ensure(f"/v1/{prefix}/namespaces/day/tables", {"name": table, "schema": schema})
    path = f"/v1/{prefix}/namespaces/day/tables/{table}"
    metadata = request("GET", path)["metadata"]
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
        path,
        {
            "requirements": [],
            "updates": [
                {"action": "add-snapshot", "snapshot": snapshot},
                {"action": "set-snapshot-ref", **head},
            ],
        },
    )
    print("ingested", table)
    return exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int((sys.argv[3:] or ["0"])[0])))
