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
from ehpc_jupyter.schedulers.slurm_jobs import SACCT, SQUEUE, accounted, queued
from ehpc_jupyter.schedulers.slurm_options import options
from ehpc_jupyter.schedulers.slurm_site import NODES, QUEUES, RECORD, parse_nodes, parse_queues

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ehpc_jupyter.models.cluster import Node, Queue

#: Times as UNIX seconds, whatever the site's format; lists of array tasks whole (default: cut after 64 characters).
_ENV = ("env", "SLURM_TIME_FORMAT=%s", "SLURM_BITSTR_LEN=0")

#: The words of ``sacct`` and ``squeue`` for what the job's own record shows.
WORDS = {JobState.FINISHED: "COMPLETED", JobState.NODE_FAILED: "NODE_FAIL", JobState.QUEUED: "PENDING"}
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

    def knows_command(self, job_id: str) -> Argv:
        """Slurm takes a job that it does not know for one that ended as it should: the new one would start at once."""
        return ("squeue", "-h", "-t", "all", "-j", job_id)

    def status_command(self, users: Sequence[str]) -> Argv:
        """All jobs, those that ended within MinJobAge too; running tasks singly, waiting tasks as ranges."""
        return (
            *_ENV,
            "squeue",
            "-h",
            "-a",
            "-t",
            "all",
            # Tasks that are held would be shown together with those that wait: "1-9 PENDING BeginTime,JobHeldUser".
            "--array-unique",
            f"--user={','.join(users)}",
            "-o",
            SQUEUE,
        )

    def parse_status(self, result: CommandResult) -> list[JobReport]:
        """Raises ListFailure, too, when the answer is cut off in a record."""
        if result.exit_code != 0:
            raise _failure(ListFailure, result)
        records = result.stdout.split(RECORD + "\n")
        if records.pop() != "":
            raise ListFailure("squeue's answer is not whole; it was not used")
        return [queued(record) for record in records]

    def history_command(self, job_ids: Sequence[str]) -> Argv:
        """The accounting's lines of whole jobs and tasks, each followed by those of its steps, which alone have the memory."""
        wanted = ("-j", ",".join(job_ids), f"--format={','.join(SACCT)}")
        return (*_ENV, "sacct", "-n", "-P", f"--delimiter={FIELD}", *wanted)

    def parse_history(self, result: CommandResult) -> list[JobReport]:
        """An empty list on a site without accounting. Raises ListFailure."""
        if result.exit_code != 0:
            if _NO_ACCOUNTING in result.stderr:
                return []
            raise _failure(ListFailure, result)
        return accounted(result.stdout)

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
