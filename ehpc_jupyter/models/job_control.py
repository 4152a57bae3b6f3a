"""Requests and answers of the actions by which jobs are stopped, held, released and looked into.

StopJobs is the API's (2024-07-30); its ``Results`` and all other actions here are extensions of ours, in its shape.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from ehpc_jupyter.models.base import WireModel
from ehpc_jupyter.models.common import Answer, Names, one_or_many
from ehpc_jupyter.models.job import JobId, JobState
from ehpc_jupyter.models.values import NO_TRUTH

JobIds = Annotated[tuple[JobId, ...], BeforeValidator(one_or_many), Field(min_length=1, max_length=1000)]


class JobOutcome(WireModel):
    """What happened to one of several jobs."""

    job_id: str
    """As it was asked for."""
    outcome: Literal["stopping", "ended already", "held", "released", "deleted", "submitted again"]
    """What was done, or why there was nothing to do."""
    new_job_id: str | None = None
    """The id of the new job, of one that was submitted again."""


class StopJobsRequest(WireModel):
    """Stop jobs that wait or run, or tasks of an array: `10`, `10_3`, `10_[1-5,7]`."""

    cluster_id: str
    job_ids: JobIds


class StopJobsResponse(Answer):
    """All of them were told to stop, or had ended."""

    success: str = "true"
    results: tuple[JobOutcome, ...] = ()
    """Extension of ours: what happened to each."""


class HoldJobsRequest(WireModel):
    """Keep jobs or tasks that wait from starting."""

    cluster_id: str
    job_ids: JobIds


class HoldJobsResponse(Answer):
    """All of them are held."""

    success: str = "true"
    results: tuple[JobOutcome, ...] = ()
    """What happened to each."""


class ReleaseJobsRequest(WireModel):
    """Let jobs or tasks that are held start again."""

    cluster_id: str
    job_ids: JobIds


class ReleaseJobsResponse(Answer):
    """All of them wait for their turn again."""

    success: str = "true"
    results: tuple[JobOutcome, ...] = ()
    """What happened to each."""


class RefreshJobsRequest(WireModel):
    """Ask the cluster now, also one that is left alone because it did not answer."""

    cluster_id: str


class RefreshJobsResponse(Answer):
    """It is being asked; what changes goes out as events."""

    success: str = "true"


class ListTasksRequest(WireModel):
    """List the tasks of an array, those of one state and one fate together."""

    cluster_id: str
    job_id: JobId
    states: Names = ()
    """Only tasks in these states; all if empty."""
    page_number: Annotated[int, Field(ge=1, le=10**9), NO_TRUTH] = 1
    page_size: Annotated[int, Field(ge=1, le=100), NO_TRUTH] = 50


class TaskGroup(WireModel):
    """Tasks of an array of which the same is known; what is not known is left out."""

    tasks: str
    """Their indices, `3` or `1-5,7` or `2-100:2`."""
    count: int
    """How many they are."""
    state: JobState
    """One of the common states."""
    native_state: str | None = None
    """The scheduler's own word for the state."""
    reason: str | None = None
    """Why they wait or why they ended so, in the scheduler's words."""
    explanation: str | None = None
    """The same in plain words."""
    exit_code: int | None = None
    """The command's exit code, 0 to 255."""
    signal: int | None = None
    """The signal that ended the command."""
    node_list: str | None = None
    """Where they run or ran."""
    start_time: int | None = None
    """When the first of them started, UNIX seconds."""
    end_time: int | None = None
    """When the last of them ended, UNIX seconds."""


class ListTasksResponse(Answer):
    """A page of groups of tasks, in the order of their first index."""

    success: str = "true"
    page_number: int
    page_size: int
    total_count: int
    """How many groups there are."""
    tasks: tuple[TaskGroup, ...]


class ListJobEventsRequest(WireModel):
    """List what became of a job, step by step."""

    cluster_id: str
    job_id: JobId


class JobEvent(WireModel):
    """A change of a job's state."""

    time: int
    """When it was noticed here, UNIX seconds."""
    state: JobState
    """The state from then on."""
    source: Literal["request", "submit", "queue", "history", "folder"]
    """Who said so: the request itself, the submission's answer, the queue, the accounting, the job's own folder."""
    reason: str | None = None
    """Why, in the words of who said it."""


class ListJobEventsResponse(Answer):
    """All changes of the job's state, oldest first."""

    success: str = "true"
    job_id: str
    events: tuple[JobEvent, ...]
