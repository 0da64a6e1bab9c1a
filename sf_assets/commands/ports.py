"""Ports of 127.0.0.1: is one in use?"""

import socket

from sf_assets.errors import ConfigError


def require_free(port: int, *, flag: str, what: str) -> None:
    """Check that a port is free. Raises: ConfigError that names the flag."""
    if not is_free(port):
        other = f"{flag} {port + 1}"
        raise ConfigError(
            f"port {port} of 127.0.0.1, for {what}, is in use by another program",
            remedy=f'Choose another port: {other} (make: ARGS="{other}"). Or end the program that listens on {port}.',
        )


def is_free(port: int) -> bool:
    """Return whether a server could listen on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
