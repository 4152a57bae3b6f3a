"""What is known here of the jobs that a new one is to wait for: a scheduler forgets a job within minutes, and then takes what is
asked of it for fulfilled (Slurm), so that a job would start after one that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ehpc_jupyter.errors import Problem
from ehpc_jupyter.models.after import After
from ehpc_jupyter.models.job import JobState

if TYPE_CHECKING:
    from ehpc_jupyter.jobs.store import JobStore

_ENDED = {
    JobState.FINISHED: "ended well",
    JobState.NOT_SUBMITTED: "was not submitted",
    JobState.CANCELLED: "was cancelled",
    JobState.TIMEOUT: "ran out of time",
}


def judge(store: JobStore, cluster_id: str, after: After | None) -> tuple[After | None, list[Problem]]:
    """Leave out what is fulfilled already, and find what can never be.

    Args:
        store: where jobs are.
        cluster_id: the cluster of all of them.
        after: what the new job is to wait for.

    Returns:
        what is left to the scheduler (jobs that have not ended, tasks, and jobs that are not known here), and the problems.
    """
    left: list[tuple[str, str]] = []
    problems: list[Problem] = []
    for condition, job_id in after.jobs if after else ():
        job = store.by_id(cluster_id, job_id)
        if job is None or not job.detail.is_final:
            left.append((condition, job_id))
            continue
        well = job.detail.state is JobState.FINISHED
        if condition != "any" and well is not (condition == "ok"):
            how = _ENDED.get(job.detail.state, "failed")
            problems.append(Problem("JobSpec.After", f"{condition}:{job_id} can never hold: job {job_id} {how}"))
    return After(tuple(left)) if left else None, problems
