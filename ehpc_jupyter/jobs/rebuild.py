"""After the store was lost: the jobs are read from their folders on the cluster."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ehpc_jupyter.errors import InvalidParams
from ehpc_jupyter.jobs import notes
from ehpc_jupyter.jobs.store import DuplicateToken, StoredJob
from ehpc_jupyter.jobs.summary import with_job_id
from ehpc_jupyter.models.actions import CreateJobRequest
from ehpc_jupyter.models.job import JobDetail, JobState

if TYPE_CHECKING:
    from ehpc_jupyter.clusters.base import Cluster, FoundJob
    from ehpc_jupyter.jobs.store import JobStore

log = logging.getLogger(__name__)


def rebuild(cluster: Cluster, store: JobStore) -> list[JobDetail]:
    """Store the jobs whose folders lie in the account's own place for them; what became of them is looked into as ever.

    Jobs of other accounts (RunasUser) lie in those accounts' homes and are not found.

    Returns:
        the jobs.

    Raises:
        EhpcError: the cluster does not answer; to be tried again.
    """
    name = cluster.profile.name
    made: list[JobDetail] = []
    for found in cluster.found_jobs():
        if store.by_request(found.request_id) is not None:
            continue
        try:
            job = _stored(cluster, found)
            store.add(job)
        except (InvalidParams, DuplicateToken) as error:
            log.warning("the job in %s on cluster %s is left out: %s", found.folder, name, error)
            continue
        made.append(job.detail)
    notes.rebuilt(store, name)
    log.warning("%d jobs of cluster %s were read from their folders", len(made), name)
    return made


def _stored(cluster: Cluster, found: FoundJob) -> StoredJob:
    request = CreateJobRequest.from_wire({**found.request, "ClusterId": cluster.profile.name})
    spec = request.job_spec
    job = cluster.prepare_in(request, found.request_id, found.folder, found.user)
    detail = JobDetail(
        cluster_id=request.cluster_id,
        request_id=found.request_id,
        job_name=job.name,
        state=JobState.SUBMITTING,
        user=found.user,
        queue=spec.job_queue,
        submit_time=found.submit_time,
        wall_time_s=spec.wall_time.seconds if spec.wall_time else None,
        array_request=str(spec.array_request) if spec.array_request else None,
        after=str(spec.after) if spec.after else None,
        folder=found.folder,
        stdout_path=job.stdout,
        stderr_path=job.stderr,
    )
    if found.job_id is not None:
        detail = with_job_id(detail, found.job_id)
    return StoredJob(detail, request.to_wire(), request.client_token, "")
