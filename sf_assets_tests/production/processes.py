"""What the tests need that start other processes: ports for them, and patience with them."""

import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any


def free_ports(count: int) -> list[int]:
    """Return so many different ports that are free."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


def free_port() -> int:
    """Return a port that is free."""
    return free_ports(1)[0]


def until(question: Callable[[], Any], *, seconds: float = 180) -> Any:
    """Return the first true answer; it is other processes that are waited for."""
    last = time.monotonic() + seconds
    while time.monotonic() < last:
        if answer := question():
            return answer
        time.sleep(0.1)
    raise AssertionError(f"nothing came within {seconds} s")
