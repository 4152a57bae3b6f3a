"""A job as it is known here: its id, its state, where its output lies."""

from __future__ import annotations

import re
from enum import Enum
from typing import Annotated

from pydantic import AfterValidator, Field

from ehpc_jupyter.models.base import WireModel

#: The page's own example writes the line end as the two characters ``\\n``.
_SUBMITTED = re.compile(r"^\s*Submitted batch job (\S+?)(?:\\n)?(?:\s|$)")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+\[\],%:-]{0,199}")


def bare_job_id(text: str) -> str:
    r"""What the scheduler calls the job, from an id or the reply as documented, ``Submitted batch job 10\n``.

    Raises:
        ValueError: the text cannot be a job's id.
    """
    match = _SUBMITTED.match(text)
    bare = (match[1] if match else text).strip()
    if not _ID.fullmatch(bare):
        raise ValueError(f"{text!r} is no job id")
    return bare


JobId = Annotated[str, AfterValidator(bare_job_id)]


class JobState(str, Enum):
    """The one set of states; every scheduler's own maps into it, and its own word is kept beside it."""

    SUBMITTING = "SUBMITTING"
    NOT_SUBMITTED = "NOT_SUBMITTED"
    QUEUED = "QUEUED"
    HELD = "HELD"
    RUNNING = "RUNNING"
    SUSPENDED = "SUSPENDED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    TIMEOUT = "TIMEOUT"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    NODE_FAILED = "NODE_FAILED"
    UNKNOWN = "UNKNOWN"

    @property
    def is_final(self) -> bool:
        """Whether a job in this state will never change again."""
        return self in _FINAL

    def __str__(self) -> str:
        return self.value


_FINAL = frozenset(
    {
        JobState.NOT_SUBMITTED,
        JobState.FINISHED,
        JobState.FAILED,
        JobState.CANCELLED,
        JobState.TIMEOUT,
        JobState.OUT_OF_MEMORY,
        JobState.NODE_FAILED,
    }
)


class Occupied(WireModel):
    """What the scheduler gave to a job that runs or ran; what it did not say is absent."""

    nodes: int | None = None
    """Nodes in all."""
    cores: int | None = None
    """Cores on each node."""
    memory_mb: int | None = None
    """Memory on each node, MB."""
    gpus: int | None = None
    """GPUs on each node."""


class JobDetail(WireModel):
    """Everything a client shows of a job; what is not known is left out. Also a card's data and an event's payload."""

    cluster_id: str
    """The cluster's name here."""

    request_id: str
    """The request that made the job; names its folder."""

    job_id: str | None = None
    """The scheduler's id; absent until the scheduler gave one."""

    job_name: str
    """The job's name."""

    state: JobState
    """One of the common states."""

    native_state: str | None = None
    """The scheduler's own word for the state."""

    reason: str | None = None
    """Why it waits or why it ended so, in the scheduler's words."""

    explanation: str | None = None
    """Why it waits, or why it did not end well, in plain words; absent where there is nothing to explain."""

    advice: str | None = None
    """What to do about it."""

    exit_code: int | None = None
    """The command's exit code, 0 to 255."""

    signal: int | None = None
    """The signal that ended the command."""

    user: str | None = None
    """The account it runs as."""

    queue: str | None = None
    """The queue it is in."""

    node_list: str | None = None
    """The nodes it runs on, as the scheduler writes them."""

    submit_time: int | None = None
    """When it was submitted, UNIX seconds."""

    expected_start_time: int | None = None
    """When the scheduler means to start it, of a job that waits, UNIX seconds; it may change its mind."""

    start_time: int | None = None
    """When it started (the first task, for an array), UNIX seconds."""

    end_time: int | None = None
    """When it ended (the last task, for an array), UNIX seconds."""

    wall_time_s: int | None = None
    """How long it may run, seconds."""

    array_request: str | None = None
    """The range of its tasks, for an array."""

    tasks: dict[str, int] | None = None
    """For an array: how many tasks are in each state."""

    occupied: Occupied | None = None
    """What it occupies or occupied; absent for an array as a whole."""

    memory_peak_mb: int | None = None
    """The most memory that it used on a node, MB; known for some jobs after their end."""

    after: str | None = None
    """The jobs that it waits for, `ok:12,any:13`."""

    rerun_of: str | None = None
    """The id of the job that it runs again."""

    folder: str | None = None
    """The job's folder on the cluster."""

    stdout_path: str | None = None
    """Where its standard output lies on the cluster; %a stands for an array's task."""

    stderr_path: str | None = None
    """Where its standard error lies on the cluster."""

    checked_time: int | None = None
    """When the cluster last said something about it, UNIX seconds."""

    stale_reason: str | None = Field(None)
    """Why what is shown may be old: the words of the question that failed."""

    @property
    def is_final(self) -> bool:
        """Whether the job will never change again."""
        return self.state.is_final
