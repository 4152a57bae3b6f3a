"""Requests and answers of the actions about jobs; wire names and types as on the API's pages (2024-07-30).

Extensions of ours: ``Detail`` (in GetJob and ListJobs), ``TaskId`` (in GetJobLog), ``DeleteFolder`` (in DeleteJobs), ``Results``,
all of RerunJobs but ``JobIds``, and CheckJob.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, field_validator

from ehpc_jupyter.models.base import WireModel
from ehpc_jupyter.models.common import Answer, ResourceTexts, json_text
from ehpc_jupyter.models.job import JobDetail, JobId
from ehpc_jupyter.models.job_control import JobIds, JobOutcome
from ehpc_jupyter.models.spec import JobSpec, form
from ehpc_jupyter.models.values import NO_TRUTH, Variable, plain_text

#: What a caller may make a request unique by.
TOKEN_PATTERN = r"^[\x21-\x7e]{1,64}$"  # noqa: S105 - a pattern

# --- CreateJob


class CreateJobRequest(WireModel):
    """Submit a job to a cluster."""

    cluster_id: str = Field(title="Cluster", examples=["local"], json_schema_extra=form("command", "cluster"))
    """The cluster's name; `local` is this machine."""

    job_name: str | None = Field(None, examples=["TestJob"], json_schema_extra=form("command"))
    """The job's name; made from its command if empty."""

    job_spec: Annotated[JobSpec, BeforeValidator(json_text)]
    """The job's specification."""

    client_token: str | None = Field(None, pattern=TOKEN_PATTERN, json_schema_extra=form("hidden"))
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


# --- CheckJob


class CheckJobRequest(CreateJobRequest):
    """Ask what the cluster would say to a job, without submitting it."""


class ProblemInfo(WireModel):
    """Something that is wrong with a request."""

    field: str
    """The wire path of the field, `JobSpec.WallTime`."""
    message: str
    """What is wrong with it and what to do."""


class CheckJobResponse(Answer):
    """What would be submitted, and what the cluster says to it. A request that is wrong in itself is answered by InvalidParams."""

    success: str = "true"
    valid: bool
    """Whether the cluster would take the job."""
    problems: tuple[ProblemInfo, ...] = ()
    """What the cluster's checks found, each with its field."""
    message: str | None = None
    """The scheduler's own words, where it said any."""
    script: str
    """The script that would be handed to the scheduler."""
    command: str
    """The command that would submit it."""
    start_time: int | None = None
    """When the scheduler would start it if it were submitted now, UNIX seconds."""
    node_list: str | None = None
    """Where it would start it."""


# --- GetJob


class GetJobRequest(WireModel):
    """Look at one job."""

    cluster_id: str
    job_id: JobId


class JobInfo(WireModel):
    """One job, in the API's own words, with ours in ``Detail``."""

    job_id: str | None = None
    job_name: str
    array_job_id: str | None = None
    """The id of the whole array, for an array and its tasks."""
    array_job_sub_id: str | None = None
    """The task that was asked for."""
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
    resources: ResourceTexts | None = None
    """What was asked for."""
    resources_used: ResourceTexts | None = None
    """What the scheduler gave, without ``Gpus``."""
    runas_user: str | None = None
    variables: tuple[Variable, ...] | None = None
    extra_info: str = "{}"
    """A JSON object as text: of ``ExitCode``, ``Signal``, ``Reason`` and ``RerunOf``, those that are known."""
    detail: JobDetail


class GetJobResponse(Answer):
    """One job."""

    success: str = "true"
    job_info: JobInfo


# --- GetJobLog


class GetJobLogRequest(WireModel):
    """Read a part of a job's output."""

    cluster_id: str
    job_id: JobId
    log_type: Literal["stdout", "stderr", "all"] = "all"
    offset: Annotated[int, Field(ge=0, le=2**62), NO_TRUTH] = 0
    """Bytes to skip."""
    size: Annotated[int, Field(ge=1, le=1_048_576), NO_TRUTH] = 10240
    """Bytes to read at most."""
    task_id: Annotated[int, Field(ge=0), NO_TRUTH] | None = None
    """The task of an array; also as `10_3` in JobId."""


class GetJobLogResponse(Answer):
    """Bytes of a job's output, Base64; a file that does not exist yet is absent."""

    success: str = "true"
    job_id: str
    stdout_log: str | None = None
    stdout_log_size: int | None = None
    """The file's size in bytes."""
    stderr_log: str | None = None
    stderr_log_size: int | None = None


# --- DeleteJobs


class DeleteJobsRequest(WireModel):
    """Forget jobs that ended: they are no longer listed."""

    cluster_id: str
    job_ids: JobIds
    delete_folder: bool = False
    """Whether the jobs' folders on the cluster go, too; output that lies elsewhere stays."""


class DeleteJobsResponse(Answer):
    """All of them are forgotten."""

    success: str = "true"
    results: tuple[JobOutcome, ...] = ()
    """Extension of ours: what happened to each."""


# --- RerunJobs


class RerunJobsRequest(WireModel):
    """Submit jobs that ended once more, as new jobs with the same specification."""

    cluster_id: str
    job_ids: JobIds
    runas_user_password: SecretStr | None = Field(None, exclude=True, repr=False)
    """The password of the account that the jobs ran as; it was not kept."""

    client_token: str | None = Field(None, pattern=TOKEN_PATTERN)
    """As in CreateJob: asking twice with it runs each job once more, not twice."""


class RerunJobsResponse(Answer):
    """The new jobs."""

    success: str = "true"
    job_ids: tuple[str, ...]
    """The new jobs' ids, in the order of the request."""
    results: tuple[JobOutcome, ...] = ()
    """What happened to each."""
