"""What is known of a job, put together from the queue, the accounting and the job's own records. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ehpc_jupyter.jobs.arrays import EndedTasks
from ehpc_jupyter.models.job import JobDetail, JobState
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
_WAITS = (JobState.QUEUED, JobState.HELD)
_RUNS = (JobState.RUNNING, JobState.SUSPENDED)
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
        ended = EndedTasks(old.array_request)
        ended.learn(queue, history, {record.task: record for record in records if record.task is not None})
        source = "queue" if not history and not records else "history" if history else "folder"
        return with_times(summarise_array(old, queue, ended), records), source
    record = records[0] if records else None
    for source, reports in (("queue", queue), ("history", history)):
        if reports and reports[-1].state is not JobState.UNKNOWN:
            if source == "history" and reports[-1].state in _WAITS and old.state in _RUNS:
                return old, source  # the accounting lags
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


def is_open(queue: Sequence[JobReport], ended: EndedTasks | None) -> bool:
    """Whether the queue leaves something that only the job's folder or the accounting can say.

    Args:
        queue: its reports of the job.
        ended: for an array, how its tasks ended.
    """
    if ended is not None:
        return bool(ended.missing(queue) or ended.without_exit_code())
    return not queue or any(report.state.is_final or report.state is JobState.UNKNOWN for report in queue)


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
        expected_start_time=report.expected_start_time,
        memory_peak_mb=report.memory_peak_mb,
        start_time=report.start_time or (record.start_time if record and final else None),
        end_time=(report.end_time or (record.exit_time if record else None)) if final else None,
        wall_time_s=report.wall_time_s,
        occupied=report.occupied,
    )
    # What is not said any more does not hold any more.
    return detail.model_copy(update={"reason": report.reason, "expected_start_time": report.expected_start_time})


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


def summarise_array(old: JobDetail, queue: Sequence[JobReport], ended: EndedTasks) -> JobDetail:
    """An array as it now is.

    Args:
        old: as last known.
        queue: the scheduler's reports of its tasks.
        ended: how those of its tasks ended that did; it has learnt from ``queue`` already.
    """
    counts: Counter[JobState] = Counter(ended.counts())
    alive = [report for report in queue if not report.state.is_final]
    for report in alive:
        counts[report.state] += len(ended.read(report.tasks))
    if missing := len(ended.missing(queue)):
        counts[JobState.UNKNOWN] += missing
    state = next((s for s in _BUSIEST if counts[s]), None) or next(s for s in _WORST if counts[s])
    codes = ended.exit_codes()
    last = queue[-1] if queue else None
    detail = _with(
        old,
        state=state,
        native_state=next((r.native_state for r in queue if r.state is state), None),
        tasks={s.value: n for s, n in counts.items() if n},
        exit_code=max(codes) if codes and state.is_final else None,
        start_time=min((t for t in (old.start_time, *(r.start_time for r in queue)) if t), default=None),
        end_time=max((r.end_time for r in queue if r.end_time), default=None) if state.is_final else None,
        user=last.user if last else None,
        queue=last.queue if last else None,
        submit_time=last.submit_time if last else None,
        wall_time_s=last.wall_time_s if last else None,
        node_list=_joined(r.node_list for r in queue if r.state is JobState.RUNNING),
    )
    waits = next((r for r in alive if r.state is state), None)
    return detail.model_copy(
        update={
            "reason": waits.reason if waits else None,
            "expected_start_time": waits.expected_start_time if waits else None,
        }
    )


def with_times(detail: JobDetail, records: Iterable[TaskRecord]) -> JobDetail:
    """An array with the times that its tasks wrote: the queue forgets those that ended first."""
    starts, ends = [detail.start_time], [detail.end_time]
    for record in records:
        starts.append(record.start_time)
        ends.append(record.exit_time)
    return detail.model_copy(
        update={
            "start_time": min((t for t in starts if t), default=None),
            "end_time": max((t for t in ends if t), default=None) if detail.is_final else None,
        }
    )


def _joined(names: Iterable[str | None]) -> str | None:
    return ",".join(sorted({name for name in names if name})) or None
