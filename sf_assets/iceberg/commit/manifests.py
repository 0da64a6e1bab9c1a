"""A table's manifest lists and manifests, each read once a commit: such a file never changes once it is written."""

from pyiceberg.io import FileIO
from pyiceberg.manifest import ManifestEntry, ManifestFile
from pyiceberg.table.snapshots import Snapshot


class Manifests:
    """Reads through a table's FileIO and keeps what it read; whoever asks must not change it."""

    def __init__(self, io: FileIO) -> None:
        self._io = io
        self._lists: dict[int, list[ManifestFile]] = {}
        self._entries: dict[str, list[ManifestEntry]] = {}

    def of(self, snapshot: Snapshot | None) -> list[ManifestFile]:
        """The manifests of a snapshot; of none there are none."""
        if snapshot is None:
            return []
        if snapshot.snapshot_id not in self._lists:
            self._lists[snapshot.snapshot_id] = snapshot.manifests(self._io)
        return self._lists[snapshot.snapshot_id]

    def entries(self, manifest: ManifestFile) -> list[ManifestEntry]:
        """The files that a manifest names, but for those that it marks as deleted."""
        path = manifest.manifest_path
        if path not in self._entries:
            self._entries[path] = manifest.fetch_manifest_entry(self._io, discard_deleted=True)
        return self._entries[path]
