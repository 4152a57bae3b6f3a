"""Waiting for many jobs: ``wait`` for all of them, ``as_completed`` for one after the other."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ehpc_jupyter.notebook.clock import REAL_TIME
from ehpc_jupyter.notebook.progress import Progress
from ehpc_jupyter.notebook.waiting import Rhythm, WaitInterrupted
from ehpc_jupyter.notebook.watching import Watch, hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from ehpc_jupyter.notebook.clock import Clock
    from ehpc_jupyter.notebook.job import Job


def wait(jobs: Iterable[Job], timeout: float | None = None, *, quiet: bool = False) -> list[Job]:
    """Wait until all jobs have ended, well or not. One question a moment for all of them.

    An interrupt of the kernel ends the waiting and leaves the jobs alone.

    Args:
        jobs: jobs of any clusters.
        timeout: how long to wait at most, seconds; None for as long as it takes.
        quiet: show no progress bar.

    Returns:
        The same jobs, in the same order.

    Raises:
        TimeoutError: the time is over; the jobs go on.
        EhpcError: a job cannot be looked at.
    """
    waited = list(jobs)
    for _ in as_completed(waited, timeout, quiet=quiet):
        pass
    return waited


def as_completed(jobs: Iterable[Job], timeout: float | None = None, *, quiet: bool = False) -> AsCompleted:
    """Jobs as they end: ``for job in as_completed(jobs)``, or ``async for`` where the kernel must not be blocked.

    Args:
        jobs: jobs of any clusters; one that is given twice comes once.
        timeout: how long to wait at most, seconds; None for as long as it takes.
        quiet: show no progress bar; ``async for`` shows none anyway.

    Raises:
        TimeoutError: the time is over; the jobs that are left go on.
        EhpcError: a job cannot be looked at.
    """
    return AsCompleted(jobs, timeout, quiet=quiet)


class AsCompleted:
    """See ``as_completed``."""

    def __init__(self, jobs: Iterable[Job], timeout: float | None = None, *, quiet: bool = False) -> None:
        self._jobs = list(dict.fromkeys(jobs))
        self._timeout = timeout
        self._quiet = quiet

    def __repr__(self) -> str:
        ended = sum(job.known().is_final for job in self._jobs)
        return f"<{ended} of {len(self._jobs)} jobs ended: for job in … gives each as it ends>"

    def __iter__(self) -> Iterator[Job]:
        clock = self._clock
        watch, rhythm = Watch(self._jobs, clock), Rhythm(clock, self._timeout)
        with Progress(self._jobs, clock, quiet=self._quiet) as progress:
            try:
                while watch.jobs:
                    done = watch.look()
                    progress.show()
                    for job, fault in done.items():
                        if fault is not None:
                            raise fault
                        yield job
                    if done:
                        rhythm.quicken()
                    if watch.jobs:
                        clock.sleep(rhythm.rest(self._left(len(watch.jobs))))
            except KeyboardInterrupt:
                raise WaitInterrupted(f"Stopped waiting. {_count(len(watch.jobs))} not ended and go on.") from None

    async def __aiter__(self) -> AsyncIterator[Job]:
        if not self._jobs:
            return
        shared = hub(self._clock)
        started = self._clock.monotonic()
        futures = {shared.join(job): job for job in self._jobs}
        left = set(futures)
        try:
            while left:
                rest = None if self._timeout is None else self._timeout - (self._clock.monotonic() - started)
                if rest is not None and rest <= 0:
                    raise TimeoutError(f"{self._left(len(left))} after {self._timeout:g} s")
                done, left = await asyncio.wait(left, timeout=rest, return_when=asyncio.FIRST_COMPLETED)
                for future in sorted(done, key=list(futures).index):
                    future.result()
                    yield futures[future]
        finally:
            for future in futures:
                future.cancel()
                shared.leave(future)

    @property
    def _clock(self) -> Clock:
        return self._jobs[0].client.clock if self._jobs else REAL_TIME

    def _left(self, count: int) -> str:
        return f"{_count(count)} not ended" if count < 2 else f"{count} of {len(self._jobs)} jobs have not ended"


def _count(count: int) -> str:
    return "1 job has" if count == 1 else f"{count} jobs have"
