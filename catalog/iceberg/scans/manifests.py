"""Manifests and their entries, as scans read them."""

from catalog.iceberg.manifests.entries import Entry as Entry
from catalog.iceberg.manifests.entries import Manifest as Manifest
from catalog.iceberg.manifests.entries import Read as Read
from catalog.iceberg.manifests.entries import read_entries as read_entries
from catalog.iceberg.manifests.lists import read_manifests as read_manifests
