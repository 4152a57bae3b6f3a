"""Something done to several jobs at once, with what became of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ehpc_jupyter.errors import EhpcError, JobNotFound
from ehpc_jupyter.models import actions
from ehpc_jupyter.notebook.listing import Column, Listing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ehpc_jupyter.models.actions import JobOutcome
    from ehpc_jupyter.notebook.job import Job

#: The most that a request takes.
_TOGETHER = 1000


@dataclass(frozen=True)
class Outcome:
    """What became of one job.

    Attributes:
        job: the job.
        outcome: what was done, or why there was nothing to do; empty if it failed.
        new: the job that runs it again, of ``rerun``.
        error: why it failed; None if it did not.
    """

    job: Job
    outcome: str = ""
    new: Job | None = None
    error: EhpcError | None = None

    @property
    def ok(self) -> bool:
        """Whether it was done, or there was nothing to do."""
        return self.error is None


class Outcomes(Listing[Outcome]):
    """What became of each job, in the order of the jobs; shows itself as a table."""

    @property
    def ok(self) -> bool:
        """Whether all went well."""
        return all(outcome.ok for outcome in self)

    def check(self) -> Outcomes:
        """Raise the first error if there is one; returns the outcomes themselves."""
        for outcome in self:
            if outcome.error is not None:
                raise outcome.error
        return self


def carry_out(
    jobs: Sequence[Job],
    ask: Callable[[str, tuple[str, ...]], Iterable[JobOutcome]],
    new: Callable[[str, str, str], Job],
) -> Outcomes:
    """Do something to jobs: one request for those of a cluster; when it is refused, one for each, so that each has its
    own answer.

    Args:
        jobs: the jobs; one that is given twice counts once.
        ask: carries it out, for a cluster and ids. It may be asked again for the same jobs: all these actions come to
            the same when they are repeated.
        new: a job by cluster, id and name.

    Raises:
        EhpcError: nobody answered, or the only job was refused.
    """
    done: dict[Job, Outcome] = {}
    clusters = dict.fromkeys(job.cluster_id for job in jobs)
    for cluster in clusters:
        here = list(dict.fromkeys(job for job in jobs if job.cluster_id == cluster))
        for start in range(0, len(here), _TOGETHER):
            done |= _together(cluster, here[start : start + _TOGETHER], ask, new)
    shown = [done[job] for job in dict.fromkeys(jobs)]
    return Outcomes(
        shown,
        _heading(shown),
        [
            Column("id", lambda o: o.job.job_id or ""),
            Column("name", lambda o: o.job.name),
            Column("outcome", lambda o: o.outcome or "✗ failed"),
            Column("new job", lambda o: (o.new and o.new.job_id) or ""),
            Column("reason", lambda o: o.error.message if o.error else ""),
        ],
        _record,
    )


def _together(
    cluster: str,
    jobs: list[Job],
    ask: Callable[[str, tuple[str, ...]], Iterable[JobOutcome]],
    new: Callable[[str, str, str], Job],
) -> dict[Job, Outcome]:
    by_id: dict[str, list[Job]] = {}
    for job in jobs:
        by_id.setdefault(job.require_id(), []).append(job)
    refused: EhpcError | None = None
    answers: dict[str, JobOutcome | EhpcError] = {}
    try:
        answers.update({answer.job_id: answer for answer in ask(cluster, tuple(by_id))})
    except EhpcError as error:
        if error.transient or len(by_id) == 1:
            raise
        refused = error
    if refused is not None:
        for job_id in by_id:
            answers[job_id] = _alone(cluster, job_id, ask, refused)
    return {job: _outcome(job, answers.get(job_id), new) for job_id, same in by_id.items() for job in same}


def _alone(
    cluster: str, job_id: str, ask: Callable[[str, tuple[str, ...]], Iterable[JobOutcome]], refused: EhpcError
) -> JobOutcome | EhpcError:
    try:
        return next(iter(ask(cluster, (job_id,))))
    except StopIteration:
        return refused
    except JobNotFound as error:
        # Had it been unknown from the start, the first answer would have said that: it is gone since.
        return error if isinstance(refused, JobNotFound) else actions.JobOutcome(job_id=job_id, outcome="deleted")
    except EhpcError as error:
        return error


def _outcome(job: Job, answer: JobOutcome | EhpcError | None, new: Callable[[str, str, str], Job]) -> Outcome:
    if isinstance(answer, EhpcError):
        return Outcome(job, error=answer)
    if answer is None:  # a server that says only that all went well
        return Outcome(job, outcome="done")
    made = new(job.cluster_id, answer.new_job_id, job.name) if answer.new_job_id else None
    return Outcome(job, outcome=answer.outcome, new=made)


def _heading(outcomes: list[Outcome]) -> str:
    failed = sum(not outcome.ok for outcome in outcomes)
    count = "1 job" if len(outcomes) == 1 else f"{len(outcomes)} jobs"
    return (f"{count}, {failed} failed" if failed else count) if outcomes else "No jobs"


def _record(outcome: Outcome) -> dict[str, Any]:
    return {
        "cluster_id": outcome.job.cluster_id,
        "job_id": outcome.job.job_id,
        "job_name": outcome.job.name,
        "outcome": outcome.outcome or "failed",
        "new_job_id": outcome.new.job_id if outcome.new else None,
        "reason": outcome.error.message if outcome.error else None,
    }
