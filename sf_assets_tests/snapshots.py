"""Text snapshots, one file each. `pytest --snapshot-update` writes them; read the difference before you commit it."""

from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode


class TextSnapshot(SingleFileSnapshotExtension):
    """A snapshot that is a plain text file."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"


class ShellSnapshot(TextSnapshot):
    """A snapshot that is a shell script."""

    file_extension = "sh"


class SqlSnapshot(TextSnapshot):
    """A snapshot that is a SQL script."""

    file_extension = "sql"


class JsonSnapshot(TextSnapshot):
    """A snapshot that is a JSON file."""

    file_extension = "json"
