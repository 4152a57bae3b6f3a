"""The actions about jobs, one function each."""

from __future__ import annotations

import base64
import hashlib
import time
from typing import TYPE_CHECKING, Any

from ehpc_jupyter.errors import DeleteFailure, EhpcError, InvalidParams, RerunFailure, ServiceUnavailable
from ehpc_jupyter.jobs import answers, dependencies, tasks
from ehpc_jupyter.models import actions
from ehpc_jupyter.models.cluster import check
from ehpc_jupyter.models.job import JobState
from ehpc_jupyter.models.values import ArrayRange
from ehpc_jupyter.schedulers.base import expand_path
from ehpc_jupyter.transport.base import NoSuchFile

if TYPE_CHECKING:
    from ehpc_jupyter.clusters.base import Cluster
    from ehpc_jupyter.jobs.sites import Sites
    from ehpc_jupyter.jobs.store import StoredJob


def create_job(sites: Sites, request: actions.CreateJobRequest) -> actions.CreateJobResponse:
    """CreateJob: see ``Submitter``."""
    sites.reach(request.cluster_id)
    return actions.CreateJobResponse(job_id=sites.submitter.submit(request))


def check_job(sites: Sites, request: actions.CheckJobRequest) -> actions.CheckJobResponse:
    """CheckJob: the checks of ``create_job``, the cluster's own and the scheduler's; nothing is stored or submitted."""
    cluster, spec = sites.reach(request.cluster_id), request.job_spec
    user = cluster.login(spec.runas_user, spec.runas_user_password)
    left, problems = dependencies.judge(sites.store, request.cluster_id, spec.after)
    sent = request.model_copy(update={"job_spec": spec.model_copy(update={"after": left})})
    job = cluster.prepare(sent, "0" * 32, time.strftime("%Y-%m-%d"), user)
    preview = cluster.preview(job)
    problems += check(spec, sites.known_queues(request.cluster_id))
    answer = None
    if not problems:
        verdict = cluster.test(job)
        problems, answer = list(verdict.problems), verdict.answer
    return actions.CheckJobResponse(
        valid=not problems and (answer is None or answer.valid is not False),
        problems=tuple(actions.ProblemInfo(field=p.field, message=p.message) for p in problems),
        message=(answer and answer.words) or None,
        script=preview.script,
        command=preview.command,
        start_time=answer and answer.start_time,
        node_list=answer and answer.node_list,
    )


def get_job(sites: Sites, request: actions.GetJobRequest) -> actions.GetJobResponse:
    """GetJob: from the store; the monitor keeps it true. Of a task that is not known here, the cluster is asked."""
    job = sites.job(request.cluster_id, request.job_id)
    detail = sites.shown(job)
    task = tasks.named(sites, job, request.job_id)
    if task is not None:
        detail = tasks.task_detail(sites, job, task)
    return actions.GetJobResponse(job_info=answers.job_info(job, detail, sites.word(detail), task))


def list_jobs(sites: Sites, request: actions.ListJobsRequest) -> actions.ListJobsResponse:
    """ListJobs: from the store."""
    profile = sites.profile(request.cluster_id)
    jobs, total = sites.store.page(profile.name, request.job_filter, request.page_number, request.page_size)
    return actions.ListJobsResponse(
        page_number=request.page_number,
        page_size=request.page_size,
        total_count=total,
        jobs=tuple(answers.listed_job(job, detail := sites.shown(job), sites.word(detail)) for job in jobs),
    )


def get_job_log(sites: Sites, request: actions.GetJobLogRequest) -> actions.GetJobLogResponse:
    """GetJobLog: only the bytes asked for are read."""
    job, cluster = sites.job_files(request.cluster_id, request.job_id)
    task = tasks.named(sites, job, request.job_id)
    if request.task_id is not None:
        task = tasks.checked(job, request.task_id, "TaskId")
    if task is None and job.detail.array_request:
        task = ArrayRange.parse(job.detail.array_request).first
    values: dict[str, Any] = {}
    for kind, path in (("stdout", job.detail.stdout_path), ("stderr", job.detail.stderr_path)):
        if path is None or request.log_type not in (kind, "all"):
            continue
        file = expand_path(path, str(job.detail.job_id), task) if job.detail.array_request else path
        try:
            data, size = cluster.read(file, job.login_user, request.offset, request.size)
        except NoSuchFile:
            continue
        values |= {f"{kind}_log": base64.b64encode(data).decode(), f"{kind}_log_size": size}
    return actions.GetJobLogResponse(job_id=request.job_id, **values)


