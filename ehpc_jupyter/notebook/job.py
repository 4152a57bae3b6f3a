"""``Job``: one job, as a notebook holds it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ehpc_jupyter.errors import EhpcError
from ehpc_jupyter.models.job import JobDetail, JobState
from ehpc_jupyter.notebook import display
from ehpc_jupyter.notebook.logs import DEFAULT_LIMIT_BYTES, JobLog, LogName
from ehpc_jupyter.notebook.states import end_words, title_of
from ehpc_jupyter.notebook.waiting import Pauses, WaitInterrupted

if TYPE_CHECKING:
    from collections.abc import Generator

    from ehpc_jupyter.notebook.client import Client

#: ``Job.state`` asks the server at most this often, seconds: a loop over it is no load.
FRESH_S = 0.5
_STDERR_LINES = 20


class JobFailed(Exception):
    """A job ended, but not well.

    Attributes:
        detail: all that is known of the job.
        exit_code: of its command, 0 to 255; None if it has none (cancelled, never started).
        stderr_tail: the last lines of its standard error.
    """

    def __init__(self, detail: JobDetail, stderr_tail: str = "") -> None:
        self.detail = detail
        self.exit_code = detail.exit_code
        self.stderr_tail = stderr_tail
        words = f"{title_of(detail.cluster_id, detail.job_id, detail.job_name)} {end_words(detail)}."
        super().__init__(f"{words} The last lines of its standard error:\n{stderr_tail}" if stderr_tail else words)


class Job:
    """One job on one cluster: what it does now, its output, a way to stop it.

    Made by ``Client.submit``, ``Client.job`` and ``Client.jobs``. As the last line of a cell it shows itself as a card,
    which stays live in JupyterLab. ``await job`` waits without blocking the kernel.

    Attributes:
        cluster_id: the cluster's name.
        job_id: what the scheduler calls the job; None while it has not been accepted.
    """

    def __init__(
        self, client: Client, cluster_id: str, job_id: str | None, *, name: str = "", detail: JobDetail | None = None
    ) -> None:
        self._client = client
        self.cluster_id = cluster_id
        self.job_id = job_id
        self._name = name
        self._detail = detail
        self._asked_at: float | None = None

    # --- what is known

    @property
    def name(self) -> str:
        """The job's name."""
        return self._detail.job_name if self._detail else self._name

    @property
    def detail(self) -> JobDetail:
        """All that is known of the job; asked again when older than half a second and the job has not ended.

        Raises:
            JobNotFound: no such job is known on that cluster.
            ServiceUnavailable: nobody answered.
        """
        old = self._asked_at is None or self._client.clock.monotonic() - self._asked_at >= FRESH_S
        if self._detail is None or (old and not self._detail.is_final):
            self.refresh()
        return self.known()

    @property
    def state(self) -> JobState:
        """What the job does now; raises as ``detail`` does. ``state.is_final`` says whether it has ended."""
        return self.detail.state

    @property
    def exit_code(self) -> int | None:
        """The command's exit code, 0 to 255; None while there is none."""
        return self.detail.exit_code

    @property
    def stdout_path(self) -> str | None:
        """Where its standard output lies on the cluster; ``%a`` stands for an array's task."""
        return self.detail.stdout_path

    @property
    def stderr_path(self) -> str | None:
        """Where its standard error lies on the cluster; ``%a`` stands for an array's task."""
        return self.detail.stderr_path

    @property
    def folder(self) -> str | None:
        """The job's folder on the cluster."""
        return self.detail.folder

    def refresh(self) -> Job:
        """Ask the server now, however fresh the answer is. Returns the job itself."""
        if self.job_id is not None:
            self._detail = self._client.look(self.cluster_id, self.job_id)
        elif self._detail is not None:
            found = self._client.look_for_request(self.cluster_id, self._detail.request_id, self._detail.job_name)
            self._detail = found or self._detail
            self.job_id = self._detail.job_id
        self._asked_at = self._client.clock.monotonic()
        return self

    # --- waiting

    def wait(self, timeout: float | None = None) -> Job:
        """Wait until the job has ended, well or not.

        An interrupt of the kernel ends the waiting and leaves the job alone. A server that does not answer for a
        while, for instance during a restart, is borne for a minute.

        Args:
            timeout: how long to wait at most, seconds; None for as long as it takes.

        Returns:
            The job itself, so that ``job.wait().stdout()`` reads well.

        Raises:
            TimeoutError: the time is over; the job goes on.
            ServiceUnavailable: nobody answered for a minute.
        """
        pauses = Pauses(self, self._client.clock, timeout)
        try:
            while (pause := pauses.after_look()) is not None:
                self._client.clock.sleep(pause)
        except KeyboardInterrupt:
            raise self.interrupted() from None
        return self

    def interrupted(self) -> WaitInterrupted:
        """What to raise when a wait for this job is interrupted: it says that the job goes on."""
        return WaitInterrupted(f"Stopped waiting. {self.title} goes on; .stop() ends it, .wait() waits again.")

    def __await__(self) -> Generator[Any, None, Job]:
        return self._wait_async().__await__()

    async def _wait_async(self) -> Job:
        pauses = Pauses(self, self._client.clock)
        while (pause := await asyncio.to_thread(pauses.after_look)) is not None:
            await self._client.clock.asleep(pause)
        return self

    # --- doing

    def stop(self) -> Job:
        """Tell the cluster to stop the job; it takes a moment until ``state`` says so. Returns the job itself.

        Raises:
            StopFailure: the scheduler refused, for instance because the job has ended.
        """
        self._client.stop(self.cluster_id, self._id())
        self._asked_at = None
        return self

    def check(self) -> Job:
        """Raise if the job ended and not well; one that waits or runs passes. Returns the job itself.

        Raises:
            JobFailed: with the reason in plain words, the exit code and the last lines of standard error.
        """
        detail = self.detail
        if not detail.is_final or detail.state is JobState.FINISHED:
            return self
        try:
            tail = self.tail(_STDERR_LINES, stream="stderr") if self.job_id and not detail.tasks else ""
        except EhpcError:
            tail = ""  # that the job failed is the news; it must not be hidden by a second failure
        raise JobFailed(detail, tail)

    #: The same under the name that users of ``requests`` know.
    raise_for_state = check

    # --- output

    def stdout(self, task: int | None = None, *, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> str:
        """What the job wrote to its standard output so far; empty while there is nothing.

        Bytes that are not UTF-8 become the replacement character.

        Args:
            task: the index of a task, for an array.
            limit_bytes: of a larger output only the end is fetched, after a line that says so.
        """
        return self.log("stdout", task).text(limit_bytes)

    def stderr(self, task: int | None = None, *, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> str:
        """What the job wrote to its standard error so far; as ``stdout``."""
        return self.log("stderr", task).text(limit_bytes)

    def tail(self, n: int = 20, *, stream: LogName = "stdout", task: int | None = None) -> str:
        """The last ``n`` lines of an output, without the line end of the last one."""
        return self.log(stream, task).tail(n)

    def log(self, stream: LogName, task: int | None = None) -> JobLog:
        """One of its outputs, to be read in pieces."""
        return JobLog(self._client, self.cluster_id, self._id(), stream, task)

    def _id(self) -> str:
        if self.job_id is None:
            self.refresh()
        if self.job_id is None:
            raise (
                JobFailed(self.known()) if self.known().is_final else ValueError("the job has no id yet; wait a moment")
            )
        return self.job_id

    # --- showing

    def __repr__(self) -> str:
        return f"<{self.title}: {self.known().state}>"

    def __str__(self) -> str:
        return display.text(self.shown())

    @property
    def title(self) -> str:
        """``Job 12 'hello' on local``."""
        return title_of(self.cluster_id, self.job_id, self.name)

    def shown(self) -> JobDetail:
        """What can be shown now, without raising: after a failed question what was known before, and why it is old."""
        try:
            return self.detail
        except EhpcError as error:
            return self.known().model_copy(update={"stale_reason": str(error)})

    def known(self) -> JobDetail:
        """What is known of the job without asking; a job that nobody asked about is UNKNOWN."""
        return self._detail or JobDetail(
            cluster_id=self.cluster_id, request_id="", job_id=self.job_id, job_name=self._name, state=JobState.UNKNOWN
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return display.bundle(self.shown())
