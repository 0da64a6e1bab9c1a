"""Reading of a user's files: regular files alone, and no more bytes than a person writes."""

import errno
from pathlib import Path

MAX_BYTES = 1_000_000


def read_bounded(path: Path) -> bytes:
    """Return a file's bytes.

    Raises: OSError for a file that cannot be read or is too long, and for a pipe or a device, which may never end.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise OSError(errno.EINVAL, "it is a pipe or a device")
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise OSError(errno.EFBIG, f"it has more than {MAX_BYTES:,} bytes")
    return content
