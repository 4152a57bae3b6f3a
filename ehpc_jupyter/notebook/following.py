"""``Job.follow``: a job's output as it comes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ehpc_jupyter.errors import EhpcError
from ehpc_jupyter.notebook.logs import Follower
from ehpc_jupyter.notebook.waiting import Patience, Pauses, Rhythm
from ehpc_jupyter.notebook.watching import hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from ehpc_jupyter.notebook.job import Job
    from ehpc_jupyter.notebook.logs import LogName

_LONGEST_WAIT_S = 1.0


class Following:
    """Pieces of an output: ``for text in …``, or ``async for`` where the kernel must not be blocked.

    Args:
        job: whose output; it ends when the job has ended and all is read.
        stream: which of its outputs.
    """

    def __init__(self, job: Job, stream: LogName) -> None:
        self._job = job
        self._stream: LogName = stream

    def __repr__(self) -> str:
        return f"<{self._stream} of {self._job.title}: for text in … gives it as it comes>"

    def __iter__(self) -> Iterator[str]:
        clock = self._job.client.clock
        pauses, reader = Pauses(self._job, clock, longest_s=_LONGEST_WAIT_S), _Reader(self._job, self._stream)
        try:
            while True:
                pause = pauses.after_look()
                while text := reader.new(last=pause is None):
                    yield text
                if pause is None:
                    return
                clock.sleep(pause)
        except KeyboardInterrupt:
            raise self._job.interrupted() from None

    async def __aiter__(self) -> AsyncIterator[str]:
        clock = self._job.client.clock
        rhythm, reader = Rhythm(clock, longest_s=_LONGEST_WAIT_S), _Reader(self._job, self._stream)
        shared = hub(clock)
        ended = shared.join(self._job)
        try:
            while True:
                over = ended.done()
                while text := await asyncio.to_thread(reader.new, last=over):
                    yield text
                if over:
                    ended.result()
                    return
                await clock.asleep(rhythm.rest("the job has not ended"))
        finally:
            ended.cancel()
            shared.leave(ended)


class _Reader:
    """Bears an answer that fails while the job goes on: the next look gets what this one missed."""

    def __init__(self, job: Job, stream: LogName) -> None:
        self._job = job
        self._stream: LogName = stream
        self._patience = Patience(job.client.clock)
        self._output: Follower | None = None

    def new(self, *, last: bool) -> str:
        try:
            if self._output is None:
                if self._job.job_id is None and not last:
                    return ""
                self._output = Follower(self._job.log(self._stream))
            text = self._output.new()
            self._patience.answered()
        except EhpcError as error:
            if last or not self._patience.bears(error):
                raise
            return ""
        return text
