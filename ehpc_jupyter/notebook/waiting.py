"""Waiting for a job: how long between two looks, and what an interrupt says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ehpc_jupyter.errors import EhpcError

if TYPE_CHECKING:
    from ehpc_jupyter.notebook.clock import Clock
    from ehpc_jupyter.notebook.job import Job

_FIRST_WAIT_S, _LONGEST_WAIT_S, _WAIT_GROWTH = 0.1, 2.0, 1.5
#: For how long a server that does not answer is borne, seconds: it may just be restarting.
_PATIENCE_S = 60.0


class WaitInterrupted(KeyboardInterrupt):
    """Waiting was interrupted; the job goes on."""

    def _render_traceback_(self) -> list[str]:  # IPython shows this instead of a traceback
        return [str(self)]


class Pauses:
    """How long to wait before the next look at a job: little at first, then more; None when it has ended.

    Args:
        job: the job to look at.
        clock: how time passes.
        timeout: after how long to give up, seconds; None for never.
        longest_s: the longest pause, seconds.
    """

    def __init__(
        self, job: Job, clock: Clock, timeout: float | None = None, longest_s: float = _LONGEST_WAIT_S
    ) -> None:
        self._job = job
        self._now = clock.monotonic
        self._timeout = timeout
        self._started = self._now()
        self._pause = _FIRST_WAIT_S
        self._longest_s = longest_s
        self._failing_since: float | None = None

    def after_look(self) -> float | None:
        """Look at the job; the seconds to wait before the next look, or None.

        Raises:
            TimeoutError: the time is over.
            EhpcError: the job cannot be looked at, and waiting longer would not help.
        """
        try:
            if self._job.known().is_final or self._job.refresh().known().is_final:
                return None
            self._failing_since = None
        except EhpcError as error:
            now = self._now()
            self._failing_since = self._failing_since if self._failing_since is not None else now
            if not error.transient or now - self._failing_since >= _PATIENCE_S:
                raise
        pause, self._pause = self._pause, min(self._pause * _WAIT_GROWTH, self._longest_s)
        if self._timeout is None:
            return pause
        left = self._timeout - (self._now() - self._started)
        if left <= 0:
            raise TimeoutError(f"{self._job.title} has not ended after {self._timeout:g} s; it goes on")
        return min(pause, left)
