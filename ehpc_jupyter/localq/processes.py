"""The processes of a task: all of the session that its script leads, whatever process groups they are in.

A shell with job control or an MPI launcher puts what it starts into groups of their own, so killing the script's
group is not enough. What leaves the session itself (``setsid``) is no longer found. Where there is no ``/proc``
(macOS) only the script's own group is known.
"""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")


class Process(NamedTuple):
    """What ``/proc/<pid>/stat`` says; ``start`` is in clock ticks since the machine started."""

    pid: int
    group: int
    session: int
    start: str


def process(pid: int) -> Process | None:
    """A process that lives; None for none, for a zombie, and where there is no ``/proc``."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    words = text.rpartition(")")[2].split()  # the name in parentheses may hold anything
    if words[0] in "ZX":
        return None
    return Process(pid, int(words[2]), int(words[3]), words[19])


def boot() -> str:
    """What tells this run of the machine from earlier ones; empty where nobody says."""
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def session(leader: int) -> list[Process] | None:
    """The processes of a session that live; None where nobody can say."""
    if not (_PROC / "self/stat").exists():
        return None
    found = (process(int(entry.name)) for entry in os.scandir(_PROC) if entry.name.isdecimal())
    return [one for one in found if one is not None and one.session == leader]


def send(leader: int, number: signal.Signals) -> bool:
    """Send a signal to all processes of a session; False if there is none."""
    members = session(leader)
    groups = {leader} if members is None else {one.group for one in members}
    reached = False
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
            reached = True
    return reached


def any_left(leader: int) -> bool:
    """Whether anything of a session lives. The leader itself must have been waited for."""
    members = session(leader)
    if members is not None:
        return bool(members)
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def kill_orphans(leader: int, start: str, marker: bytes) -> bool:
    """Kill what is left of a session whose shepherd is dead; False where nobody can say whether anything is left.

    Args:
        leader: pid of its leader, which may be dead and its number somebody else's by now.
        start: when that leader started.
        marker: ``NAME=value`` that stands in the environment of the session's own processes.
    """
    members = session(leader)
    if members is None:
        return False
    same = any(one.pid == leader and one.start == start for one in members)
    groups = {one.group for one in members if same or _has(one.pid, marker)}
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    return True


def _has(pid: int, marker: bytes) -> bool:
    try:
        return marker in (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return False
