"""What is known of a job, put together from the queue, the accounting and the job's own records. Pure."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from ehpc_jupyter.models.job import JobDetail, JobState
from ehpc_jupyter.models.values import ArrayRange
from ehpc_jupyter.schedulers.base import expand_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ehpc_jupyter.schedulers.base import JobReport
    from ehpc_jupyter.schedulers.script import TaskRecord

#: Of an array whose tasks all ended: the state that says most.
_WORST = (
    JobState.FAILED,
    JobState.OUT_OF_MEMORY,
    JobState.NODE_FAILED,
    JobState.TIMEOUT,
    JobState.CANCELLED,
    JobState.FINISHED,
)
_BUSIEST = (JobState.RUNNING, JobState.SUSPENDED, JobState.QUEUED, JobState.HELD, JobState.UNKNOWN)


def summarise(
    old: JobDetail,
    queue: Sequence[JobReport],
    history: Sequence[JobReport] = (),
    records: Sequence[TaskRecord] = (),
) -> tuple[JobDetail, str]:
    """A job as it now is, and which source settled its state: ``queue``, ``history`` or ``folder``.

    Args:
        old: as last known.
        queue: the scheduler's reports of the job.
        history: the accounting's, for a job or tasks that the queue forgot.
        records: what its tasks wrote about themselves.
    """
    if old.array_request:
        return _array(old, queue, history, records)
    record = records[0] if records else None
    for source, reports in (("queue", queue), ("history", history)):
        if reports and reports[-1].state is not JobState.UNKNOWN:
            return _single(old, reports[-1], record), source
    if record is not None:
        return _from_record(old, record), "folder"
    reason = "the scheduler does not know the job any more, and the job left no record"
    return _with(
        old, state=JobState.UNKNOWN, reason=reason, native_state=queue[-1].native_state if queue else None
    ), "queue"


def with_job_id(detail: JobDetail, job_id: str) -> JobDetail:
    """A job that the scheduler took: its id is known, and so are its output paths (an array's keep ``%a``)."""
    changes: dict[str, object] = {"job_id": job_id, "state": JobState.QUEUED, "reason": None}
    if not detail.array_request:
        changes |= {
            name: expand_path(path, job_id)
            for name, path in (("stdout_path", detail.stdout_path), ("stderr_path", detail.stderr_path))
            if path is not None
        }
    return detail.model_copy(update=changes)


def needs_records(old: JobDetail, queue: Sequence[JobReport]) -> bool:
    """Whether the queue's answer leaves something that only the job's folder (or the accounting) can say."""
    if old.array_request:
        known = sum(report.count for report in queue)
        return known < len(ArrayRange.parse(old.array_request)) or all(report.state.is_final for report in queue)
    return not queue or any(report.state.is_final or report.state is JobState.UNKNOWN for report in queue)


def is_forgotten(old: JobDetail, queue: Sequence[JobReport]) -> bool:
    """Whether the queue's answer lacks the job or some of its tasks."""
    if old.array_request:
        return sum(report.count for report in queue) < len(ArrayRange.parse(old.array_request))
    return not queue


def _with(old: JobDetail, **changes: object) -> JobDetail:
    kept = {name: value for name, value in changes.items() if value is not None}
    return old.model_copy(update={**kept, "stale_reason": None})


def _single(old: JobDetail, report: JobReport, record: TaskRecord | None) -> JobDetail:
    exit_code = record.exit_code if record and record.exit_code is not None else report.exit_code
    final = report.state.is_final
    detail = _with(
        old,
        state=report.state,
        native_state=report.native_state,
        exit_code=exit_code if final else None,
        signal=report.signal if final else None,
        user=report.user,
        queue=report.queue,
        node_list=report.node_list,
        submit_time=report.submit_time,
        start_time=report.start_time or (record.start_time if record and final else None),
        end_time=(report.end_time or (record.exit_time if record else None)) if final else None,
        wall_time_s=report.wall_time_s,
        occupied=report.occupied,
    )
    return detail.model_copy(update={"reason": report.reason})


def _from_record(old: JobDetail, record: TaskRecord) -> JobDetail:
    common: dict[str, object] = {"start_time": record.start_time, "node_list": old.node_list or record.host or None}
    if record.exit_code is None:
        lost = "the scheduler does not know the job any more, and its record has a start but no end"
        return _with(old, state=JobState.UNKNOWN, reason=lost, **common)
    state = JobState.FINISHED if record.exit_code == 0 else JobState.FAILED
    asked = state is JobState.FAILED and record.terminated
    reason = "it was asked to end (TERM) before it ended" if asked else None
    detail = _with(old, state=state, exit_code=record.exit_code, end_time=record.exit_time, **common)
    return detail.model_copy(update={"reason": reason, "native_state": None})


def _array(
    old: JobDetail, queue: Sequence[JobReport], history: Sequence[JobReport], records: Sequence[TaskRecord]
) -> tuple[JobDetail, str]:
    total = len(ArrayRange.parse(old.array_request))
    counts: Counter[JobState] = Counter()
    seen: list[str] = []
    codes: list[int] = []
    used: list[JobReport] = []
    source = "queue"
    by_task = {str(record.task): record for record in records}
    for report in queue:
        counts[report.state] += report.count
        seen.append(report.tasks or "")
        used.append(report)
    for report in history:
        if sum(counts.values()) < total and report.tasks and report.state.is_final and not covers(seen, report.tasks):
            counts[report.state] += report.count
            seen.append(report.tasks)
            used.append(report)
            source = "history"
    for task, record in by_task.items():
        if sum(counts.values()) < total and record.exit_code is not None and not covers(seen, task):
            counts[JobState.FINISHED if record.exit_code == 0 else JobState.FAILED] += 1
            seen.append(task)
            source = "folder"
    codes = [record.exit_code for record in records if record.exit_code is not None]
    codes += [r.exit_code for r in used if r.exit_code is not None and r.state.is_final]
    if (missing := total - sum(counts.values())) > 0:
        counts[JobState.UNKNOWN] += missing
    state = next((s for s in _BUSIEST if counts[s]), None) or next(s for s in _WORST if counts[s])
    starts = [t for t in (*(r.start_time for r in used), *(r.start_time for r in records)) if t]
    ends = [t for t in (*(r.end_time for r in used), *(r.exit_time for r in records)) if t]
    last = used[-1] if used else None
    detail = _with(
        old,
        state=state,
        native_state=next((r.native_state for r in used if r.state is state), None),
        tasks={s.value: n for s, n in counts.items() if n},
        exit_code=max(codes) if codes and state.is_final else None,
        start_time=min(starts) if starts else None,
        end_time=max(ends) if ends and state.is_final else None,
        user=last.user if last else None,
        queue=last.queue if last else None,
        submit_time=last.submit_time if last else None,
        wall_time_s=last.wall_time_s if last else None,
        node_list=_joined(r.node_list for r in used if r.state is JobState.RUNNING),
    )
    reason = next((r.reason for r in used if r.state is state and r.reason), None)
    return detail.model_copy(update={"reason": reason}), source


def _joined(names: Iterable[str | None]) -> str | None:
    return ",".join(sorted({name for name in names if name})) or None


def covers(texts: Iterable[str], task: str) -> bool:
    """Whether one of the lists of tasks (``3``, ``1,3,5``, ``2-9:3%4``) names a task. Nothing is expanded."""
    if not task.isdecimal():
        return False
    for text in texts:
        for part in text.strip("[]").partition("%")[0].split(","):
            match = re.fullmatch(r"(\d+)(?:-(\d+)(?::(\d+))?)?", part)
            if match and int(task) in ArrayRange(int(match[1]), int(match[2] or match[1]), int(match[3] or 1)):
                return True
    return False
