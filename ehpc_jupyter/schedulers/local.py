"""The embedded queue of this machine, ``ehpc_jupyter.localq``, spoken to through its command line like any other."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ehpc_jupyter.errors import AgentError, EhpcError, ListFailure, ServiceUnavailable, StopFailure, SubmitFailure
from ehpc_jupyter.models.cluster import Node, Queue
from ehpc_jupyter.models.job import JobState, Occupied
from ehpc_jupyter.schedulers.base import FIELD, JobReport, Scheduler, TrialAnswer, with_task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ehpc_jupyter.schedulers.base import Argv, CommandResult, Submission

#: Every state that the queue prints.
STATES = {
    "QUEUED": JobState.QUEUED,
    "HELD": JobState.HELD,
    "RUNNING": JobState.RUNNING,
    "FINISHED": JobState.FINISHED,
    "FAILED": JobState.FAILED,
    "CANCELLED": JobState.CANCELLED,
    "TIMEOUT": JobState.TIMEOUT,
    "NODE_FAILED": JobState.NODE_FAILED,
}
_SUBMITTED = re.compile(r"^Submitted batch job (\d+)$", re.MULTILINE)
#: How the queue begins what it says of a job that it does not take; of itself it says that it cannot be used.
_REFUSED = re.compile(r"localq: (?!the queue.* cannot be used: )")
_ESCAPE = re.compile(r"\\x([0-9a-f]{2})")
_PROGRAM = Path(__file__).parents[1] / "localq" / "__main__.py"


class LocalScheduler(Scheduler):
    """The queue in this account's own folder: it has the jobs of one account, and one queue, ``default``.

    Args:
        python: absolute path of the Python that runs it. Only its standard library is used, and nothing of the folder
            it is run in: see ``localq/__main__.py`` for why the program is named by path and not by ``-m``.
    """

    name: ClassVar[str] = "local"
    api_type: ClassVar[str] = "LOCAL"
    task_expression: ClassVar[str] = "${EHPC_ARRAY_TASK_ID-}"
    id_expression: ClassVar[str] = "${EHPC_JOB_ID-}"

    def __init__(self, python: str) -> None:
        # UTF-8 whatever the locale says: names and paths come back as they were given.
        self._program: Argv = (python, "-I", "-S", "-X", "utf8", str(_PROGRAM))

    def submit_command(self, job: Submission) -> Argv:
        """See ``Scheduler``."""
        return (*self._program, "submit", *self._options(job), "--", job.script)

    def _options(self, job: Submission) -> list[str]:
        """``--name=value`` in one word: a value that begins with a hyphen is no option."""
        spec, is_array = job.spec, job.spec.array_request is not None
        options: dict[str, object] = {
            "name": job.name,
            "token": job.token,
            "queue": spec.job_queue,
            "time": spec.wall_time and spec.wall_time.seconds,
            "priority": spec.priority,
            "array": spec.array_request,
            "chdir": job.work_dir,
            "output": with_task(job.stdout, is_array=is_array),
            "error": with_task(job.stderr, is_array=is_array),
            "after": spec.after,
        }
        if wanted := spec.resources:
            memory_mb = wanted.memory and wanted.memory.mb
            options |= {"nodes": wanted.nodes, "cores": wanted.cores, "memory-mb": memory_mb, "gpus": wanted.gpus}
        return [f"--{option}={value}" for option, value in options.items() if value is not None]

    def parse_submit(self, result: CommandResult) -> str:
        """See ``Scheduler``."""
        found = _SUBMITTED.search(result.stdout)
        if result.exit_code or not found:
            raise SubmitFailure(_words(result))
        return found[1]

    def test_command(self, job: Submission) -> Argv:
        """See ``Scheduler``; the script is not looked at."""
        return (*self._program, "submit", "--test-only", "--parsable", *self._options(job))

    def parse_test(self, result: CommandResult) -> TrialAnswer:
        """See ``Scheduler``. The start is known of a job that would start at once."""
        if result.exit_code:
            if not _REFUSED.match(result.words):
                raise ServiceUnavailable(_words(result))
            return TrialAnswer(valid=False, words=_words(result))
        # The submit program's shell takes line ends off.
        whole = replace(result, stdout=result.stdout.rstrip("\n") + "\n")
        for fields in _fields(whole, ServiceUnavailable, required=("words", "node")):
            start = fields.get("start_time", "")
            return TrialAnswer(
                valid=True,
                words=fields["words"],
                start_time=int(start) if start.isdecimal() else None,
                node_list=fields["node"],
            )
        raise ServiceUnavailable("the local queue gave no answer")

    def status_command(self, users: Sequence[str]) -> Argv:
        """All jobs: the queue has those of one account only. Ended ones are in the answer for ten minutes."""
        return (*self._program, "status", "--parsable")

    def parse_status(self, result: CommandResult) -> list[JobReport]:
        """See ``Scheduler``."""
        found = _fields(result, ListFailure)
        try:
            return [_report(fields) for fields in found]
        except ValueError as error:  # no number where one must be
            raise ListFailure(f"the local queue's answer cannot be read: {error}") from None

    def history_command(self, job_ids: Sequence[str]) -> Argv | None:
        """See ``Scheduler``; ended jobs are known for a week."""
        return (*self.status_command(()), "--", *dict.fromkeys(self.parent_id(job_id) for job_id in job_ids))

    def parse_history(self, result: CommandResult) -> list[JobReport]:
        """See ``Scheduler``."""
        return self.parse_status(result)

    def stop_command(self, job_ids: Sequence[str]) -> Argv:
        """See ``Scheduler``."""
        return (*self._program, "stop", "--", *job_ids)

    def parse_stop(self, result: CommandResult) -> None:
        """See ``Scheduler``."""
        if result.exit_code:
            raise StopFailure(_words(result))

    def hold_command(self, job_ids: Sequence[str]) -> Argv:
        """See ``Scheduler``."""
        return (*self._program, "hold", "--", *job_ids)

    def release_command(self, job_ids: Sequence[str]) -> Argv:
        """See ``Scheduler``."""
        return (*self._program, "release", "--", *job_ids)

    def parse_change(self, result: CommandResult) -> None:
        """See ``Scheduler``."""
        if result.exit_code:
            raise AgentError(_words(result))

    def queues_command(self) -> Argv:
        """See ``Scheduler``."""
        return (*self._program, "queues", "--parsable")

    def parse_queues(self, result: CommandResult) -> list[Queue]:
        """See ``Scheduler``."""
        found = _fields(result, AgentError, required=_QUEUE)
        try:
            return [_queue(fields) for fields in found]
        except ValueError as error:
            raise AgentError(f"the local queue's answer cannot be read: {error}") from None

    def nodes_command(self) -> Argv:
        """The one node is what the one queue has."""
        return self.queues_command()

    def parse_nodes(self, result: CommandResult) -> list[Node]:
        """See ``Scheduler``."""
        found = _fields(result, AgentError, required=(*_QUEUE, "node"))
        try:
            return [_node(fields) for fields in found]
        except ValueError as error:
            raise AgentError(f"the local queue's answer cannot be read: {error}") from None

    def version_command(self) -> Argv:
        """See ``Scheduler``."""
        return (*self._program, "version")

    def parse_version(self, result: CommandResult) -> str:
        """See ``Scheduler``."""
        if result.exit_code or not result.stdout.startswith("localq "):
            raise AgentError(_words(result))
        return result.stdout.strip()


_JOB = ("job", "state", "count")
_QUEUE = ("name", "is_default", "state", "nodes", "cores", "memory_mb", "gpus", "idle_nodes")


def _words(result: CommandResult) -> str:
    """The queue's words without its name in front."""
    return re.sub(r"(^|; )localq: ", r"\1", result.words)


