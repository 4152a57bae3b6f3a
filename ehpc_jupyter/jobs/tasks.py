"""One task of an array: which one an id names, and what is known of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ehpc_jupyter.errors import InvalidParams, Problem
from ehpc_jupyter.jobs.explain import explain
from ehpc_jupyter.jobs.summary import summarise
from ehpc_jupyter.models.job import JobDetail, JobState
from ehpc_jupyter.models.values import ArrayRange
from ehpc_jupyter.schedulers.base import JobReport, expand_path
from ehpc_jupyter.schedulers.script import TaskRecord, parse_record
from ehpc_jupyter.transport.base import NoSuchFile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ehpc_jupyter.clusters.base import Cluster
    from ehpc_jupyter.jobs.arrays import EndedTasks
    from ehpc_jupyter.jobs.sites import Sites
    from ehpc_jupyter.jobs.store import StoredJob
    from ehpc_jupyter.localq.indices import Indices
    from ehpc_jupyter.models.actions import TaskGroup


def named(sites: Sites, job: StoredJob, job_id: str) -> int | None:
    """The task that an id of a job names; None for the whole job.

    Raises:
        InvalidParams: it names several tasks, or one that the job does not have.
    """
    if job_id == job.detail.job_id:
        return None
    task = sites.cluster(job.cluster_id).task_of(job_id)
    if task is None:
        raise InvalidParams(Problem("JobId", f"{job_id} names no single task; write {job.detail.job_id}_3 for task 3"))
    return checked(job, task, "JobId")


def checked(job: StoredJob, task: int, field: str) -> int:
    """The task itself. Raises InvalidParams with that field: the job does not have it."""
    if job.detail.array_request is None:
        raise InvalidParams(Problem(field, f"job {job.detail.job_id} is no array, it has no task {task}"))
    tasks = ArrayRange.parse(job.detail.array_request)
    if task not in tasks:
        raise InvalidParams(Problem(field, f"the array {tasks} has no task {task}"))
    return task


def checked_range(job: StoredJob, job_id: str, field: str) -> None:
    """Whether a job has all tasks that an id names. Nothing is expanded.

    Raises:
        InvalidParams: with that field; it lacks one.
    """
    if job_id == job.detail.job_id:
        return
    names = re.fullmatch(r".*_\[?([0-9,:-]+)\]?", job_id)
    for part in names[1].split(",") if names else []:
        bounds = re.match(r"(\d{1,9})(?:-(\d{1,9}))?(?::\d{1,9})?$", part)
        if bounds is None:
            raise InvalidParams(Problem(field, f"{job_id}: {part!r} is no task and no range of tasks"))
        for bound in {bounds[1], bounds[2] or bounds[1]}:
            if "-" not in part:
                checked(job, int(bound), field)
            elif job.detail.array_request is None:
                raise InvalidParams(Problem(field, f"job {job.detail.job_id} is no array, it has no tasks {part}"))
            else:
                tasks = ArrayRange.parse(job.detail.array_request)
                if not tasks.first <= int(bound) <= tasks.last:
                    raise InvalidParams(Problem(field, f"the array {tasks} has no tasks {part}"))


def groups(sites: Sites, job: StoredJob) -> list[TaskGroup]:
    """The tasks of an array, those of which the same is known together, in the order of their first index."""
    if job.detail.array_request is None:
        raise InvalidParams(Problem("JobId", f"job {job.detail.job_id} is no array; it has no tasks"))
    queue, ended = sites.array(job)
    return [_explained(group) for group in ended.groups(queue)]


def _explained(group: TaskGroup) -> TaskGroup:
    told = JobDetail(
        cluster_id="",
        request_id="",
        job_name="",
        state=group.state,
        reason=group.reason,
        exit_code=group.exit_code,
        signal=group.signal,
    )
    return group.model_copy(update={"explanation": explain(told)[0]})


def task_detail(sites: Sites, job: StoredJob, task: int) -> JobDetail:
    """What is known of a task: from the monitor's last look, else the task's own record, else the accounting.

    Raises:
        InvalidClusterStatus, ListFailure, ServiceUnavailable: it had to be asked for, and there was no answer.
    """
    old = _task_of(job.detail, task)
    queue, ended = sites.array(job)
    chosen = ended.read(str(task))
    alive = _about((report for report in queue if not report.state.is_final), ended, chosen)
    if alive:
        return summarise(old, alive)[0]
    cluster = sites.reach(job.cluster_id)
    ending = ended.ending(chosen.spans[0][0])
    if ending is None and not job.detail.is_final:
        users = [job.login_user or cluster.login(None, None)]
        alive = _about((r for r in cluster.status(users) if r.job_id == job.detail.job_id), ended, chosen)
    record = _record(cluster, job, task)
    history: list[JobReport] = []
    if ending is not None:
        word = cluster.word(ending.state)
        history = [
            JobReport(
                str(job.detail.job_id),
                ending.state,
                word,
                reason=ending.reason,
                exit_code=ending.exit_code,
                signal=ending.signal,
            )
        ]
    # Whether one that was asked to end was stopped or ran out of time, its own record cannot say.
    elif not alive and (record is None or record.exit_code is None or record.terminated):
        past = (r for r in cluster.history([str(job.detail.job_id)]) if r.job_id == job.detail.job_id)
        history = _about(past, ended, chosen)
    return summarise(old, alive, history, [record] if record else [])[0]


def _task_of(whole: JobDetail, task: int) -> JobDetail:
    """The task before anything is known of it."""
    paths = {
        name: expand_path(path, str(whole.job_id), task)
        for name, path in (("stdout_path", whole.stdout_path), ("stderr_path", whole.stderr_path))
        if path is not None
    }
    return JobDetail(
        cluster_id=whole.cluster_id,
        request_id=whole.request_id,
        job_id=f"{whole.job_id}_{task}",
        job_name=whole.job_name,
        state=JobState.UNKNOWN,
        user=whole.user,
        queue=whole.queue,
        submit_time=whole.submit_time,
        wall_time_s=whole.wall_time_s,
        folder=whole.folder,
        checked_time=whole.checked_time,
        stale_reason=whole.stale_reason,
        rerun_of=whole.rerun_of,
        **paths,
    )


def _about(reports: Iterable[JobReport], ended: EndedTasks, chosen: Indices) -> list[JobReport]:
    return [report for report in reports if report.tasks and ended.read(report.tasks) & chosen]


def _record(cluster: Cluster, job: StoredJob, task: int) -> TaskRecord | None:
    """What the task wrote about itself."""
    try:
        data, _ = cluster.read(f"{job.detail.folder}/task.{task}", job.login_user, 0, 4096)
    except NoSuchFile:
        return None
    return parse_record(data.decode(errors="replace"), task)
