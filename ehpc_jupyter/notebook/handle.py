"""What a job is known by and what is known of it: the part of ``Job`` that asks and remembers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ehpc_jupyter.errors import EhpcError
from ehpc_jupyter.models.job import JobDetail, JobState
from ehpc_jupyter.notebook import provenance
from ehpc_jupyter.notebook.failure import JobFailed
from ehpc_jupyter.notebook.logs import DEFAULT_LIMIT_BYTES, JobLog, LogName
from ehpc_jupyter.notebook.states import title_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

    from ehpc_jupyter.notebook.client import Client

#: ``Job.state`` asks the server at most this often, seconds: a loop over it is no load.
FRESH_S = 0.5


class Handle:
    """A job's identity, what is known of it, its output. See ``Job``.

    Attributes:
        task_of: of a task, the id of its array and its index in it.
    """

    task_of: tuple[str, int] | None = None

    def __init__(
        self,
        client: Client,
        cluster_id: str,
        job_id: str | None,
        *,
        name: str = "",
        detail: JobDetail | None = None,
        request: Mapping[str, Any] | None = None,
    ) -> None:
        self.client = client
        self.cluster_id = cluster_id
        self.job_id = job_id
        self._name = name
        self._detail = detail
        self._request: dict[str, Any] = dict(request or {})
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
        old = self._asked_at is None or self.client.clock.monotonic() - self._asked_at >= FRESH_S
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

    def refresh(self) -> Self:
        """Ask the server now, however fresh the answer is. Returns the job itself."""
        if self.job_id is not None:
            info = self.client.look(self.cluster_id, self.job_id)
            self._request = self._request or provenance.told(info)
            self.learn(info.detail)
        elif self._detail is not None:
            found = self.client.look_at(self.cluster_id, [self._detail.request_id])
            self.learn(found[0] if found else self._detail)
        return self

    def learn(self, detail: JobDetail) -> None:
        """Take what somebody just asked for."""
        self._detail = detail
        self.job_id = self.job_id or detail.job_id
        self._asked_at = self.client.clock.monotonic()

    def forget_age(self) -> None:
        """Something was done to the job: the next look at its state asks anew."""
        self._asked_at = None

    @property
    def key(self) -> str:
        """What the job is asked for by: its id, or while it has none that of the request that makes it."""
        return self.job_id or self.known().request_id

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
        return JobLog(self.client, self.cluster_id, self.require_id(), stream, task)

    def require_id(self) -> str:
        """The job's id; asked for if it is not known yet.

        Raises:
            JobFailed: it was not submitted.
            ValueError: it has none yet.
        """
        if self.job_id is None:
            self.refresh()
        if self.job_id is None:
            if self.known().is_final:
                raise JobFailed(self.known())
            raise ValueError("the job has no id yet; wait a moment")
        return self.job_id

    # --- showing without asking, or without raising

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
