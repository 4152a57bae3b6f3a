"""The process that starts waiting tasks when there is room; it comes on demand and leaves when nothing is to do."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from typing import TYPE_CHECKING

from ehpc_jupyter.localq import dependencies, processes, progress
from ehpc_jupyter.localq.daemon import LOCK_FD, Bell, bell_of, lock, lock_of, log, spawn
from ehpc_jupyter.localq.database import NODE_FAILED, STARTING, Database
from ehpc_jupyter.localq.environment import marker
from ehpc_jupyter.localq.machine import machine
from ehpc_jupyter.localq.progress import Ending
from ehpc_jupyter.localq.settings import IDLE_S, home, number

if TYPE_CHECKING:
    from pathlib import Path

#: It looks up that often without being woken while something runs, seconds: a shepherd whose parent was another
#: manager dies without a signal to this one.
_LOOK_S = 1.0
#: After a failure to write or to start a process, seconds.
_TROUBLE_S = 2.0
_FORGET_S = 3600.0


def main() -> int:
    """Serve until there is nothing to do. ``LOCK_FD`` holds the manager's lock."""
    os.set_inheritable(LOCK_FD, False)
    folder, held = home(), LOCK_FD
    log("manager: here")
    while True:
        idle = Manager(folder).serve()
        # The bell is gone before the lock is, and the lock before the last look: whoever submits writes first and looks
        # for the lock then, so one of us sees the other.
        os.close(held)
        again = lock(folder / "manager.lock") if idle and _has_turn(folder) else None
        if again is None:
            log("manager: leaves")
            return 0
        held = again


def _has_turn(folder: Path) -> bool:
    with contextlib.closing(Database(folder)) as database:
        return progress.has_turn(database, machine())


class Manager:
    """The one manager of a queue."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bell = Bell(folder / "manager.bell")
        self.database = Database(folder)
        self.machine = machine()
        self.idle_s = number("IDLE_S", IDLE_S)
        self.next_forget = 0.0

    def serve(self) -> bool:
        """Do what there is to do; True after ``IDLE_S`` of nothing, False when it is told to end."""
        idle_since: float | None = None
        while not self.bell.told_to_end:
            try:
                busy = self._step()
                wait_s = _LOOK_S
            except (sqlite3.Error, OSError) as error:  # a full disk, no more processes: it passes
                log(f"manager: {error}")
                if not self.folder.exists():
                    break
                busy, wait_s = True, _TROUBLE_S
            now = time.monotonic()
            if busy:
                idle_since = None
            elif idle_since is None:
                idle_since = now
            if idle_since is not None:
                wait_s = idle_since + self.idle_s - now
                if wait_s <= 0:
                    break
            self.bell.wait(wait_s)
        self.database.close()
        self.bell.close()
        return not self.bell.told_to_end

    def _step(self) -> bool:
        """Look after what runs, start what may start; whether anything runs now."""
        self._reap()
        for row in progress.live(self.database):
            self._look_after(row["job"], row["task"])
        if time.monotonic() >= self.next_forget:
            progress.forget(self.database, int(time.time()))
            self._tidy()
            self.next_forget = time.monotonic() + _FORGET_S
        dependencies.catch_up(self.database)
        if not progress.has_work(self.database):
            return False
        for job, index in progress.take(self.database, self.machine):
            self._start(job, index)
        return bool(progress.live(self.database))

    def _reap(self) -> None:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass

    def _tidy(self) -> None:
        """Remove the locks and bells of tasks whose shepherd was killed after it had noted their end."""
        rows = progress.live(self.database)
        used = {path(self.folder, row["job"], row["task"]) for row in rows for path in (lock_of, bell_of)}
        for path in self.folder.glob("task-*"):
            if path not in used:
                path.unlink(missing_ok=True)

    def _start(self, job: int, index: int) -> None:
        held = lock(lock_of(self.folder, job, index))
        if held is None:  # the last shepherd of this task is not quite dead
            return
        try:
            spawn(self.folder, held, "_shepherd", str(job), str(index))
        except OSError:
            progress.put_back(self.database, job, index, int(time.time()), blame=False)
            raise
        finally:
            os.close(held)

    def _look_after(self, job: int, index: int) -> None:
        """Settle a task whose shepherd is dead; it is alive as long as it holds its lock."""
        path = lock_of(self.folder, job, index)
        held = lock(path)
        if held is None:
            return
        try:
            # What was true before the lock was free may be true no more.
            task = progress.task(self.database, job, index)
            if task is None or task["state"] not in ("STARTING", "RUNNING"):
                return
            if task["state"] == STARTING:
                log(f"manager: task {job}/{index} did not begin; it goes back to the queue")
                progress.put_back(self.database, job, index, int(time.time()))
                return
            reason = self._lost(task)
            log(f"manager: task {job}/{index}: {reason}")
            progress.finish(self.database, job, index, Ending(NODE_FAILED, reason=reason), int(time.time()))
        finally:
            path.unlink(missing_ok=True)
            bell_of(self.folder, job, index).unlink(missing_ok=True)
            os.close(held)

    def _lost(self, task: sqlite3.Row) -> str:
        """Kill what a dead shepherd left behind; the reason for the user."""
        if task["boot"] != processes.boot():
            return "the machine was restarted while it ran"
        words = "the process that watched over it was killed"
        if processes.kill_orphans(task["leader"], task["leader_start"], b"=".join(marker(task["id"]))):
            return f"{words}; what it had started was ended"
        return f"{words}; how it ended is not known, and what it had started may still run"
