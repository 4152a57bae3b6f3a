"""Questions and orders that ``Client`` has no method for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ehpc_jupyter.models.actions import (
    CheckJobRequest,
    CheckJobResponse,
    CreateJobRequest,
    HoldJobsRequest,
    HoldJobsResponse,
    ReleaseJobsRequest,
    ReleaseJobsResponse,
    RerunJobsRequest,
    RerunJobsResponse,
)
from ehpc_jupyter.notebook.client import _Quiet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ehpc_jupyter.notebook.client import Client


def check(client: Client, request: CreateJobRequest) -> CheckJobResponse:
    """What the cluster would say to a job. Nothing is submitted.

    Raises:
        InvalidParams: the request is wrong in itself.
        EhpcError: the cluster does not answer.
    """
    asked = CheckJobRequest.model_construct(_fields_set=request.model_fields_set, **dict(request))
    return client._ask("CheckJob", _Quiet(asked.to_body()), CheckJobResponse)  # noqa: SLF001


def hold(client: Client, cluster: str, job_ids: Sequence[str]) -> None:
    """Keep jobs that wait from starting."""
    client._ask("HoldJobs", HoldJobsRequest(cluster_id=cluster, job_ids=tuple(job_ids)).to_wire(), HoldJobsResponse)  # noqa: SLF001


def release(client: Client, cluster: str, job_ids: Sequence[str]) -> None:
    """Let jobs that are held start again."""
    request = ReleaseJobsRequest(cluster_id=cluster, job_ids=tuple(job_ids))
    client._ask("ReleaseJobs", request.to_wire(), ReleaseJobsResponse)  # noqa: SLF001


def rerun(client: Client, cluster: str, job_ids: Sequence[str]) -> tuple[str, ...]:
    """Submit jobs that ended once more; the new jobs' ids."""
    request = RerunJobsRequest(cluster_id=cluster, job_ids=tuple(job_ids))
    return client._ask("RerunJobs", request.to_wire(), RerunJobsResponse).job_ids  # noqa: SLF001
