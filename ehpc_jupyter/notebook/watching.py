"""Many jobs looked at together: one question for all that somebody waits for, in a loop of its own or in a coroutine's."""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from typing import TYPE_CHECKING

from ehpc_jupyter.errors import EhpcError
from ehpc_jupyter.notebook.tasks import covers
from ehpc_jupyter.notebook.waiting import FIRST_WAIT_S, Patience, Rhythm

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ehpc_jupyter.models.job import JobDetail
    from ehpc_jupyter.notebook.client import Client
    from ehpc_jupyter.notebook.clock import Clock
    from ehpc_jupyter.notebook.job import Job

#: The most jobs that one question can be about: a page of ListJobs.
_TOGETHER = 50


def look_at(client: Client, cluster: str, jobs: Sequence[Job]) -> dict[Job, EhpcError]:
    """Ask about jobs of one cluster, together; they know the answer then.

    Returns:
        The jobs that could not be looked at, each with its error.

    Raises:
        EhpcError: nothing can be asked about that cluster now.
    """
    alone = list(jobs)
    if len(jobs) > 1:
        alone = [job for job in jobs if job.task_of is not None]
        jobs = [job for job in jobs if job.task_of is None]
        for start in range(0, len(jobs), _TOGETHER):
            group = jobs[start : start + _TOGETHER]
            # A scheduler may count from the start again: of several jobs with one id the newest is meant, as in GetJob.
            found: dict[str, JobDetail] = {}
            for detail in reversed(client.look_at(cluster, dict.fromkeys(job.key for job in group))):
                found |= {key: detail for key in (detail.request_id, detail.job_id) if key is not None}
            for job in group:
                if job.key in found:
                    job.learn(found[job.key])
                else:  # it is not known any more
                    alone.append(job)
        alone = _without_waiting_tasks(client, cluster, alone)
    faults = {}
    for job in alone:
        try:
            job.refresh()
        except EhpcError as error:
            if error.transient:
                raise
            faults[job] = error
    return faults


def _without_waiting_tasks(client: Client, cluster: str, jobs: list[Job]) -> list[Job]:
    """Ask about several tasks of an array together; the jobs that have to be asked for one by one.

    What ended is among them: the list of groups does not tell all of a task.
    """
    arrays: dict[str, list[Job]] = {}
    for job in jobs:
        if job.task_of is not None:
            arrays.setdefault(job.task_of[0], []).append(job)
    going_on: set[Job] = set()
    for array_id, tasks in arrays.items():
        try:
            groups = client.tasks_of(cluster, array_id) if len(tasks) > 1 else []
        except EhpcError as error:
            if error.transient:
                raise
            groups = []  # each task's own question says what is wrong
        for task in tasks:
            group = next((group for group in groups if task.task_of and covers(group.tasks, task.task_of[1])), None)
            if group is not None and not group.state.is_final:
                task.learn(task.known().model_copy(update={"state": group.state, "reason": group.reason}))
                going_on.add(task)
    return [job for job in jobs if job not in going_on]


class Watch:
    """Jobs that somebody waits for, of any clients and clusters.

    Args:
        jobs: the jobs.
        clock: how time passes.
    """

    def __init__(self, jobs: Iterable[Job], clock: Clock) -> None:
        self.jobs = dict.fromkeys(jobs)
        self._clock = clock
        self._patience: dict[tuple[Client, str], Patience] = {}

    def look(self) -> dict[Job, EhpcError | None]:
        """Ask once; the jobs that need not be waited for any longer.

        They are watched no more. One that cannot be looked at comes with its error: no such job, or its cluster gave no
        answer for a minute. A cluster that is silent holds up no other cluster's jobs.
        """
        done: dict[Job, EhpcError | None] = {}
        groups: dict[tuple[Client, str], list[Job]] = {}
        for job in list(self.jobs):
            if not job.known().is_final:
                groups.setdefault((job.client, job.cluster_id), []).append(job)
        for (client, cluster), group in groups.items():
            patience = self._patience.setdefault((client, cluster), Patience(self._clock))
            try:
                done |= look_at(client, cluster, group)
                patience.answered()
            except EhpcError as error:
                if not patience.bears(error):
                    done |= dict.fromkeys(group, error)
        done |= {job: None for job in list(self.jobs) if job.known().is_final}
        for job in done:
            self.jobs.pop(job, None)
        return done


class Hub:
    """Coroutines of one event loop that wait for jobs: however many they are, one of them asks for all.

    Args:
        clock: how time passes.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[asyncio.Future[None], Job] = {}
        self._joined = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def ended(self, job: Job) -> None:
        """Return when the job has ended.

        Raises:
            EhpcError: the job cannot be looked at, and waiting longer would not help.
        """
        future = self.join(job)
        try:
            await future
        finally:
            self.leave(future)

    def join(self, job: Job) -> asyncio.Future[None]:
        """A future that is done when the job has ended; ``leave`` with it, whatever came of it."""
        future = asyncio.get_running_loop().create_future()
        self._waiting[future] = job
        self._joined.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._ask(), name="ehpc-watch")
        return future

    def leave(self, future: asyncio.Future[None]) -> None:
        """Wait no longer; the last one out stops the asking."""
        self._waiting.pop(future, None)
        if not self._waiting and self._task is not None:
            self._task.cancel()
            self._task = None
            self._joined = asyncio.Event()  # the old one keeps the event loop alive

    async def _ask(self) -> None:
        # Not the hub's: of one that was given up, a thread may still wait for the answer.
        watch, rhythm = Watch((), self._clock), Rhythm(self._clock)
        while self._waiting:
            self._joined.clear()
            watch.jobs = dict.fromkeys(self._waiting.values())
            try:
                done = await asyncio.to_thread(watch.look)
            except Exception as fault:  # noqa: BLE001 - whoever waits must hear of it, or waits for ever
                self._settle(dict.fromkeys(self._waiting.values(), fault))
                return
            self._settle(done)
            if done:
                rhythm.quicken()
            if await self._rest(rhythm.rest("the jobs have not ended")):
                rhythm.quicken()

    async def _rest(self, seconds: float) -> bool:
        """Let time pass; True as soon as one more waits, but never at once: many may come one after the other."""
        await self._clock.asleep(min(FIRST_WAIT_S, seconds))
        if seconds <= FIRST_WAIT_S or self._joined.is_set():
            return self._joined.is_set()
        both = [
            asyncio.ensure_future(self._clock.asleep(seconds - FIRST_WAIT_S)),
            asyncio.ensure_future(self._joined.wait()),
        ]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for part in both:
                part.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(*both, return_exceptions=True)
        return self._joined.is_set()

    def _settle(self, done: dict[Job, EhpcError | None] | dict[Job, Exception]) -> None:
        for future, job in list(self._waiting.items()):
            if job not in done or future.done():
                continue
            fault = done[job]
            if fault is None:
                future.set_result(None)
            else:
                future.set_exception(fault)


_HUBS: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Clock, Hub]] = weakref.WeakKeyDictionary()


def hub(clock: Clock) -> Hub:
    """The running event loop's one hub."""
    hubs = _HUBS.setdefault(asyncio.get_running_loop(), {})
    if clock not in hubs:
        hubs[clock] = Hub(clock)
    return hubs[clock]
