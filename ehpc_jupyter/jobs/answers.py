"""Jobs, queues and clusters in the API's own words. Pure."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING, Any

from ehpc_jupyter.models.actions import (
    ClusterInfo,
    JobInfo,
    ListedJob,
    ListedSpec,
    ManagerInfo,
    NodeInfo,
    NodeResources,
    QueueInfo,
    ResourceTexts,
    SchedulerInfo,
)
from ehpc_jupyter.models.values import Memory, WallTime

if TYPE_CHECKING:
    from ehpc_jupyter.jobs.monitor import Monitor
    from ehpc_jupyter.jobs.store import StoredJob
    from ehpc_jupyter.models.cluster import ClusterProfile, Node, Queue
    from ehpc_jupyter.models.job import JobDetail


def job_info(job: StoredJob, detail: JobDetail, word: str, task: int | None = None) -> JobInfo:
    """GetJob's ``JobInfo``.

    Args:
        job: the whole job.
        detail: what is known of it, or of one of its tasks.
        word: the scheduler's for its state.
        task: the index of that task.
    """
    spec: dict[str, Any] = job.request.get("JobSpec", {})
    variables = spec.get("Variables")
    used = _occupied(detail)
    return JobInfo(
        job_id=detail.job_id,
        job_name=detail.job_name,
        array_job_id=job.detail.job_id if job.detail.array_request else None,
        array_job_sub_id=None if task is None else str(task),
        state=word,
        command_line=spec.get("CommandLine"),
        job_queue=detail.queue,
        priority=spec.get("Priority"),
        array_request=job.detail.array_request,
        create_time=_iso(detail.submit_time),
        start_time=_iso(detail.start_time),
        last_modify_time=_iso(_last_change(detail)),
        node_list=detail.node_list,
        output_log=detail.stdout_path,
        error_log=detail.stderr_path,
        resources=_requested(spec),
        # The API's page has no Gpus here.
        resources_used=used and used.model_copy(update={"gpus": None}),
        runas_user=detail.user,
        variables=json.loads(variables) if variables else None,
        extra_info=_extra(detail),
        detail=detail,
    )


def listed_job(job: StoredJob, detail: JobDetail, word: str) -> ListedJob:
    """One of ListJobs' ``Jobs``; ``word`` is the scheduler's for its state."""
    spec: dict[str, Any] = job.request.get("JobSpec", {})
    variables = spec.get("Variables")
    by_name = {item["Name"]: item["Value"] for item in json.loads(variables)} if variables else None
    listed = ListedSpec(
        id=detail.job_id,
        array_job_id=detail.job_id if detail.array_request else None,
        array_request=detail.array_request,
        comment=detail.request_id,
        job_queue=detail.queue,
        last_modify_time=_text(_last_change(detail)),
        node_list=detail.node_list,
        priority=spec.get("Priority"),
        resources=_requested(spec),
        resources_actual_occupied=_occupied(detail),
        runas_user=detail.user,
        start_time=_text(detail.start_time),
        state=word,
        stderr_path=detail.stderr_path,
        stdout_path=detail.stdout_path,
        submit_time=_text(detail.submit_time),
        variables=json.dumps(by_name, ensure_ascii=False) if by_name else None,
    )
    return ListedJob(job_name=detail.job_name, job_spec=listed, detail=detail)


def _last_change(detail: JobDetail) -> int | None:
    return detail.end_time or detail.start_time or detail.submit_time


def _requested(spec: dict[str, Any]) -> ResourceTexts | None:
    wanted = spec.get("Resources")
    if not wanted:
        return None
    memory = wanted.get("Memory")
    return ResourceTexts(
        nodes=_text(wanted.get("Nodes")),
        cores=_text(wanted.get("Cores")),
        memory=f"{Memory.parse(memory).mb}MB" if memory else None,
        gpus=_text(wanted.get("Gpus")),
    )


def _occupied(detail: JobDetail) -> ResourceTexts | None:
    given = detail.occupied
    if given is None:
        return None
    memory = f"{given.memory_mb}MB" if given.memory_mb is not None else None
    return ResourceTexts(nodes=_text(given.nodes), cores=_text(given.cores), memory=memory, gpus=_text(given.gpus))


def _extra(detail: JobDetail) -> str:
    """What the API's page has no field for and a program wants to know."""
    known = {"ExitCode": detail.exit_code, "Signal": detail.signal, "Reason": detail.reason, "RerunOf": detail.rerun_of}
    return json.dumps({name: value for name, value in known.items() if value is not None}, ensure_ascii=False)


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)


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


def node_info(node: Node) -> NodeInfo:
    """One of ListNodes' ``Nodes``."""
    memory_gib = node.memory_mb // 1024 if node.memory_mb is not None else None
    return NodeInfo(
        hostname=node.name,
        queue_name=",".join(node.queues) or None,
        status=node.state,
        state_in_sched=node.native_state,
        reason=node.reason,
        ip_address=node.address,
        total_resources=NodeResources(cpu=node.cores, gpu=node.gpus, memory=memory_gib),
    )


def cluster_info(
    profile: ClusterProfile,
    monitor: Monitor | None,
    *,
    scheduler: str | None,
    version: str | None,
    answered: bool,
    failure: str | None,
) -> ClusterInfo:
    """One of ListClusters' ``Clusters``.

    Args:
        profile: as configured.
        monitor: who watches it, if anybody does.
        scheduler: the API's word for its batch system, if known.
        version: the batch system's, if known.
        answered: whether it ever answered.
        failure: why it did not answer the last question; None if it did.
    """
    status = "exception" if failure else "running" if answered else "pending"
    if not profile.enabled:
        status, failure = "stopped", "it is disabled in the configuration"
    return ClusterInfo(
        cluster_id=profile.name,
        cluster_name=profile.name,
        cluster_description=profile.description,
        cluster_status=status,
        cluster_status_reason=failure,
        host=profile.host,
        checked_time=monitor and monitor.checked_time,
        next_check_time=monitor and monitor.next_check_time,
        paused=monitor is not None and monitor.paused,
        manager=ManagerInfo(scheduler=SchedulerInfo(type=scheduler, version=version)) if scheduler else None,
    )


def _iso(seconds: int | None) -> str | None:
    """The API's "2024-08-16T10:52:48", without zone: UTC."""
    if seconds is None:
        return None
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