def _fields(result: CommandResult, error: type[EhpcError], required: tuple[str, ...] = _JOB) -> list[dict[str, str]]:
    """The ``NAME=VALUE`` fields of each line; raises ``error`` where the answer is none."""
    if result.exit_code:
        raise error(_words(result))
    *lines, rest = result.stdout.split("\n")  # not splitlines: a name may hold U+2028
    if rest:
        raise error("the local queue's answer is not whole; it was not used")
    found = []
    for line in lines:
        fields = {name: _plain(value) for name, _, value in (field.partition("=") for field in line.split(FIELD))}
        if any(name not in fields for name in required):
            raise error(f"the local queue's answer cannot be read: {line[:200]!r}")
        found.append(fields)
    return found


def _plain(value: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), value)


def _report(fields: dict[str, str]) -> JobReport:
    def number(name: str) -> int | None:
        return int(fields[name]) if name in fields else None

    return JobReport(
        job_id=fields["job"],
        tasks=fields.get("tasks"),
        count=int(fields["count"]),
        state=STATES.get(fields["state"], JobState.UNKNOWN),
        native_state=fields["state"],
        reason=fields.get("reason"),
        exit_code=number("exit_code"),
        signal=number("signal"),
        name=fields.get("name"),
        user=fields.get("user"),
        queue=fields.get("queue"),
        node_list=fields.get("node_list"),
        submit_time=number("submit_time"),
        start_time=number("start_time"),
        end_time=number("end_time"),
        wall_time_s=number("wall_time_s"),
        memory_peak_mb=number("memory_peak_mb"),
        token=fields.get("token"),
        occupied=Occupied(nodes=1, cores=number("cores"), memory_mb=number("memory_mb") or None, gpus=number("gpus"))
        if "cores" in fields
        else None,
    )


def _queue(fields: dict[str, str]) -> Queue:
    return Queue(
        name=fields["name"],
        is_default=fields["is_default"] == "1",
        state=fields["state"],
        nodes=int(fields["nodes"]),
        cores_per_node=int(fields["cores"]),
        memory_mb_per_node=int(fields["memory_mb"]),
        gpus_per_node=int(fields["gpus"]),
        idle_nodes=int(fields["idle_nodes"]),
    )


def _node(fields: dict[str, str]) -> Node:
    return Node(
        name=fields["node"],
        queues=(fields["name"],),
        native_state="IDLE" if fields["idle_nodes"] == "1" else "BUSY",
        cores=int(fields["cores"]),
        memory_mb=int(fields["memory_mb"]),
        gpus=int(fields["gpus"]),
    )
