"""ListJobs: which jobs, in which order, and how they are listed; wire names and types as on the API's page (2024-07-30).

Extension of ours: ``JobIds`` in the filter.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from ehpc_jupyter.models.base import WireModel
from ehpc_jupyter.models.common import Answer, ResourceTexts, json_text, one_or_many
from ehpc_jupyter.models.job import JobDetail
from ehpc_jupyter.models.values import NO_TRUTH, NumberText, plain_text

#: More would not fit into one question to the database.
Few = Annotated[tuple[str, ...], Field(max_length=100)]


class SortBy(WireModel):
    """In which order jobs are listed. The keys count in this order, and jobs that no key tells apart are newest first."""

    execute_order: Literal["asc", "desc"] | None = None
    """By start; jobs that did not start come last."""
    pend_order: Literal["asc", "desc"] | None = None
    """Waiting jobs first, by submission."""
    submit_order: Literal["asc", "desc"] | None = None
    """By submission."""


class JobFilter(WireModel):
    """Which jobs to list."""

    create_time_start: NumberText | None = None
    """UNIX seconds."""
    create_time_end: NumberText | None = None
    """UNIX seconds."""
    job_name: str | None = Field(None, max_length=200)
    """A part of the name."""
    job_status: Literal["all", "finished", "notfinish"] = "all"
    queues: Few = ()
    users: Few = ()
    nodes: Few = ()
    """Jobs on any of these nodes."""
    job_ids: Few = ()
    """These jobs only, by their ids or by the ids of the requests that made them; of those also a request that was refused."""
    diagnosis: tuple[()] = ()
    """Sent by the official SDK, always empty; no scheduler here diagnoses."""
    sort_by: Annotated[SortBy, BeforeValidator(lambda value: SortBy() if value is None else value)] = SortBy()

    @field_validator("queues", "users", "nodes", "job_ids", "diagnosis", mode="before")
    @classmethod
    def _none_is_empty(cls, value: Any) -> Any:
        return () if value is None else one_or_many(value)

    @field_validator("diagnosis", mode="before")
    @classmethod
    def _no_diagnosis(cls, value: Any) -> Any:
        if value:
            raise ValueError("jobs are not diagnosed here; leave it empty")
        return ()

    @field_validator("job_name", "queues", "users", "nodes", "job_ids")
    @classmethod
    def _text(cls, value: Any) -> Any:
        for text in (value,) if isinstance(value, str) else value or ():
            plain_text(text)
        return value

    @field_validator("create_time_start", "create_time_end")
    @classmethod
    def _seconds(cls, text: str | None) -> str | None:
        if text is not None and not (text.isascii() and text.isdecimal()):
            raise ValueError(f"{text!r} is no UNIX time in seconds")
        return text


class ListJobsRequest(WireModel):
    """List the jobs known here, newest first."""

    cluster_id: str
    page_number: Annotated[int, Field(ge=1, le=10**9), NO_TRUTH] = 1
    page_size: Annotated[int, Field(ge=1, le=50), NO_TRUTH] = 10
    job_filter: Annotated[JobFilter, BeforeValidator(json_text)] = JobFilter()


class ListedSpec(WireModel):
    """One job of a list: scalars are texts, times UNIX seconds."""

    id: str | None = None
    """The scheduler's id."""
    array_job_id: str | None = None
    """The id of the whole array, for an array."""
    array_job_sub_id: str | None = None
    """Absent: an array is listed once, not by its tasks."""
    array_request: str | None = None
    comment: str | None = None
    """What is noted with the job in the scheduler's own record: the id of the request that made it."""
    job_queue: str | None = None
    last_modify_time: str | None = None
    """When it ended, else started, else was submitted."""
    node_list: str | None = None
    priority: str | None = None
    resources: ResourceTexts | None = None
    resources_actual_occupied: ResourceTexts | None = None
    runas_user: str | None = None
    start_time: str | None = None
    state: str
    """The scheduler's wording."""
    stderr_path: str | None = None
    stdout_path: str | None = None
    submit_time: str | None = None
    variables: str | None = None
    """A JSON object as text."""


class ListedJob(WireModel):
    """One job of a list."""

    job_name: str
    job_spec: ListedSpec
    detail: JobDetail


class ListJobsResponse(Answer):
    """A page of jobs."""

    success: bool = True
    page_number: int
    page_size: int
    total_count: int
    jobs: tuple[ListedJob, ...]
