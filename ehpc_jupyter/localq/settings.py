"""Where the queue lives and what can be set from outside, by variables of the environment.

``EHPC_LOCALQ_HOME`` folder; ``EHPC_LOCALQ_CORES``, ``EHPC_LOCALQ_MEMORY_MB``, ``EHPC_LOCALQ_GPUS`` what to give away
instead of the whole machine (GPUs: a number, or their ids as in ``2,3``); ``EHPC_LOCALQ_KILL_WAIT_S``,
``EHPC_LOCALQ_IDLE_S`` instead of the constants below. The manager takes them from the command that starts it.
"""

from __future__ import annotations

import os
from pathlib import Path

from ehpc_jupyter.localq import Refused

#: Between TERM and KILL, seconds.
KILL_WAIT_S = 5.0
#: The manager leaves after that many seconds with nothing to do.
IDLE_S = 30.0
#: An ended job is shown by ``status`` without an id for that long, seconds.
RECENT_S = 600
#: An ended job is forgotten after that, seconds.
KEEP_S = 7 * 24 * 3600
#: Tasks of one array.
MAX_TASKS = 1_000_000
#: Tasks of an array that did not end well and are kept one by one, with exit code; more are only counted.
KEPT_TASKS = 200
#: The one queue.
QUEUE = "default"

PREFIX = "EHPC_LOCALQ_"

#: A network file system may be mounted on many machines, each of which needs a queue of its own.
_NETWORK = ("nfs", "cifs", "smb", "lustre", "gpfs", "ceph", "beegfs", "afs", "panfs", "gluster", "fuse", "pvfs", "weka")


def home() -> Path:
    """The queue's folder, absolute.

    Where home folders are shared by several machines (login nodes), the machine's name is part of it: a job of
    another machine cannot be watched from here, and SQLite's WAL needs shared memory. On a local disk it is not, since
    the name of a laptop changes with the network it is in.
    """
    if given := os.environ.get(PREFIX + "HOME"):
        return Path(given).absolute()
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    base = (state if state.is_absolute() else Path.home() / ".local" / "state") / "ehpc-jupyter" / "localq"
    try:
        mounts = Path("/proc/self/mounts").read_text(errors="surrogateescape")
    except OSError:  # macOS: homes are local
        mounts = ""
    return base / os.uname().nodename if is_network(str(base.resolve()), mounts) else base


def is_network(path: str, mounts: str) -> bool:
    """Whether a path lies on a network file system, by the text of ``/proc/self/mounts``."""
    best, kind = "", ""
    for line in mounts.splitlines():
        point, found = line.split(" ")[1:3]
        point = point.replace("\\040", " ")
        if (path == point or path.startswith(point.rstrip("/") + "/")) and len(point) >= len(best):
            best, kind = point, found
    return kind.startswith(_NETWORK)


def number(name: str, default: float) -> float:
    """A number from the environment.

    Args:
        name: without the prefix, for instance ``IDLE_S``.
        default: if it is not set.

    Raises:
        Refused: it is set to something that is no number, or a negative one.
    """
    text = os.environ.get(PREFIX + name, "").strip()
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value < 1e12:
        raise Refused(f"{PREFIX}{name} is {text!r}; it must be a number, zero or more")
    return value
