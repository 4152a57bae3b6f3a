"""What is learnt of a job after its end: what the accounting says a little later, and what was at fault when it could not start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ehpc_jupyter.errors import EhpcError
from ehpc_jupyter.models.actions import CreateJobRequest
from ehpc_jupyter.models.job import JobState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ehpc_jupyter.clusters.base import Cluster
    from ehpc_jupyter.jobs.store import JobStore
    from ehpc_jupyter.models.job import JobDetail
    from ehpc_jupyter.schedulers.base import JobReport

#: Looks at the accounting, which has a job's end a second or two late.
_TRIES = 5
#: Ends of which there is nothing more to learn.
_PLAIN = (JobState.FINISHED, JobState.NOT_SUBMITTED)
#: Words by which schedulers say that a job's processes could not be started; 53 is Slurm's signal for it.
_LAUNCH_SIGNAL = 53


class Afterlook:
    """The jobs that ended not well a moment ago. Belongs to the monitor's thread.

    Args:
        cluster: their cluster.
        store: where they are.
    """

    def __init__(self, cluster: Cluster, store: JobStore) -> None:
        self._cluster = cluster
        self._store = store
        self._jobs: dict[str, tuple[JobDetail, int]] = {}

    def job_ids(self) -> list[str]:
        """The jobs of which more is to be learnt."""
        return [str(detail.job_id) for detail, _ in self._jobs.values()]

    def take(self, detail: JobDetail) -> None:
        """A job that changed: if it just ended, and not well, more is to be learnt of it."""
        if detail.is_final and detail.state not in _PLAIN and not detail.array_request and detail.job_id is not None:
            self._jobs.setdefault(detail.request_id, (detail, _TRIES))

    def look(self, history: Mapping[str, Sequence[JobReport]]) -> list[JobDetail]:
        """Store what the accounting now says; the jobs that changed."""
        changes: list[tuple[JobDetail, str]] = []
        for request_id, (detail, tries) in list(self._jobs.items()):
            reports = [r for r in history.get(str(detail.job_id), ()) if r.state.is_final]
            new = _enriched(detail, reports[-1]) if reports else detail
            if tries == _TRIES and _could_not_start(new):
                new = self._with_fault(new)
            if new != detail:
                changes.append((new, "history"))
            if reports or tries <= 1:
                del self._jobs[request_id]
            else:
                self._jobs[request_id] = (new, tries - 1)
        return self._store.update_all(changes) if changes else []

    def _with_fault(self, detail: JobDetail) -> JobDetail:
        """With what the checks of the submission find now: a folder that went away between submission and start, say."""
        job = self._store.by_request(detail.request_id)
        if job is None:
            return detail
        try:
            request = CreateJobRequest.from_wire(job.request)
            prepared = self._cluster.prepare_in(request, detail.request_id, str(detail.folder), job.login_user)
            problems = self._cluster.recheck(prepared)
        except EhpcError:
            return detail
        words = "; ".join(f"{problem.field}: {problem.message}" for problem in problems)
        return detail.model_copy(update={"reason": f"{detail.reason or 'launch failed'}: {words}"}) if words else detail


def _enriched(detail: JobDetail, report: JobReport) -> JobDetail:
    """The queue's word is kept where it says more than the accounting."""
    learnt = {
        "state": report.state if report.state is not JobState.FINISHED else detail.state,
        "native_state": report.native_state,
        "exit_code": detail.exit_code if detail.exit_code is not None else report.exit_code,
        "signal": report.signal,
        "reason": report.reason or detail.reason,
        "memory_peak_mb": report.memory_peak_mb,
        "occupied": report.occupied,
        "end_time": detail.end_time or report.end_time,
    }
    # An end is not taken for another end: what is settled stays.
    if report.state is not detail.state:
        learnt = {name: learnt[name] for name in ("memory_peak_mb", "signal")}
    return detail.model_copy(update={name: value for name, value in learnt.items() if value is not None})


def _could_not_start(detail: JobDetail) -> bool:
    said = (detail.reason or "").lower()
    return detail.state is JobState.FAILED and (
        detail.signal == _LAUNCH_SIGNAL or "launch" in said or (detail.exit_code is None and "raisedsignal" in said)
    )
