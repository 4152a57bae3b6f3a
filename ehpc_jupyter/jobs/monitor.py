"""Keeps the store true: one question per cluster and interval for all its jobs, however many watch.

Quick while something changes and someone looks, slow when quiet, nothing at all when no job can change. A question that
fails makes jobs stale (with the reason), never finished and never failed.
"""

from __future__ import annotations

import logging
import random
import re
import sqlite3
import threading
import time
from typing import TYPE_CHECKING

from ehpc_jupyter.errors import EhpcError, ServiceUnavailable
from ehpc_jupyter.jobs.summary import is_forgotten, needs_records, summarise, with_job_id
from ehpc_jupyter.models.job import JobState
from ehpc_jupyter.transport.base import LoginRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ehpc_jupyter.clusters.base import Cluster
    from ehpc_jupyter.jobs.store import JobStore, StoredJob
    from ehpc_jupyter.models.job import JobDetail
    from ehpc_jupyter.schedulers.base import JobReport
    from ehpc_jupyter.schedulers.script import TaskRecord

log = logging.getLogger(__name__)

SLOWEST_S = 60.0
#: How long after the last look or change the interval stays at its shortest, seconds.
LIVELY_S = 30.0
#: How long an account whose login was refused is left alone, seconds: sites shut out who tries again and again.
_REFUSED_S = 300.0
#: How long the monitor rests after a question however often it is woken, in times of what the question took: a hundred
#: submissions in a second are not a hundred questions to the scheduler, and leave this process time for all else.
_REST = 4.0
#: Arrays whose tasks are remembered: of those that ended, the job's folder and the accounting know more.
_ARRAYS = 200
#: Ids in one question to the accounting: far below any limit of a command line.
_BATCH = 500


def _anothers(token: str | None, request_id: str) -> bool:
    # A site may write into the comment; only what is surely a request id of ours counts.
    return token is not None and token != request_id and re.fullmatch(r"[0-9a-f]{32}", token) is not None


