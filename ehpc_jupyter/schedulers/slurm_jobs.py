"""What squeue and sacct say of jobs. Formats: squeue(1) and sacct(1), 22.05 and newer. Pure."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from ehpc_jupyter.errors import ListFailure
from ehpc_jupyter.models.job import JobState
from ehpc_jupyter.schedulers.base import FIELD, JobReport
from ehpc_jupyter.schedulers.slurm_site import RECORD, allotted, count_tasks, occupied, parse_duration, parse_memory_mb

#: squeue(1), "JOB STATE CODES"; every state there is.
STATES: dict[str, JobState] = {
    "BOOT_FAIL": JobState.NODE_FAILED,
    "CANCELLED": JobState.CANCELLED,
    "COMPLETED": JobState.FINISHED,
    "COMPLETING": JobState.RUNNING,
    "CONFIGURING": JobState.RUNNING,
    "DEADLINE": JobState.TIMEOUT,
    "FAILED": JobState.FAILED,
    "NODE_FAIL": JobState.NODE_FAILED,
    "OUT_OF_MEMORY": JobState.OUT_OF_MEMORY,
    "PENDING": JobState.QUEUED,
    "PREEMPTED": JobState.CANCELLED,
    "REQUEUED": JobState.QUEUED,
    "REQUEUE_FED": JobState.QUEUED,
    "REQUEUE_HOLD": JobState.HELD,
    "RESIZING": JobState.RUNNING,
    "RESV_DEL_HOLD": JobState.HELD,
    "REVOKED": JobState.CANCELLED,
    "RUNNING": JobState.RUNNING,
    "SIGNALING": JobState.RUNNING,
    "SPECIAL_EXIT": JobState.HELD,
    "STAGE_OUT": JobState.RUNNING,
    "STOPPED": JobState.SUSPENDED,
    "SUSPENDED": JobState.SUSPENDED,
    "TIMEOUT": JobState.TIMEOUT,
}
_FIELDS = ("%F", "%K", "%T", "%r", "%P", "%u", "%N", "%V", "%S", "%e", "%l", "%D", "%C", "%b", "%k", "%j")
SACCT = (
    "JobID",
    "State",
    "ExitCode",
    "Partition",
    "User",
    "NodeList",
    "Submit",
    "Start",
    "End",
    "TimelimitRaw",
    "AllocTRES",
    "MaxRSS",
)
#: squeue's ``-o``.
SQUEUE = FIELD.join(_FIELDS) + RECORD


# Most records are what they were at the last look: 10,000 of them are then 5 ms of work and not 300.
@lru_cache(maxsize=50_000)
def queued(record: str) -> JobReport:
    """One of squeue's records; the name comes last and may hold anything."""
    fields = record.split(FIELD, len(_FIELDS) - 1)
    if len(fields) != len(_FIELDS):
        raise ListFailure(f"squeue printed a record of {len(fields)} fields where {len(_FIELDS)} were asked for")
    job, tasks, native, reason, queue, user, nodes, submitted, start, end, limit, *given, comment, name = fields
    if not job.isdecimal():
        raise ListFailure(f"squeue printed something else before its answer: {' '.join(job.split())[:100]!r}")
    state = STATES.get(native, JobState.UNKNOWN)
    if state is JobState.QUEUED and ("Held" in reason or "held" in reason):
        state = JobState.HELD
    started = state not in (JobState.QUEUED, JobState.HELD)
    return JobReport(
        job_id=job,
        tasks=None if tasks == "N/A" else tasks,
        count=1 if tasks == "N/A" else count_tasks(tasks),
        state=state,
        native_state=native,
        reason=None if reason in ("None", "") else reason,
        queue=queue,
        user=user,
        node_list=nodes or None,
        submit_time=_seconds(submitted),
        # For a waiting job squeue's start and end are a forecast.
        expected_start_time=None if started else _seconds(start),
        # One that was stopped while it waited is shown with a start, and without nodes.
        start_time=_seconds(start) if started and nodes else None,
        end_time=_seconds(end) if state.is_final else None,
        wall_time_s=parse_duration(limit),
        token=None if comment == "(null)" else comment,
        name=name,
        # What a waiting job is shown with is what it asks for.
        occupied=occupied(*given) if nodes else None,
    )


def accounted(text: str) -> list[JobReport]:
    """What sacct printed of jobs and their steps. Raises ListFailure."""
    reports: list[JobReport] = []
    for line in text.splitlines():
        fields = line.split(FIELD)
        if len(fields) != len(SACCT):
            raise ListFailure(f"sacct printed a record of {len(fields)} fields where {len(SACCT)} were asked for")
        name, _, step = fields[0].partition(".")
        if step:
            peak = parse_memory_mb(fields[-1])
            if reports and peak is not None and name == _written(reports[-1]):
                peak = max(peak, reports[-1].memory_peak_mb or 0)
                reports[-1] = replace(reports[-1], memory_peak_mb=peak)
        # The first part of a heterogeneous job speaks for it: 12+0, 12+1.
        elif "+" not in name or name.endswith("+0"):
            reports.append(_accounted(fields))
    return reports


def _accounted(fields: list[str]) -> JobReport:
    job, native, code, queue, user, nodes, submitted, start, end, limit, given, _ = fields
    parent, _, tasks = job.removesuffix("+0").partition("_")
    tasks = tasks.strip("[]")
    word, _, by = native.partition(" ")
    state = STATES.get(word, JobState.UNKNOWN)
    exit_code, _, signal = code.partition(":")
    return JobReport(
        job_id=parent,
        tasks=tasks or None,
        count=count_tasks(tasks) if tasks else 1,
        state=state,
        native_state=word,
        reason=f"cancelled {by}" if by else None,
        exit_code=int(exit_code) if exit_code.isdecimal() and state.is_final else None,
        signal=int(signal) if signal.isdecimal() and int(signal) and state.is_final else None,
        queue=queue or None,
        user=user or None,
        node_list=None if nodes in ("", "None assigned") else nodes,
        submit_time=_seconds(submitted),
        start_time=_seconds(start),
        end_time=_seconds(end),
        wall_time_s=int(limit) * 60 if limit.isdecimal() else None,
        occupied=allotted(given),
    )


def _written(report: JobReport) -> str:
    """The id as sacct writes it."""
    return f"{report.job_id}_{report.tasks}" if report.tasks else report.job_id


def _seconds(text: str) -> int | None:
    return int(text) if text.isdecimal() and int(text) > 0 else None
