"""A request and a response model for every API action, wire names and types as on the API's pages (2024-07-30).

``Detail`` (in GetJob and ListJobs) and ``TaskId`` (in GetJobLog) are extensions of ours.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, field_validator

from ehpc_jupyter.models.base import WireModel
from ehpc_jupyter.models.job import JobDetail, JobId
from ehpc_jupyter.models.spec import JobSpec, form
from ehpc_jupyter.models.values import NumberText, Variable, plain_text

#: The cluster that is always there.
DEFAULT_CLUSTER = "local"


def _json_text(value: Any) -> Any:
    """Lists and objects come as JSON strings in the API's RPC form, as themselves in a JSON body."""
    if isinstance(value, str) and value.strip().startswith(("[", "{")):
        try:
            return json.loads(value)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"it is no JSON: {error}") from None
    return value


def _one_or_many(value: Any) -> Any:
    value = _json_text(value)
    return [value] if isinstance(value, str) else value


class Answer(WireModel):
    """What every answer holds."""

    request_id: str = ""
    """The id of the request, also in the server's log."""


# --- CreateJob


class CreateJobRequest(WireModel):
    """Submit a job to a cluster."""

    cluster_id: str = Field(title="Cluster", examples=["local"], json_schema_extra=form("command", "cluster"))
    """The cluster's name; `local` is this machine."""

    job_name: str | None = Field(None, examples=["TestJob"], json_schema_extra=form("command"))
    """The job's name; made from its command if empty."""

    job_spec: Annotated[JobSpec, BeforeValidator(_json_text)]
    """The job's specification."""

    client_token: str | None = Field(None, pattern=r"^[\x21-\x7e]{1,64}$", json_schema_extra=form("hidden"))
    """Any text of up to 64 characters that makes the request unique: asking twice with it gives one job."""

    @field_validator("job_name")
    @classmethod
    def _name(cls, text: str | None) -> str | None:
        if text is None or not text.strip():
            return None
        text = plain_text(text.strip())
        if len(text) > 200:
            raise ValueError(f"a name has at most 200 characters, this one has {len(text)}")
        return text

    def to_body(self) -> dict[str, Any]:
        """The wire form with the password that ``to_wire`` leaves out: for the request itself and nothing else."""
        body = self.to_wire()
        if self.job_spec.runas_user_password is not None:
            body["JobSpec"]["RunasUserPassword"] = self.job_spec.runas_user_password.get_secret_value()
        return body


class CreateJobResponse(Answer):
    """The job as submitted."""

    job_id: str
    """The scheduler's id of the job."""

    success: str = "true"
    """`true`."""


# --- GetJob


class GetJobRequest(WireModel):
    """Look at one job."""

    cluster_id: str
    job_id: JobId


class ResourceFigures(WireModel):
    """Resources in the API's answers."""

    nodes: int | None = None
    cores: int | None = None
    memory: str | None = None
    gpus: int | None = None


class JobInfo(WireModel):
    """One job, in the API's own words, with ours in ``Detail``."""

    job_id: str | None = None
    job_name: str
    state: str
    """The scheduler's wording."""
    command_line: str | None = None
    job_queue: str | None = None
    priority: str | None = None
    array_request: str | None = None
    create_time: str | None = None
    """ISO 8601 without zone, UTC."""
    start_time: str | None = None
    last_modify_time: str | None = None
    node_list: str | None = None
    output_log: str | None = None
    """The path of its standard output."""
    error_log: str | None = None
    """The path of its standard error."""
    resources: ResourceFigures | None = None
    runas_user: str | None = None
    variables: tuple[Variable, ...] | None = None
    extra_info: str = "{}"
    detail: JobDetail


class GetJobResponse(Answer):
    """One job."""

    success: bool = True
    job_info: JobInfo


# --- ListJobs


class JobFilter(WireModel):
    """Which jobs to list."""

    create_time_start: NumberText | None = None
    """UNIX seconds."""
    create_time_end: NumberText | None = None
    """UNIX seconds."""
    job_name: str | None = None
    """A part of the name."""
    job_status: Literal["all", "finished", "notfinish"] = "all"
    queues: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    diagnosis: tuple[str, ...] = ()
    """Sent by the official SDK, always empty."""
    sort_by: dict[str, str] | None = None

    @field_validator("job_name", "queues", "users", "nodes")
    @classmethod
    def _text(cls, value: Any) -> Any:
        for text in (value,) if isinstance(value, str) else value or ():
            plain_text(text)
        return value

    @field_validator("create_time_start", "create_time_end")
    @classmethod
    def _seconds(cls, text: str | None) -> str | None:
        if text is not None and not text.isdecimal():
            raise ValueError(f"{text!r} is no UNIX time in seconds")
        return text


