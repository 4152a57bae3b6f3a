"""Jobs, queues and clusters in the API's own words. Pure."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING, Any

from ehpc_jupyter.models.actions import ClusterInfo, JobInfo, ListedJob, ManagerInfo, QueueInfo, SchedulerInfo
from ehpc_jupyter.models.values import Memory, WallTime

if TYPE_CHECKING:
    from ehpc_jupyter.jobs.store import StoredJob
    from ehpc_jupyter.models.cluster import ClusterProfile, Queue
    from ehpc_jupyter.models.job import JobDetail


def job_info(job: StoredJob, detail: JobDetail) -> JobInfo:
    """GetJob's ``JobInfo``."""
    spec: dict[str, Any] = job.request.get("JobSpec", {})
    variables = spec.get("Variables")
    return JobInfo(
        job_id=detail.job_id,
        job_name=detail.job_name,
        state=detail.native_state or detail.state.value,
        command_line=spec.get("CommandLine"),
        job_queue=detail.queue,
        priority=spec.get("Priority"),
        array_request=detail.array_request,
        create_time=_iso(detail.submit_time),
        start_time=_iso(detail.start_time),
        last_modify_time=_iso(detail.end_time or detail.start_time or detail.submit_time),
        node_list=detail.node_list,
        output_log=detail.stdout_path,
        error_log=detail.stderr_path,
        resources=spec.get("Resources"),
        runas_user=detail.user,
        variables=json.loads(variables) if variables else None,
        detail=detail,
    )


def listed_job(job: StoredJob, detail: JobDetail) -> ListedJob:
    """One of ListJobs' ``Jobs``: scalars as strings, times as UNIX seconds."""
    spec: dict[str, Any] = job.request.get("JobSpec", {})
    resources = spec.get("Resources") or {}
    texts = {
        "Id": detail.job_id,
        "State": detail.native_state or detail.state.value,
        "JobQueue": detail.queue,
        "Priority": spec.get("Priority"),
        "ArrayRequest": detail.array_request,
        "NodeList": detail.node_list,
        "RunasUser": detail.user,
        "SubmitTime": detail.submit_time,
        "StartTime": detail.start_time,
        "LastModifyTime": detail.end_time or detail.start_time or detail.submit_time,
        "StdoutPath": detail.stdout_path,
        "StderrPath": detail.stderr_path,
    }
    out: dict[str, Any] = {name: str(value) for name, value in texts.items() if value is not None}
    if variables := spec.get("Variables"):
        out["Variables"] = json.dumps(
            {item["Name"]: item["Value"] for item in json.loads(variables)}, ensure_ascii=False
        )
    if resources:
        memory = resources.get("Memory")
        shown = {**resources, "Memory": f"{Memory.parse(memory).mb}MB" if memory else None}
        out["Resources"] = {name: str(value) for name, value in shown.items() if value is not None}
    return ListedJob(job_name=detail.job_name, job_spec=out, detail=detail)


def queue_info(queue: Queue) -> QueueInfo:
    """One of ListQueues' ``Queues``."""
    total = queue.nodes * queue.cores_per_node if queue.nodes and queue.cores_per_node else None
    return QueueInfo(
        queue_name=queue.name,
        is_default=queue.is_default,
        state=queue.state,
        total_cores=total,
        max_wall_time=str(WallTime(queue.max_wall_time_s)) if queue.max_wall_time_s else None,
        max_nodes=queue.nodes,
        max_cores_per_node=queue.cores_per_node,
        max_memory_per_node=str(Memory(queue.memory_mb_per_node)) if queue.memory_mb_per_node else None,
        max_gpus_per_node=queue.gpus_per_node,
        idle_nodes=queue.idle_nodes,
    )


def cluster_info(
    profile: ClusterProfile, *, scheduler: str | None, version: str | None, answered: bool, failure: str | None
) -> ClusterInfo:
    """One of ListClusters' ``Clusters``.

    Args:
        profile: as configured.
        scheduler: the API's word for its batch system, if known.
        version: the batch system's, if known.
        answered: whether it ever answered.
        failure: why it did not answer the last question; None if it did.
    """
    status = "exception" if failure else "running" if answered else "pending"
    return ClusterInfo(
        cluster_id=profile.name,
        cluster_name=profile.name,
        cluster_description=profile.description,
        cluster_status=status,
        cluster_status_reason=failure,
        host=profile.host,
        manager=ManagerInfo(scheduler=SchedulerInfo(type=scheduler, version=version)) if scheduler else None,
    )


def _iso(seconds: int | None) -> str | None:
    """The API's "2024-08-16T10:52:48", without zone: UTC."""
    if seconds is None:
        return None
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
