"""Waiting for jobs: how long between two looks, how long a silence is borne, and what an interrupt says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ehpc_jupyter.errors import EhpcError

if TYPE_CHECKING:
    from ehpc_jupyter.notebook.clock import Clock
    from ehpc_jupyter.notebook.job import Job

FIRST_WAIT_S, _LONGEST_WAIT_S, _WAIT_GROWTH = 0.1, 2.0, 1.5
#: For how long a server that does not answer is borne, seconds: it may just be restarting.
_PATIENCE_S = 60.0


class WaitInterrupted(KeyboardInterrupt):
    """Waiting was interrupted; the job goes on."""

    def _render_traceback_(self) -> list[str]:  # IPython shows this instead of a traceback
        return [str(self)]


class Rhythm:
    """How long to rest between two looks: little at first, then more.

    Args:
        clock: how time passes.
        timeout: after how long to give up, seconds; None for never.
        longest_s: the longest rest, seconds.
    """

    def __init__(self, clock: Clock, timeout: float | None = None, longest_s: float = _LONGEST_WAIT_S) -> None:
        self._now = clock.monotonic
        self._timeout = timeout
        self._started = self._now()
        self._longest_s = longest_s
        self.quicken()

    def quicken(self) -> None:
        """Something happened or is about to: look often again."""
        self._pause = FIRST_WAIT_S

    def rest(self, what: str) -> float:
        """The seconds to rest now.

        Args:
            what: what has not happened yet, for the error's words.

        Raises:
            TimeoutError: the time is over.
        """
        pause, self._pause = self._pause, min(self._pause * _WAIT_GROWTH, self._longest_s)
        if self._timeout is None:
            return pause
        left = self._timeout - (self._now() - self._started)
        if left <= 0:
            raise TimeoutError(f"{what} after {self._timeout:g} s")
        return min(pause, left)


class Patience:
    """Bears failures that waiting may cure, for a while.

    Args:
        clock: how time passes.
    """

    def __init__(self, clock: Clock) -> None:
        self._now = clock.monotonic
        self._failing_since: float | None = None

    def answered(self) -> None:
        """All is well again."""
        self._failing_since = None

    def bears(self, error: EhpcError) -> bool:
        """Whether to go on after this failure."""
        now = self._now()
        self._failing_since = self._failing_since if self._failing_since is not None else now
        return error.transient and now - self._failing_since < _PATIENCE_S


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
        self._rhythm = Rhythm(clock, timeout, longest_s)
        self._patience = Patience(clock)

    def after_look(self) -> float | None:
        """Look at the job; the seconds to wait before the next look, or None.

        Raises:
            TimeoutError: the time is over; the job goes on.
            EhpcError: the job cannot be looked at, and waiting longer would not help.
        """
        try:
            if self._job.known().is_final or self._job.refresh().known().is_final:
                return None
            self._patience.answered()
        except EhpcError as error:
            if not self._patience.bears(error):
                raise
        try:
            return self._rhythm.rest(f"{self._job.title} has not ended")
        except TimeoutError as error:
            raise TimeoutError(f"{error}; it goes on") from None
