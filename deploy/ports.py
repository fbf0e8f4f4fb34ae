"""Is a port free, and if not, who has it?"""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

LISTEN = "0A"  # state of a listening socket in /proc/net/tcp


def port_is_busy(host: str, port: int) -> bool:
    """Whether a server could not listen on `port` now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return True
            raise OSError(f"cannot listen on {host} port {port}: {error.strerror}") from error
    return False


def port_owner(port: int, proc: Path = Path("/proc")) -> str | None:
    """`process 123 (python gateway.py)` for whoever listens on `port`, None when not visible."""
    sockets = {f"socket:[{inode}]" for inode in _listening_inodes(port, proc)}
    if not sockets:
        return None
    for folder in proc.glob("[0-9]*"):
        try:
            if not any(os.readlink(link) in sockets for link in (folder / "fd").iterdir()):
                continue
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
        except OSError:  # it ended meanwhile, or belongs to another user
            continue
        return f"process {folder.name} ({command})"
    return None


def _listening_inodes(port: int, proc: Path) -> set[str]:
    inodes = set()
    for table in ("tcp", "tcp6"):
        try:
            lines = (proc / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            _, local, _, state, *_, inode = line.split()[:10]
            if state == LISTEN and int(local.rpartition(":")[2], 16) == port:
                inodes.add(inode)
    return inodes
