"""A table's manifest lists and manifests. Each file is read once a commit: it never changes."""

from pyiceberg.io import FileIO
from pyiceberg.manifest import ManifestEntry, ManifestFile
from pyiceberg.table.snapshots import Snapshot

from sf_assets.iceberg.translate_errors import name_damage


class Manifests:
    """A cache of manifests, read through a table's FileIO. Callers must not change the entries."""

    def __init__(self, io: FileIO) -> None:
        self._io = io
        self._lists: dict[int, list[ManifestFile]] = {}
        self._entries: dict[str, list[ManifestEntry]] = {}

    def of(self, snapshot: Snapshot | None) -> list[ManifestFile]:
        """Return the snapshot's manifests; empty without a snapshot."""
        if snapshot is None:
            return []
        if snapshot.snapshot_id not in self._lists:
            with name_damage(snapshot.manifest_list):
                self._lists[snapshot.snapshot_id] = snapshot.manifests(self._io)
        return self._lists[snapshot.snapshot_id]

    def entries(self, manifest: ManifestFile) -> list[ManifestEntry]:
        """Return the manifest's entries, without deleted ones."""
        path = manifest.manifest_path
        if path not in self._entries:
            with name_damage(path):
                self._entries[path] = manifest.fetch_manifest_entry(self._io, discard_deleted=True)
        return self._entries[path]
