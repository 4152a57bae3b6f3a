"""Keeps the store true: one question per cluster and interval for all its jobs, however many watch.

Quick while something changes and someone looks, slow when quiet, nothing at all when no job can change. A question that
fails makes jobs stale (with the reason), never finished and never failed; a cluster that goes on failing is left alone for
longer and longer, then for a pause that a person can end.
"""

from __future__ import annotations

import contextlib
import logging
import random
import sqlite3
import threading
import time
from typing import TYPE_CHECKING

from ehpc_jupyter.errors import EhpcError
from ehpc_jupyter.jobs import notes, rebuild
from ehpc_jupyter.jobs.look import Look

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ehpc_jupyter.clusters.base import Cluster
    from ehpc_jupyter.jobs.arrays import EndedTasks
    from ehpc_jupyter.jobs.store import JobStore
    from ehpc_jupyter.models.job import JobDetail
    from ehpc_jupyter.schedulers.base import JobReport

log = logging.getLogger(__name__)

SLOWEST_S = 60.0
#: How long after the last look or change the interval stays at its shortest, seconds.
LIVELY_S = 30.0
#: After so many questions in a row that failed, the cluster is left alone for so long, seconds.
PAUSE_AFTER, PAUSE_S = 10, 900.0
#: So many more jobs than before are worth a word.
MANY = 1000
#: How old the time of the last answer may be in the store, seconds.
_NOTED_S = 10
#: How long the monitor rests after a question however often it is woken, in times of what the question took: a hundred
#: submissions in a second are not a hundred questions to the scheduler, and leave this process time for all else.
_REST = 4.0


