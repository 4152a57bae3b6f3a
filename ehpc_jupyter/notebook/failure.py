"""``JobFailed``: a job that ended and not well, in words that say why and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ehpc_jupyter.errors import EhpcError
from ehpc_jupyter.models.job import JobDetail, JobState
from ehpc_jupyter.notebook.markup import plain, plain_lines
from ehpc_jupyter.notebook.states import end_words, title_of
from ehpc_jupyter.notebook.tasks import first_index
from ehpc_jupyter.tracebacks import short

if TYPE_CHECKING:
    from ehpc_jupyter.models.actions import TaskGroup
    from ehpc_jupyter.notebook.job import Job

_STDERR_LINES = 20
#: More groups of failed tasks than these are counted only.
_GROUPS = 5


class JobFailed(Exception):
    """A job ended, but not well.

    Attributes:
        detail: all that is known of the job.
        exit_code: of its command, 0 to 255; None if it has none (cancelled, never started, an array).
        signal: the number of the signal that ended its command, if one did.
        explanation: why it ended so, in plain words; empty if nobody knows.
        advice: what to change; empty if nobody knows.
        stderr_tail: the last lines of its standard error; of an array, of the first task that failed.
        failed_tasks: of an array, the groups of tasks that did not end well.
    """

    def __init__(self, detail: JobDetail, stderr_tail: str = "", failed_tasks: tuple[TaskGroup, ...] = ()) -> None:
        self.detail = detail
        self.exit_code = detail.exit_code
        self.signal = detail.signal
        self.explanation = detail.explanation or ""
        self.advice = detail.advice or ""
        self.stderr_tail = stderr_tail
        self.failed_tasks = failed_tasks
        super().__init__("\n".join(self._lines()))

    def _render_traceback_(self) -> list[str]:
        return short(self, str(self))

    def _lines(self) -> list[str]:
        detail = self.detail
        lines = [f"{title_of(detail.cluster_id, detail.job_id, detail.job_name)} {end_words(detail)}."]
        lines += [plain(text) for text in (self.explanation, self.advice) if text]
        lines += [_group_words(group, self.explanation) for group in self.failed_tasks[:_GROUPS]]
        if len(self.failed_tasks) > _GROUPS:
            lines.append(f"… and {sum(group.count for group in self.failed_tasks[_GROUPS:])} tasks more.")
        if self.stderr_tail:
            of = f" of task {first_index(self.failed_tasks[0])}" if self.failed_tasks else ""
            lines += [f"The last lines of its standard error{of}:", plain_lines(self.stderr_tail)]
        return lines


def _group_words(group: TaskGroup, said: str) -> str:
    word = "Task" if group.count == 1 else "Tasks"
    known = JobDetail(
        cluster_id="",
        request_id="",
        job_name="",
        state=group.state,
        exit_code=group.exit_code,
        signal=group.signal,
        reason=group.reason,
    )
    why = f" {plain(group.explanation)}" if group.explanation and group.explanation != said else ""
    return f"{word} {plain(group.tasks)} {end_words(known)}.{why}"


def failure_of(job: Job) -> JobFailed:
    """The error for a job that did not end well. What else is asked for it and fails does not hide it."""
    detail = job.known()
    bad: tuple[TaskGroup, ...] = ()
    tail = ""
    try:
        if detail.array_request and job.job_id:
            bad = tuple(g for g in job.tasks if g.state.is_final and g.state is not JobState.FINISHED)
            if bad:
                tail = job.task(first_index(bad[0])).tail(_STDERR_LINES, stream="stderr")
        elif job.job_id:
            tail = job.tail(_STDERR_LINES, stream="stderr")
    except EhpcError:
        pass
    return JobFailed(detail, tail, bad)
