"""Which state may follow which. Pure."""

from __future__ import annotations

from ehpc_jupyter.models.job import JobState

_ALIVE = frozenset(
    {JobState.QUEUED, JobState.HELD, JobState.RUNNING, JobState.SUSPENDED, JobState.UNKNOWN},
)
_ENDED = frozenset(state for state in JobState if state.is_final) - {JobState.NOT_SUBMITTED}
_SUBMITTED = _ALIVE | _ENDED

#: State → the states that may follow it. A scheduler may requeue what runs; what has ended stays ended, so that no answer
#: that is older than another, or comes from a second process, wakes it.
ALLOWED: dict[JobState, frozenset[JobState]] = {
    JobState.SUBMITTING: _SUBMITTED | {JobState.NOT_SUBMITTED},
    # Nobody found it, and then the scheduler has it: the scheduler is right.
    JobState.NOT_SUBMITTED: _SUBMITTED,
    **dict.fromkeys(_ALIVE, _SUBMITTED),
    **dict.fromkeys(_ENDED, frozenset()),
}


def may_follow(old: JobState, new: JobState) -> bool:
    """Whether a job in the one state may be in the other next; staying is always allowed."""
    return new is old or new in ALLOWED[old]