def delete_jobs(sites: Sites, request: actions.DeleteJobsRequest) -> actions.DeleteJobsResponse:
    """DeleteJobs: when one may not be deleted, none is."""
    cluster = sites.reach(request.cluster_id)
    jobs = [ended_job(sites, request.cluster_id, job_id, DeleteFailure) for job_id in dict.fromkeys(request.job_ids)]
    words: list[str] = []
    if request.delete_folder:
        if unsure := [str(job.detail.job_id) for job in jobs if not job.detail.is_final]:
            raise DeleteFailure(f"nobody knows whether {', '.join(unsure)} still runs, so no folder is removed")
        jobs, words = _without_folders(cluster, jobs)
    sites.store.delete(jobs)
    if words:
        raise DeleteFailure("; ".join(words))
    return actions.DeleteJobsResponse(
        results=tuple(actions.JobOutcome(job_id=job_id, outcome="deleted") for job_id in request.job_ids)
    )


def _without_folders(cluster: Cluster, jobs: list[StoredJob]) -> tuple[list[StoredJob], list[str]]:
    """Remove the jobs' folders; the jobs whose folder is gone, and why the others' are not."""
    by_user: dict[str, list[str]] = {}
    for job in jobs:
        if job.detail.folder:
            by_user.setdefault(job.login_user, []).append(job.detail.folder)
    left: dict[str, str] = {}
    for user, folders in by_user.items():
        left |= cluster.remove_folders(folders, user)
    words = [
        f"job {job.detail.job_id} stays, since its folder {job.detail.folder} was not removed: {left[job.detail.folder]}"
        for job in jobs
        if job.detail.folder in left
    ]
    return [job for job in jobs if job.detail.folder not in left], words


def rerun_jobs(sites: Sites, request: actions.RerunJobsRequest) -> actions.RerunJobsResponse:
    """RerunJobs: each job's request is submitted once more; when one may not be run again, none is."""
    sites.reach(request.cluster_id)
    jobs = [ended_job(sites, request.cluster_id, job_id, RerunFailure) for job_id in dict.fromkeys(request.job_ids)]
    again = [(job, _again(sites, job, request)) for job in jobs]
    made: list[str] = []
    words: list[str] = []
    for job, body in again:
        try:
            made.append(sites.submitter.submit(body, rerun_of=job.detail.job_id))
        except EhpcError as error:
            if len(jobs) == 1 and isinstance(error, ServiceUnavailable):
                raise
            words.append(f"job {job.detail.job_id}: {error.detail}")
    if words:
        done = f" (run again, as {', '.join(made)}: the others)" if made else ""
        raise RerunFailure("; ".join(words) + done)
    results = [
        actions.JobOutcome(job_id=str(job.detail.job_id), outcome="submitted again", new_job_id=new)
        for job, new in zip(jobs, made, strict=True)
    ]
    return actions.RerunJobsResponse(job_ids=tuple(made), results=tuple(results))


def _again(sites: Sites, job: StoredJob, request: actions.RerunJobsRequest) -> actions.CreateJobRequest:
    """The request that made a job, to be sent once more. Raises RerunFailure."""
    spec, token = dict(job.request.get("JobSpec", {})), None
    if request.client_token is not None:
        # Each job of the request needs one of its own, and the same one when the request comes again.
        token = hashlib.sha256(f"{request.client_token} {job.request_id}".encode()).hexdigest()
    if job.login_user:
        password = request.runas_user_password
        try:
            sites.cluster(job.cluster_id).login(job.login_user, password)
        except InvalidParams as error:
            raise RerunFailure(
                f"job {job.detail.job_id} ran as {job.login_user}, whose connection is not open and whose password is not kept; "
                f"give RunasUserPassword ({'; '.join(problem.message for problem in error.problems)})"
            ) from None
        if password is not None:
            spec["RunasUserPassword"] = password.get_secret_value()
    try:
        return actions.CreateJobRequest.from_wire({**job.request, "JobSpec": spec, "ClientToken": token})
    except InvalidParams as error:  # what a later version of ours does not take any more
        raise RerunFailure(f"job {job.detail.job_id}: {error.detail}") from None


def ended_job(sites: Sites, cluster_id: str, job_id: str, failure: type[EhpcError]) -> StoredJob:
    """A whole job that can change no more. Raises JobNotFound, ``failure``."""
    job = sites.job(cluster_id, job_id)
    if job.detail.job_id != job_id:
        raise failure(f"{job_id} is a part of job {job.detail.job_id}; this is done to whole jobs")
    # Of a job in UNKNOWN nobody will ever know more; a person decides.
    if not job.detail.is_final and job.detail.state is not JobState.UNKNOWN:
        raise failure(f"job {job_id} has not ended, it is {sites.word(job.detail)}; stop it first")
    return job
