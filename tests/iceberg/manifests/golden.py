"""Tables that Spark wrote, from the archive that `record.py` made."""

import io
import json
import tarfile
from functools import cache
from pathlib import Path

from pyiceberg.partitioning import PartitionSpec

from catalog.iceberg.manifests.lists import manifest_of, read_list

NAMES = ("v1", "v2", "v3", "merged")


@cache
def members():
    archive = (Path(__file__).parent / "golden.tar.xz").read_bytes()
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:xz") as opened:
        return {member.name: opened.extractfile(member).read() for member in opened}


class Golden:
    """One table: its metadata, what Iceberg says of its entries, and its files."""

    def __init__(self, name):
        said = json.loads(members()[f"{name}.json"])
        self.name = name
        self.metadata = said["metadata"]
        self.entries = said["entries"]
        self.version = self.metadata["format-version"]
        self.spec = PartitionSpec.model_validate(self.metadata["partition-specs"][0])

    def read(self, location):
        return members()[f"{self.name}/{location.rsplit('/', 1)[-1]}"]

    def lists(self):
        """Yield each snapshot with its manifest list."""
        for snapshot in self.metadata["snapshots"]:
            location = snapshot["manifest-list"]
            yield snapshot, read_list(self.read(location), location)

    def manifests(self):
        """Return the manifests of all snapshots, each with its record."""
        found = {}
        for _, listed in self.lists():
            for record in listed.records:
                manifest = manifest_of(record)
                found.setdefault(manifest.path, (manifest, record))
        return list(found.values())