class ListJobsRequest(WireModel):
    """List the jobs known here, newest first."""

    cluster_id: str
    page_number: Annotated[int, Field(ge=1, le=10**9)] = 1
    page_size: Annotated[int, Field(ge=1, le=50)] = 10
    job_filter: Annotated[JobFilter, BeforeValidator(_json_text)] = JobFilter()


class ListedJob(WireModel):
    """One job of a list."""

    job_name: str
    job_spec: dict[str, Any]
    detail: JobDetail


class ListJobsResponse(Answer):
    """A page of jobs."""

    success: bool = True
    page_number: int
    page_size: int
    total_count: int
    jobs: tuple[ListedJob, ...]


# --- GetJobLog


class GetJobLogRequest(WireModel):
    """Read a part of a job's output."""

    cluster_id: str
    job_id: JobId
    log_type: Literal["stdout", "stderr", "all"] = "all"
    offset: Annotated[int, Field(ge=0, le=2**62)] = 0
    """Bytes to skip."""
    size: Annotated[int, Field(ge=1, le=1_048_576)] = 10240
    """Bytes to read at most."""
    task_id: Annotated[int, Field(ge=0)] | None = None
    """The task of an array; also as `10_3` in JobId."""


class GetJobLogResponse(Answer):
    """Bytes of a job's output, Base64; a file that does not exist yet is absent."""

    success: bool = True
    job_id: str
    stdout_log: str | None = None
    stdout_log_size: int | None = None
    """The file's size in bytes."""
    stderr_log: str | None = None
    stderr_log_size: int | None = None


# --- StopJobs


class StopJobsRequest(WireModel):
    """Stop jobs that wait or run."""

    cluster_id: str
    job_ids: Annotated[tuple[JobId, ...], BeforeValidator(_one_or_many), Field(min_length=1, max_length=1000)]


class StopJobsResponse(Answer):
    """All of them were told to stop."""

    success: bool = True


# --- ListClusters


class ListClustersRequest(WireModel):
    """List the clusters configured here."""

    cluster_ids: Annotated[tuple[str, ...], BeforeValidator(_one_or_many)] = ()
    cluster_names: Annotated[tuple[str, ...], BeforeValidator(_one_or_many)] = ()
    page_number: Annotated[int, Field(ge=1)] = 1
    page_size: Annotated[int, Field(ge=1, le=100)] = 50


class SchedulerInfo(WireModel):
    """The batch system."""

    type: str
    version: str | None = None


class ManagerInfo(WireModel):
    """Who manages a cluster's jobs."""

    scheduler: SchedulerInfo


class ClusterInfo(WireModel):
    """A cluster."""

    cluster_id: str
    cluster_name: str
    cluster_description: str = ""
    cluster_status: Literal["running", "exception", "pending"] = "pending"
    """running: it answered; exception: it did not; pending: nobody asked yet."""
    cluster_status_reason: str | None = None
    """Extension of ours: why it is in exception."""
    host: str | None = None
    """Extension of ours: the login node."""
    manager: ManagerInfo | None = None


class ListClustersResponse(Answer):
    """The clusters."""

    page_number: str
    page_size: int
    total_count: int
    clusters: tuple[ClusterInfo, ...]


# --- ListQueues


class ListQueuesRequest(WireModel):
    """List a cluster's queues and their limits."""

    cluster_id: str
    queue_names: Annotated[tuple[str, ...], BeforeValidator(_one_or_many)] = ()
    runas_user: str | None = None
    runas_user_password: SecretStr | None = Field(None, exclude=True, repr=False)


class QueueInfo(WireModel):
    """A queue. All but ``QueueName`` and ``TotalCores`` are extensions of ours; what is not known is absent."""

    queue_name: str
    is_default: bool
    state: str
    total_cores: int | None = None
    max_wall_time: str | None = None
    max_nodes: int | None = None
    max_cores_per_node: int | None = None
    max_memory_per_node: str | None = None
    max_gpus_per_node: int | None = None
    idle_nodes: int | None = None


class ListQueuesResponse(Answer):
    """The queues."""

    success: bool = True
    queues: tuple[QueueInfo, ...]
