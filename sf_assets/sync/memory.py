"""The C library's allocator, set so that a long read gives back the memory of each page."""

import ctypes
from functools import cache

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""Numbers of glibc's mallopt(3)."""
MMAP_BYTES, TRIM_BYTES, ARENAS = 256 * 2**10, 2**20, 2


@cache
def bound_malloc() -> bool:
    """Keep glibc from hoarding; return whether this process runs on it. Does its work once.

    Without this glibc raises its mmap threshold to the size of the first page that it frees, up to 32 MB, and keeps
    an arena for each thread: the pages of 71 columns then leave 140 MB of holes.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):  # macOS, Windows, musl
        return False
    settings = ((M_ARENA_MAX, ARENAS), (M_MMAP_THRESHOLD, MMAP_BYTES), (M_TRIM_THRESHOLD, TRIM_BYTES))
    accepted = [mallopt(option, value) == 1 for option, value in settings]
    return all(accepted)
