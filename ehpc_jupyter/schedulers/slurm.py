"""Slurm: sbatch, squeue, sacct, scancel, scontrol, sinfo. Formats: the commands' man pages, 22.05 and newer.

``squeue -o`` and never ``--json``: that ignores filters and costs seconds and tens of megabytes at 10,000 jobs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ehpc_jupyter.errors import AgentError, EhpcError, ListFailure, ServiceUnavailable, StopFailure, SubmitFailure
from ehpc_jupyter.models.job import JobState
from ehpc_jupyter.schedulers.base import (
    FIELD,
    Argv,
    CommandResult,
    JobReport,
    Scheduler,
    Submission,
    TrialAnswer,
)
from ehpc_jupyter.schedulers.slurm_options import options
from ehpc_jupyter.schedulers.slurm_site import (
    NODES,
    QUEUES,
    RECORD,
    allotted,
    count_tasks,
    occupied,
    parse_duration,
    parse_nodes,
    parse_queues,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ehpc_jupyter.models.cluster import Node, Queue

#: Times as UNIX seconds, whatever the site's format; lists of array tasks whole (default: cut after 64 characters).
_ENV = ("env", "SLURM_TIME_FORMAT=%s", "SLURM_BITSTR_LEN=0")

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
#: The words of ``sacct`` and ``squeue`` for what the job's own record shows.
WORDS = {JobState.FINISHED: "COMPLETED", JobState.NODE_FAILED: "NODE_FAIL", JobState.QUEUED: "PENDING"}
_SQUEUE = ("%F", "%K", "%T", "%r", "%P", "%u", "%N", "%V", "%S", "%e", "%l", "%D", "%C", "%b", "%k", "%j")
_SACCT = (
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
)
#: What Slurm says when the controller did not answer in time: the job may have been taken all the same.
_NO_ANSWER = re.compile(
    r"Socket timed out|Unable to contact slurm controller|Zero Bytes were transmitted|Connection (refused|reset|timed out)"
    r"|Protocol authentication error|Communication connection failure|Slurm temporarily unable|Unexpected message received"
)
#: ``#SBATCH --test-only`` in a script: nothing was submitted.
_TEST_ONLY = re.compile(r"Job \d+ to start at (\S+)(?: using .*? on(?: nodes)? (\S+))?")
_NO_ACCOUNTING = "accounting storage is disabled"


class SlurmScheduler(Scheduler):
    """Slurm through its command-line tools."""

    name = "slurm"
    api_type = "SLURM"
    words = WORDS
    directive = "#SBATCH"
    # An array that nobody knows of; an sbatch that answers when the job has ended.
    unwanted = ("SBATCH_ARRAY_INX", "SBATCH_WAIT")
    task_expression = "${SLURM_ARRAY_TASK_ID-}"
    id_expression = "${SLURM_ARRAY_JOB_ID:-${SLURM_JOB_ID-}}"

    def submit_command(self, job: Submission) -> Argv:
        """``sbatch`` with long options, so that no value can be taken for an option."""
        return ("sbatch", "--parsable", *options(job), job.script)

    def parse_submit(self, result: CommandResult) -> str:
        """``--parsable`` prints ``id`` or ``id;cluster``. Raises ServiceUnavailable when there may be a job all the same."""
        # A site's wrapper around sbatch may print lines of its own.
        found = [match for line in result.stdout.splitlines() if (match := re.fullmatch(r"(\d+)(;\S+)?", line.strip()))]
        if result.exit_code == 0 and found:
            return found[-1][1]
        if _NO_ANSWER.search(result.stderr) or (result.exit_code == 0 and not _TEST_ONLY.search(result.stderr)):
            raise ServiceUnavailable(result.words)
        raise SubmitFailure(result.words)

    def test_command(self, job: Submission) -> Argv:
        """``sbatch --test-only`` with the script as its input."""
        return (*_ENV, "sbatch", "--test-only", *options(job))

    def parse_test(self, result: CommandResult) -> TrialAnswer:
        """``sbatch: Job 12 to start at 1700000000 using 2 processors on nodes node1 in partition comp``, or why it is refused."""
        if _NO_ANSWER.search(result.words):
            raise ServiceUnavailable(result.words)
        match = _TEST_ONLY.search(result.words)
        if result.exit_code or not match:
            return TrialAnswer(valid=False, words=result.words)
        return TrialAnswer(valid=True, words=result.words, start_time=_seconds(match[1]), node_list=match[2])

    def status_command(self, users: Sequence[str]) -> Argv:
        """All jobs, those that ended within MinJobAge too; running tasks singly, waiting tasks as ranges."""
        return (
            *_ENV,
            "squeue",
            "-h",
            "-a",
            "-t",
            "all",
            f"--user={','.join(users)}",
            "-o",
            FIELD.join(_SQUEUE) + RECORD,
        )

    def parse_status(self, result: CommandResult) -> list[JobReport]:
        """Raises ListFailure, too, when the answer is cut off in a record."""
        if result.exit_code != 0:
            raise _failure(ListFailure, result)
        records = result.stdout.split(RECORD + "\n")
        if records.pop() != "":
            raise ListFailure("squeue's answer is not whole; it was not used")
        # The name comes last and may hold anything.
        return [self._queued(record.split(FIELD, len(_SQUEUE) - 1)) for record in records]

    def _queued(self, fields: list[str]) -> JobReport:
        if len(fields) != len(_SQUEUE):
            raise ListFailure(f"squeue printed a record of {len(fields)} fields where {len(_SQUEUE)} were asked for")
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
            start_time=_seconds(start) if started else None,
            end_time=_seconds(end) if state.is_final else None,
            wall_time_s=parse_duration(limit),
            token=None if comment == "(null)" else comment,
            name=name,
            # What a waiting job is shown with is what it asks for.
            occupied=occupied(*given) if nodes else None,
        )

    def history_command(self, job_ids: Sequence[str]) -> Argv:
        """The accounting's lines of whole jobs and tasks (``-X``: no steps)."""
        wanted = ("-j", ",".join(job_ids), f"--format={','.join(_SACCT)}")
        return (*_ENV, "sacct", "-X", "-n", "-P", f"--delimiter={FIELD}", *wanted)

    def parse_history(self, result: CommandResult) -> list[JobReport]:
        """An empty list on a site without accounting. Raises ListFailure."""
        if result.exit_code != 0:
            if _NO_ACCOUNTING in result.stderr:
                return []
            raise _failure(ListFailure, result)
        return [self._accounted(line.split(FIELD)) for line in result.stdout.splitlines() if line]

    def _accounted(self, fields: list[str]) -> JobReport:
        if len(fields) != len(_SACCT):
            raise ListFailure(f"sacct printed a record of {len(fields)} fields where {len(_SACCT)} were asked for")
        job, native, code, queue, user, nodes, submitted, start, end, limit, given = fields
        parent, _, tasks = job.partition("_")
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

    def stop_command(self, job_ids: Sequence[str]) -> Argv:
        """scancel(1); it is silent about ids that are unknown or ended."""
        return ("scancel", *job_ids)

    def parse_stop(self, result: CommandResult) -> None:
        """scancel ends with 210 for somebody else's job."""
        if result.exit_code != 0:
            raise _failure(StopFailure, result)

    def hold_command(self, job_ids: Sequence[str]) -> Argv:
        """scontrol(1) takes a list with commas."""
        return ("scontrol", "hold", ",".join(job_ids))

    def release_command(self, job_ids: Sequence[str]) -> Argv:
        """scontrol(1)."""
        return ("scontrol", "release", ",".join(job_ids))

    def parse_change(self, result: CommandResult) -> None:
        """Raises AgentError."""
        if result.exit_code != 0:
            raise _failure(AgentError, result)

    def queues_command(self) -> Argv:
        """sinfo(1): a line for each kind of node in each partition."""
        return ("sinfo", "-h", "-o", QUEUES)

    def parse_queues(self, result: CommandResult) -> list[Queue]:
        """Raises AgentError."""
        if result.exit_code != 0:
            raise _failure(AgentError, result)
        return parse_queues(result.stdout)

    def nodes_command(self) -> Argv:
        """sinfo(1), ``-N``: a record for each node in each partition."""
        return ("sinfo", "-N", "-h", "-a", "-o", NODES)

    def parse_nodes(self, result: CommandResult) -> list[Node]:
        """Raises AgentError."""
        if result.exit_code != 0:
            raise _failure(AgentError, result)
        return parse_nodes(result.stdout)

    def version_command(self) -> Argv:
        """Answers without the controller."""
        return ("sbatch", "--version")

    def parse_version(self, result: CommandResult) -> str:
        """``slurm-wlm 22.05.8`` → ``22.05.8``. Raises AgentError."""
        match = re.search(r"\d+\.\d+\S*", result.stdout)
        if result.exit_code != 0 or not match:
            raise AgentError(result.words)
        return match[0]


def _failure(kind: type[EhpcError], result: CommandResult) -> EhpcError:
    return ServiceUnavailable(result.words) if _NO_ANSWER.search(result.stderr) else kind(result.words)


def _seconds(text: str) -> int | None:
    return int(text) if text.isdecimal() and int(text) > 0 else None