class Monitor:
    """Watches one cluster from a thread of its own, which lives as long as there is something to watch.

    Args:
        cluster: the cluster.
        store: where what is learnt is kept.
        changed: called with every job that changed, from the monitor's thread.
    """

    def __init__(self, cluster: Cluster, store: JobStore, changed: Callable[[JobDetail], None]) -> None:
        self._cluster = cluster
        self._store = store
        self._changed = changed
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._woken = False
        self._lively_until = 0.0
        self._failures = 0
        self._refused: dict[str, tuple[float, EhpcError]] = {}
        self._arrays: dict[str, list[JobReport]] = {}
        self.in_hand: set[str] = set()
        """Requests that are just being submitted: what becomes of them is not to be looked into."""
        self.checked_time: int | None = None
        """When the cluster last answered, UNIX seconds."""
        self.failure: str | None = None
        """Why it did not answer the last question."""

    def wake(self, *, now: bool = False) -> None:
        """Somebody looks, or there is a new job.

        Args:
            now: whether to ask at once and not only at the end of a (short) interval.
        """
        with self._condition:
            if self._closed:
                return
            was_quiet = time.monotonic() > self._lively_until
            self._lively_until = time.monotonic() + LIVELY_S
            self._woken = self._woken or now or was_quiet
            if now:
                self._refused.clear()
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._watch, name=f"ehpc-{self._cluster.profile.name}", daemon=True
                )
                self._thread.start()
            self._condition.notify_all()

    def array_reports(self, request_id: str) -> list[JobReport]:
        """What the queue said of an array's tasks when it last knew the array."""
        return self._arrays.get(request_id, [])

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
                    self._thread = None
                    return
                interval = self._next(interval, moved=moved)
                now = time.monotonic()
                rested, deadline = now + min(interval, _REST * (now - begun)), now + interval
                while not self._closed and (left := (rested if self._woken else deadline) - time.monotonic()) > 0:
                    self._condition.wait(left)
                if self._woken and not self._failures:
                    interval = self._cluster.profile.poll_interval_s

    def _next(self, interval: float, *, moved: bool) -> float:
        shortest = self._cluster.profile.poll_interval_s
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
        jobs = self._store.active(self._cluster.profile.name)
        if not jobs:
            return False, False
        try:
            moved = False
            if lost := [job for job in jobs if job.detail.job_id is None]:
                moved = self._settle(lost)
                jobs = self._store.active(self._cluster.profile.name)
            moved |= self._look([job for job in jobs if job.detail.job_id is not None])
        except sqlite3.Error:
            raise
        except Exception as error:
            # What a scheduler printed may be beyond any parser: then nothing is known of any job.
            if not isinstance(error, EhpcError):
                log.exception("the answer of cluster %s", self._cluster.profile.name)
            reason = error.detail if isinstance(error, EhpcError) else f"its answer cannot be read ({error})"
            self._failures += 1
            self.failure = reason
            self._mark_stale(self._store.active(self._cluster.profile.name), reason)
            return True, False
        self._failures = 0
        self.failure = None
        self.checked_time = int(time.time())
        return True, moved

    def _look(self, jobs: list[StoredJob]) -> bool:
        if not jobs:
            return False
        users = sorted({job.login_user or self._cluster.login(None, None) for job in jobs})
        by_id: dict[str, list[JobReport]] = {}
        for report in self._cluster.status(users):
            by_id.setdefault(report.job_id, []).append(report)

        def queue(job: StoredJob) -> list[JobReport]:
            # A scheduler that was set up anew counts its ids from 1 again: another request's job is not this one.
            return [r for r in by_id.get(str(job.detail.job_id), []) if not _anothers(r.token, job.request_id)]

        for job in jobs:
            if job.detail.array_request and (reports := queue(job)):
                self._arrays.pop(job.request_id, None)
                self._arrays[job.request_id] = reports
        for oldest in list(self._arrays)[:-_ARRAYS]:
            del self._arrays[oldest]
        history = self._history([job for job in jobs if is_forgotten(job.detail, queue(job))])
        records: dict[str, list[TaskRecord]] = {}
        shut: set[str] = set()
        wanted = [job for job in jobs if needs_records(job.detail, queue(job)) and job.detail.folder]
        for user in {job.login_user for job in wanted}:
            folders = {job.request_id: str(job.detail.folder) for job in wanted if job.login_user == user}
            try:
                records.update(self._records(folders, user))
            except LoginRefused as error:
                if not user:
                    raise
                # One account that is shut (its password went with an earlier process) says nothing of the others' jobs.
                self._mark_stale([job for job in wanted if job.login_user == user], error.detail)
                shut.update(folders)
        moved = False
        for job in jobs:
            if job.request_id in shut:
                continue
            past = history.get(str(job.detail.job_id), [])
            detail, source = summarise(job.detail, queue(job), past, records.get(job.request_id, []))
            moved |= self._store_if_new(job.detail, detail, source)
        return moved

    def _records(self, folders: dict[str, str], user: str) -> dict[str, list[TaskRecord]]:
        until, refusal = self._refused.get(user, (0.0, None))
        if refusal is not None and time.monotonic() < until:
            raise refusal
        try:
            return self._cluster.records(folders, user)
        except LoginRefused as error:
            self._refused[user] = (time.monotonic() + _REFUSED_S, error)
            raise

    def _history(self, jobs: list[StoredJob]) -> dict[str, list[JobReport]]:
        found: dict[str, list[JobReport]] = {}
        ids = [str(job.detail.job_id) for job in jobs]
        for start in range(0, len(ids), _BATCH):
            for report in self._cluster.history(ids[start : start + _BATCH]):
                found.setdefault(report.job_id, []).append(report)
        return found

    def _settle(self, jobs: Iterable[StoredJob]) -> bool:
        """Find out what became of submissions whose answer was lost."""
        moved = False
        for job in jobs:
            age = time.time() - (job.detail.submit_time or 0)
            if (
                job.request_id in self.in_hand
                or job.detail.folder is None
                or age < self._cluster.profile.command_timeout_s / 4
            ):
                continue
            try:
                fate = self._cluster.fate(job.request_id, job.detail.folder, job.login_user, age_s=age)
            except ServiceUnavailable:
                raise
            except EhpcError as error:
                self._mark_stale([job], error.detail)
                continue
            if fate.job_id is not None:
                detail = with_job_id(job.detail, fate.job_id)
            else:
                detail = job.detail.model_copy(update={"state": fate.state, "reason": fate.reason})
            moved |= self._store_if_new(job.detail, detail, "folder")
        return moved

    def _store_if_new(self, old: JobDetail, new: JobDetail, source: str) -> bool:
        if new == old:
            return False
        if not self._store.update(new, source):
            return False
        self._changed(new)
        return True

    def _mark_stale(self, jobs: Iterable[StoredJob], reason: str) -> None:
        for job in jobs:
            if job.detail.state is not JobState.SUBMITTING or job.detail.stale_reason is None:
                stale = job.detail.model_copy(update={"stale_reason": reason})
                self._store_if_new(job.detail, stale, "queue")
