"""One task's own process: it starts the script, keeps its wall time, ends it when told to, notes how it ended."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sqlite3
import sys
import time

from ehpc_jupyter.localq import launch, processes, progress
from ehpc_jupyter.localq.daemon import LOCK_FD, Bell, bell_of, ensure_manager, lock_of, log
from ehpc_jupyter.localq.database import CANCELLED, FAILED, FINISHED, NODE_FAILED, TIMEOUT, Database, file_of
from ehpc_jupyter.localq.progress import Ending, Leader
from ehpc_jupyter.localq.settings import KILL_WAIT_S, home, number

#: It looks up that often without being woken, seconds.
_LOOK_S = 60.0


def main(job: int, index: int) -> int:
    """Run a task that the manager took out of the queue. ``LOCK_FD`` holds the task's lock."""
    os.set_inheritable(LOCK_FD, False)  # it is this process that lives, not what the script leaves behind
    shepherd = Shepherd(job, index)
    try:
        shepherd.run()
    finally:
        for path in (bell_of(shepherd.folder, job, index), lock_of(shepherd.folder, job, index)):
            path.unlink(missing_ok=True)
    os.close(LOCK_FD)
    with contextlib.closing(Database(shepherd.folder)) as database:
        if progress.has_work(database):
            ensure_manager(shepherd.folder)
    return 0


class Shepherd:
    """The life of one task."""

    def __init__(self, job: int, index: int) -> None:
        self.job, self.index = job, index
        self.folder = home()
        self.grace_s = number("KILL_WAIT_S", KILL_WAIT_S)
        self.bell = Bell(bell_of(self.folder, job, index))
        self.cause: Ending | None = None
        self.kill_at: float | None = None
        self.own_memory = 0

    def run(self) -> None:
        """From the fork to the note of its end."""
        database = Database(self.folder)
        task = progress.task(database, self.job, self.index)
        if task is None or task["state"] != "STARTING":
            return
        child = launch.fork(task, self.index)
        self.own_memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        found = processes.process(child.pid)
        leader = Leader(child.pid, found.start if found else "", processes.boot())
        begun = progress.begin(database, self.job, self.index, leader, int(time.time()))
        # Nothing stays open while the script runs, for days perhaps.
        database.close()
        if begun:
            os.write(child.go, b"!")
        os.close(child.go)
        ending = self._watch(child, task["wall_time_s"])
        self._record(ending if begun else Ending(CANCELLED))

    def _watch(self, child: launch.Child, wall_time_s: int | None) -> Ending:
        # Monotonic: a clock that is set does not matter, and a laptop's sleep is no wall time (Linux).
        limit = time.monotonic() + wall_time_s if wall_time_s else None
        pid = 0
        while not pid:
            moments = (limit if self.cause is None else None, self.kill_at)
            self.bell.wait(min([_LOOK_S, *(moment - time.monotonic() for moment in moments if moment is not None)]))
            pid, status, used = os.wait4(child.pid, os.WNOHANG)
            if not pid:
                self._decide(child.pid, limit, wall_time_s)
        with os.fdopen(child.fault, "rb") as pipe:
            fault = pipe.read().decode(errors="replace")
        code = os.waitstatus_to_exitcode(status)
        self._sweep(child.pid)
        peak = self._peak_mb(used.ru_maxrss)
        if self.cause:
            ended = self.cause._replace(memory_peak_mb=peak)
            return ended._replace(exit_code=code) if code >= 0 else ended._replace(signal=-code)
        if fault:
            return Ending(FAILED, reason=fault)
        if code < 0:
            return Ending(FAILED, signal=-code, reason=_signal_words(-code), memory_peak_mb=peak)
        return Ending(FAILED if code else FINISHED, exit_code=code, memory_peak_mb=peak)

    def _peak_mb(self, largest: int) -> int | None:
        """The peak of the script's largest process, of all that it waited for; they are not added up, nobody knows when each was.

        The script's process began as a copy of this one, whose memory counts: what is not more than that is not the script's.
        """
        unit = 1024**2 if sys.platform == "darwin" else 1024
        return -(-largest // unit) if largest > self.own_memory else None

    def _decide(self, leader: int, limit: float | None, wall_time_s: int | None) -> None:
        """Begin or go on to end the script, if there is a cause to."""
        now = time.monotonic()
        if self.cause is None:
            if self._stop_wanted():
                self.cause = Ending(CANCELLED)
            elif limit is not None and now >= limit:
                self.cause = Ending(TIMEOUT, reason=f"it ran for its whole wall time of {wall_time_s} s")
            elif self.bell.told_to_end:
                words = "the process that watches over it was told to end: the machine may have been shutting down"
                self.cause = Ending(NODE_FAILED, reason=words)
            if self.cause is not None:
                processes.send(leader, signal.SIGTERM)
                processes.send(leader, signal.SIGCONT)  # what is stopped hears nothing but KILL
                self.kill_at = now + self.grace_s
        elif self.kill_at is not None and now >= self.kill_at:
            processes.send(leader, signal.SIGKILL)
            self.kill_at = None

    def _stop_wanted(self) -> bool:
        try:
            with contextlib.closing(Database(self.folder)) as database:
                task = progress.task(database, self.job, self.index)
        except (sqlite3.Error, OSError) as error:  # it is asked again
            log(f"task {self.job}/{self.index}: {error}")
            return False
        return task is not None and bool(task["stop"])

    def _sweep(self, leader: int) -> None:
        """End what the script left running: it would use cores that are given to the next task."""
        if not processes.any_left(leader):
            return
        if self.cause is None:
            processes.send(leader, signal.SIGTERM)
            processes.send(leader, signal.SIGCONT)
            self.kill_at = time.monotonic() + self.grace_s
        # Nobody tells when a process ends that is not our child.
        until = self.kill_at or 0
        while processes.any_left(leader) and time.monotonic() < until:
            time.sleep(0.05)
        processes.send(leader, signal.SIGKILL)

    def _record(self, ending: Ending) -> None:
        """Note the end, however long the disk is full; give up only when the queue itself is gone."""
        now, pause_s = int(time.time()), 0.2
        while file_of(self.folder).exists():
            try:
                with contextlib.closing(Database(self.folder)) as database:
                    progress.finish(database, self.job, self.index, ending, now)
                return
            except (sqlite3.Error, OSError) as error:
                log(f"task {self.job}/{self.index} ended ({ending}), which cannot be noted yet: {error}")
            time.sleep(pause_s)
            pause_s = min(30.0, 2 * pause_s)


def _signal_words(number: int) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:  # a real-time signal
        name = "a signal"
    more = "; the system does that when memory runs out" if number == signal.SIGKILL else ""
    return f"ended by {name} ({number}){more}"
