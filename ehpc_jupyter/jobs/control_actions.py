"""The actions by which jobs are stopped, held, released and looked into, one function each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from ehpc_jupyter.errors import AgentError, EhpcError, StopFailure
from ehpc_jupyter.jobs import notes, tasks
from ehpc_jupyter.jobs.arrays import EndedTasks
from ehpc_jupyter.models import actions
from ehpc_jupyter.models.job import JobState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ehpc_jupyter.jobs.sites import Sites
    from ehpc_jupyter.jobs.store import StoredJob
    from ehpc_jupyter.models.job import JobDetail

    #: Does something to jobs of one account, by one command.
    Order = Callable[[Sequence[str], str], None]


def stop_jobs(sites: Sites, request: actions.StopJobsRequest) -> actions.StopJobsResponse:
    """StopJobs: one command for all jobs of one account."""
    cluster, jobs = sites.reach(request.cluster_id), _named(sites, request)
    # One that ended is left alone: its id may be another job's by now.
    alive = {job_id: job for job_id, job in jobs.items() if not job.detail.is_final}
    for job in _order(sites, request.cluster_id, alive, cluster.stop, StopFailure):
        notes.keep_told_to_stop(sites.store, job.stored.request_id, job.tasks)
    return actions.StopJobsResponse(
        results=_results(jobs, lambda job_id: "stopping" if job_id in alive else "ended already")
    )


def hold_jobs(sites: Sites, request: actions.HoldJobsRequest) -> actions.HoldJobsResponse:
    """HoldJobs: one command for all jobs of one account."""
    cluster, jobs = sites.reach(request.cluster_id), _waiting(sites, request)
    _order(sites, request.cluster_id, jobs, cluster.hold, AgentError)
    return actions.HoldJobsResponse(results=_results(jobs, lambda _: "held"))


def release_jobs(sites: Sites, request: actions.ReleaseJobsRequest) -> actions.ReleaseJobsResponse:
    """ReleaseJobs: one command for all jobs of one account."""
    cluster, jobs = sites.reach(request.cluster_id), _waiting(sites, request)
    _order(sites, request.cluster_id, jobs, cluster.release, AgentError)
    return actions.ReleaseJobsResponse(results=_results(jobs, lambda _: "released"))


def refresh_jobs(sites: Sites, request: actions.RefreshJobsRequest) -> actions.RefreshJobsResponse:
    """RefreshJobs: asks the cluster in the monitor's thread."""
    sites.reach(request.cluster_id)
    sites.wake(request.cluster_id, now=True)
    return actions.RefreshJobsResponse()


def list_job_events(sites: Sites, request: actions.ListJobEventsRequest) -> actions.ListJobEventsResponse:
    """ListJobEvents: from the store."""
    job = sites.job(request.cluster_id, request.job_id)
    events = tuple(sites.store.events(job.request_id))
    return actions.ListJobEventsResponse(job_id=request.job_id, events=events)


def list_tasks(sites: Sites, request: actions.ListTasksRequest) -> actions.ListTasksResponse:
    """ListTasks: from the last look at the queue, and what the tasks wrote; see ``tasks.groups``."""
    job = sites.job(request.cluster_id, request.job_id)
    groups = [g for g in tasks.groups(sites, job) if not request.states or g.state.value in request.states]
    first = (request.page_number - 1) * request.page_size
    return actions.ListTasksResponse(
        page_number=request.page_number,
        page_size=request.page_size,
        total_count=len(groups),
        tasks=tuple(groups[first : first + request.page_size]),
    )


def _named(
    sites: Sites, request: actions.StopJobsRequest | actions.HoldJobsRequest | actions.ReleaseJobsRequest
) -> dict[str, StoredJob]:
    """The jobs that a request names, by the ids it uses. Raises JobNotFound, InvalidParams: a job lacks such a task."""
    found = {}
    for job_id in request.job_ids:
        job = sites.job(request.cluster_id, job_id)
        tasks.checked_range(job, job_id, "JobIds")
        found[job_id] = job
    return found


def _waiting(sites: Sites, request: actions.HoldJobsRequest | actions.ReleaseJobsRequest) -> dict[str, StoredJob]:
    jobs = _named(sites, request)
    if ended := [job_id for job_id, job in jobs.items() if job.detail.is_final]:
        raise AgentError(f"{', '.join(ended)} ended already; nothing was done")
    # Slurm takes the order, and nothing comes of it.
    if running := [job_id for job_id, job in jobs.items() if _runs(job.detail)]:
        raise AgentError(
            f"{', '.join(running)} runs already; nothing was done, only what waits can be held or released"
        )
    return jobs


def _runs(detail: JobDetail) -> bool:
    """Whether nothing of a job waits, as last known."""
    return detail.state is JobState.RUNNING and not {"QUEUED", "HELD", "UNKNOWN"} & set(detail.tasks or ())


class _Target(NamedTuple):
    """A job and the tasks of it that are meant, as the scheduler writes them; none for the whole job."""

    stored: StoredJob
    tasks: str

    def __str__(self) -> str:
        if not self.tasks:
            return str(self.stored.detail.job_id)
        return f"{self.stored.detail.job_id}_{self.tasks if self.tasks.isdecimal() else f'[{self.tasks}]'}"


def _target(job: StoredJob, job_id: str) -> _Target:
    tail = job_id.removeprefix(str(job.detail.job_id)).removeprefix("_")
    array = job.detail.array_request
    return _Target(job, EndedTasks(array).written(tail) if array and tail else "")


def _order(
    sites: Sites, cluster_id: str, jobs: dict[str, StoredJob], order: Order, failure: type[EhpcError]
) -> list[_Target]:
    """Give an order for all jobs of each account.

    Returns:
        what the scheduler took it for.

    Raises:
        EhpcError: what the scheduler said; several accounts' words together.
    """
    by_user: dict[str, list[_Target]] = {}
    for job_id, job in jobs.items():
        by_user.setdefault(job.login_user, []).append(_target(job, job_id))
    failures: list[EhpcError] = []
    done: list[_Target] = []
    for user, targets in by_user.items():
        try:
            order([str(target) for target in targets], user)
        except EhpcError as error:
            failures.append(error)
        else:
            done += targets
    sites.wake(cluster_id, now=True)
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise failure("; ".join(error.detail for error in failures))
    return done


def _results(
    jobs: dict[str, StoredJob], outcome: Callable[[str], Literal["stopping", "ended already", "held", "released"]]
) -> tuple[actions.JobOutcome, ...]:
    return tuple(actions.JobOutcome(job_id=job_id, outcome=outcome(job_id)) for job_id in jobs)