class Monitor:
    """Watches one cluster from a thread of its own, which lives as long as there is something to watch.

    Args:
        cluster: the cluster.
        store: where what is learnt is kept.
        changed: called with every job that changed, from the monitor's thread.
        grown: called when many more jobs are held in memory than at its last call, from the monitor's thread.
    """

    def __init__(
        self,
        cluster: Cluster,
        store: JobStore,
        changed: Callable[[JobDetail], None],
        grown: Callable[[], object] = lambda: None,
    ) -> None:
        self._cluster = cluster
        self._store = store
        self._changed = changed
        self._grown = grown
        self._held = 0
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._woken = False
        self._lively_until = 0.0
        self._failures = 0
        self._next_look: float | None = None
        self.in_hand: set[str] = set()
        """Requests that are just being submitted: what becomes of them is not to be looked into."""
        self._look = Look(cluster, store, self.in_hand)
        self.checked_time: int | None = None
        """When the cluster last answered, UNIX seconds."""
        self.failure: str | None = None
        """Why it did not answer the last question."""
        with contextlib.suppress(sqlite3.Error):
            self.checked_time = notes.checked_time(store, cluster.profile.name)

    @property
    def paused(self) -> bool:
        """Whether the cluster failed so often that it is left alone."""
        return self._failures >= PAUSE_AFTER

    @property
    def next_check_time(self) -> int | None:
        """When the cluster is asked next, UNIX seconds; None while nothing is to be asked."""
        following = self._next_look
        return None if following is None else int(time.time() + following - time.monotonic())

    def stale_reason(self, request_id: str) -> str | None:
        """Why what is known of a job may be old."""
        return self.failure or self._look.stale.get(request_id)

    def array(self, request_id: str) -> tuple[Sequence[JobReport], EndedTasks | None]:
        """What the queue last said of an array's tasks, and how others ended."""
        return self._look.array(request_id)

    def wake(self, *, now: bool = False) -> None:
        """Somebody looks, or there is a new job.

        Args:
            now: whether to ask at once, and also of what is left alone, and not only at the end of a (short) interval.
        """
        with self._condition:
            if self._closed:
                return
            was_quiet = time.monotonic() > self._lively_until
            self._lively_until = time.monotonic() + LIVELY_S
            self._woken = self._woken or now or (was_quiet and not self._failures)
            if now:
                self._look.try_all_again()
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._watch, name=f"ehpc-{self._cluster.profile.name}", daemon=True
                )
                self._thread.start()
            self._condition.notify_all()

    def close(self) -> None:
        """End the thread; returns when it is gone or its question has had two seconds to end."""
        with self._condition:
            self._closed = True
            thread = self._thread
            self._condition.notify_all()
        if thread is not None and thread is not threading.current_thread():
            thread.join(2.0)

    def _watch(self) -> None:
        interval = self._cluster.profile.poll_interval_s
        while True:
            with self._condition:
                self._woken = False
                if self._closed:
                    return
            begun = time.monotonic()
            try:
                watched, moved = self.sweep()
            except Exception:  # the store's, say: the disk is full
                log.exception("watching cluster %s failed", self._cluster.profile.name)
                watched, moved = True, False
                self._failures += 1
            with self._condition:
                if self._closed or (not watched and not self._woken):
                    self._thread = self._next_look = None
                    return
                interval = self._next(interval, moved=moved)
                now = time.monotonic()
                rested = now + min(self._cluster.profile.poll_interval_s, _REST * (now - begun))
                self._next_look = deadline = now + interval
                while not self._closed and (left := (rested if self._woken else deadline) - time.monotonic()) > 0:
                    self._condition.wait(left)
                if self._woken and not self._failures:
                    interval = self._cluster.profile.poll_interval_s

    def _next(self, interval: float, *, moved: bool) -> float:
        shortest = self._cluster.profile.poll_interval_s
        if self.paused:
            return max(PAUSE_S, shortest)
        if self._failures:
            # Jitter: many servers whose one scheduler comes back must not ask in step.
            return min(SLOWEST_S, shortest * 2.0 ** min(self._failures, 8)) * random.uniform(0.8, 1.2)  # noqa: S311
        if moved:
            self._lively_until = max(self._lively_until, time.monotonic() + LIVELY_S)
        if time.monotonic() < self._lively_until:
            return shortest
        return min(SLOWEST_S, max(interval, shortest) * 1.5)

    def sweep(self) -> tuple[bool, bool]:
        """Ask once and store what changed.

        Returns:
            whether there is still something to watch, and whether something changed.
        """
        name = self._cluster.profile.name
        self._tell(self._look.watched.sync())
        rebuilding = name in notes.rebuilding(self._store)
        if self._look.is_idle and not rebuilding:
            return False, False
        try:
            if rebuilding:
                self._tell(rebuild.rebuild(self._cluster, self._store))
                self._tell(self._look.watched.sync())
            settled = self._look.settle()
            self._tell(settled)
            looked = self._look.look()
        except sqlite3.Error:
            raise
        except Exception as error:
            # What a scheduler printed may be beyond any parser: then nothing is known of any job.
            if not isinstance(error, EhpcError):
                log.exception("the answer of cluster %s", name)
            self._failures += 1
            self._look.failed()
            self._note(error.detail if isinstance(error, EhpcError) else f"its answer cannot be read ({error})")
            return True, False
        self._failures = 0
        self._note(None)
        self._tell(looked)
        held = len(self._look.watched.jobs)
        if held > self._held + MANY:
            self._held = held
            self._grown()
        self._held = min(self._held, held + MANY)
        return True, bool(settled or looked)

    def _note(self, failure: str | None) -> None:
        """Whether the cluster answered: if that changed, all its jobs are shown anew."""
        before, self.failure = self.failure, failure
        if failure is None:
            now = int(time.time())
            if self.checked_time is None or abs(now - self.checked_time) >= _NOTED_S or before is not None:
                notes.keep_checked_time(self._store, self._cluster.profile.name, now)
            self.checked_time = now
        if failure != before:
            # The newest first: they are those on the screen.
            self._tell([job.detail for job in self._look.watched.jobs.values()][::-1])

    def _tell(self, details: Iterable[JobDetail]) -> None:
        for detail in details:
            self._changed(detail)
