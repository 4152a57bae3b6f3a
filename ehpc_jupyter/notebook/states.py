"""States in words and signs that a person reads: never a colour alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ehpc_jupyter.models.job import JobState
from ehpc_jupyter.notebook.markup import plain

if TYPE_CHECKING:
    from ehpc_jupyter.models.job import JobDetail


class Look(NamedTuple):
    """How a state is shown.

    Attributes:
        word: what it is, in plain words.
        sign: one character.
        colour: a CSS colour that can be read on white and on black.
    """

    word: str
    sign: str
    colour: str


_GREEN, _RED, _BLUE, _GREY, _AMBER = "#2e9e4f", "#d8453f", "#3b82d6", "#808080", "#b7791f"

LOOKS: dict[JobState, Look] = {
    JobState.SUBMITTING: Look("being submitted", "…", _GREY),
    JobState.NOT_SUBMITTED: Look("not submitted", "✗", _RED),
    JobState.QUEUED: Look("waiting in the queue", "○", _AMBER),
    JobState.HELD: Look("held", "‖", _AMBER),
    JobState.RUNNING: Look("running", "▶", _BLUE),
    JobState.SUSPENDED: Look("suspended", "‖", _AMBER),
    JobState.FINISHED: Look("finished", "✓", _GREEN),
    JobState.FAILED: Look("failed", "✗", _RED),
    JobState.CANCELLED: Look("cancelled", "■", _GREY),
    JobState.TIMEOUT: Look("stopped at its time limit", "✗", _RED),
    JobState.OUT_OF_MEMORY: Look("stopped: out of memory", "✗", _RED),
    JobState.NODE_FAILED: Look("ended by a failed node", "✗", _RED),
    JobState.UNKNOWN: Look("not known", "?", _GREY),
}

_ENDED = {
    JobState.NOT_SUBMITTED: "was not submitted",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "was cancelled",
    JobState.TIMEOUT: "was stopped at its time limit",
    JobState.OUT_OF_MEMORY: "was stopped because it used more memory than it had asked for",
    JobState.NODE_FAILED: "ended because a node failed",
}


def title_of(cluster_id: str, job_id: str | None, name: str) -> str:
    """``Job 12 'hello' on local``; a job without an id says so."""
    quoted = f" {plain(name)!r}" if name else ""
    return (
        f"Job {plain(job_id)}{quoted} on {plain(cluster_id)}"
        if job_id
        else f"Job{quoted} on {plain(cluster_id)} (no id yet)"
    )


def brief(detail: JobDetail) -> str:
    """A state in few words: ``failed, exit code 3``."""
    ended = [f"exit code {detail.exit_code}"] if detail.exit_code else []
    ended += [f"signal {detail.signal}"] if detail.signal else []
    return ", ".join([LOOKS[detail.state].word, *ended])


def end_words(detail: JobDetail) -> str:
    """How a job ended, as the rest of a sentence; for jobs that did not end well."""
    words = _ENDED.get(detail.state, LOOKS[detail.state].word)
    if detail.exit_code:
        words += f" with exit code {detail.exit_code}"
    if detail.signal:
        words += f" by signal {detail.signal}"
    return words + (f" ({plain(detail.reason)})" if detail.reason else "")
