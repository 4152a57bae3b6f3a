"""What every batch system can be asked, as pairs of command and parser. Pure: no I/O, no clock, no environment.

A command is an argv tuple; whoever runs it quotes it once. A parser gets the whole ``CommandResult`` and returns typed
values or raises one of the errors of ``ehpc_jupyter.errors`` with the scheduler's own words in it.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ehpc_jupyter.models.cluster import Node, Queue
    from ehpc_jupyter.models.job import JobState, Occupied
    from ehpc_jupyter.models.spec import JobSpec

#: Separates fields in what schedulers are asked to print; names, paths and reasons never hold it.
FIELD = "\x1f"

Argv = tuple[str, ...]


@dataclass(frozen=True)
class CommandResult:
    """What a command said.

    Attributes:
        argv: the command, for messages.
        exit_code: its exit status.
        stdout: its output, decoded as UTF-8 with replacement.
        stderr: its error output, likewise.
    """

    argv: Argv
    exit_code: int
    stdout: str
    stderr: str

    @property
    def words(self) -> str:
        """What it said about a failure: stderr, else stdout, else its exit code; one line."""
        text = self.stderr.strip() or self.stdout.strip() or f"{self.argv[0]} ended with exit code {self.exit_code}"
        return "; ".join(line.strip() for line in text.splitlines() if line.strip())


@dataclass(frozen=True)
class Submission:
    """A job ready to be handed to a scheduler: all paths absolute.

    Attributes:
        spec: the specification.
        name: the job's name, never empty.
        folder: the job's folder.
        script: the batch script's path, in that folder.
        stdout: output path; ``%j``, ``%A``, ``%a`` and ``%%`` as in ``JobSpec``.
        stderr: likewise.
        work_dir: where the job starts.
        token: goes into the scheduler's own record of the job, so that it can be found by it.
        priority_step: the profile's.
    """

    spec: JobSpec
    name: str
    folder: str
    script: str
    stdout: str
    stderr: str
    work_dir: str
    token: str
    priority_step: int = 100


@dataclass(frozen=True)
class TrialAnswer:
    """What a scheduler says to a job that it is only asked about.

    Attributes:
        valid: whether it would take it; None: it cannot be asked.
        words: its own words; empty if it said none.
        start_time: when it would start it, UNIX seconds.
        node_list: where.
    """

    valid: bool | None
    words: str = ""
    start_time: int | None = None
    node_list: str | None = None


@dataclass(frozen=True, slots=True)
class JobReport:
    """What a scheduler says of a job, or of some tasks of an array; None is: it did not say.

    Attributes:
        job_id: the id of the whole job, bare.
        tasks: for tasks of an array, their indices in the scheduler's own writing (``3``, ``1,3,5``, ``2-9:3%4``); else None.
        state: the common state.
        native_state: the scheduler's word.
        count: how many tasks the report stands for; 1 for a job that is no array.
        token: as given in ``Submission``.
    """

    job_id: str
    state: JobState
    native_state: str
    tasks: str | None = None
    count: int = 1
    reason: str | None = None
    exit_code: int | None = None
    signal: int | None = None
    name: str | None = None
    user: str | None = None
    queue: str | None = None
    node_list: str | None = None
    submit_time: int | None = None
    expected_start_time: int | None = None
    start_time: int | None = None
    end_time: int | None = None
    wall_time_s: int | None = None
    memory_peak_mb: int | None = None
    token: str | None = None
    occupied: Occupied | None = None


class Scheduler(abc.ABC):
    """One batch system."""

    name: ClassVar[str]
    """As in ``ClusterProfile.scheduler``."""
    api_type: ClassVar[str]
    """As in the API's ``Manager.Scheduler.Type``."""
    words: ClassVar[Mapping[JobState, str]] = {}
    """The scheduler's word for a state, for jobs that it forgot; the state's own where there is none."""
    directive: ClassVar[str | None] = None
    """First word of the script lines it reads itself, ``#SBATCH``."""
    unwanted: ClassVar[tuple[str, ...]] = ()
    """Environment variables by which an account would make something else of every submission."""
    task_expression: ClassVar[str]
    """What a job's shell expands to the index of the task, to nothing when the job is no array."""
    id_expression: ClassVar[str]
    """What a job's shell expands to the id of the whole job."""

    @abc.abstractmethod
    def submit_command(self, job: Submission) -> Argv:
        """The command that submits the job's script; it is run in the job's working folder."""

    @abc.abstractmethod
    def parse_submit(self, result: CommandResult) -> str:
        """The job's id. Raises SubmitFailure with the scheduler's words."""

    @abc.abstractmethod
    def test_command(self, job: Submission) -> Argv | None:
        """Ask what would become of a job, without submitting it; None if the scheduler cannot be asked."""

    @abc.abstractmethod
    def parse_test(self, result: CommandResult) -> TrialAnswer:
        """Raises ServiceUnavailable: the scheduler did not answer."""

    def knows_command(self, job_id: str) -> Argv | None:
        """A command that fails for a job that the scheduler does not know; None where it refuses to wait for one by itself."""
        return None

    @abc.abstractmethod
    def status_command(self, users: Sequence[str]) -> Argv:
        """Ask once for all jobs of these accounts that the scheduler still knows."""

    @abc.abstractmethod
    def parse_status(self, result: CommandResult) -> list[JobReport]:
        """Raises ListFailure: the scheduler did not answer, so nothing may be concluded of any job."""

    @abc.abstractmethod
    def history_command(self, job_ids: Sequence[str]) -> Argv | None:
        """Ask for jobs that the queue forgot; None if there is no such memory."""

    @abc.abstractmethod
    def parse_history(self, result: CommandResult) -> list[JobReport]:
        """Jobs without a trace are missing from the list. Raises ListFailure."""

    @abc.abstractmethod
    def stop_command(self, job_ids: Sequence[str]) -> Argv:
        """Stop whole jobs, or tasks written as the scheduler writes them (``10_3``)."""

    @abc.abstractmethod
    def parse_stop(self, result: CommandResult) -> None:
        """Raises StopFailure with the scheduler's words."""

    @abc.abstractmethod
    def hold_command(self, job_ids: Sequence[str]) -> Argv:
        """Keep waiting jobs from starting."""

    @abc.abstractmethod
    def release_command(self, job_ids: Sequence[str]) -> Argv:
        """Let held jobs start again."""

    @abc.abstractmethod
    def parse_change(self, result: CommandResult) -> None:
        """For hold and release. Raises AgentError with the scheduler's words."""

    @abc.abstractmethod
    def queues_command(self) -> Argv:
        """Ask for the queues and their limits."""

    @abc.abstractmethod
    def parse_queues(self, result: CommandResult) -> list[Queue]:
        """Raises AgentError."""

    @abc.abstractmethod
    def nodes_command(self) -> Argv:
        """Ask for the compute nodes."""

    @abc.abstractmethod
    def parse_nodes(self, result: CommandResult) -> list[Node]:
        """Each node once, sorted by name. Raises AgentError."""

    @abc.abstractmethod
    def version_command(self) -> Argv:
        """Ask for the version: cheap, and answers only if the commands are there."""

    @abc.abstractmethod
    def parse_version(self, result: CommandResult) -> str:
        """Raises AgentError."""

    def parent_id(self, job_id: str) -> str:
        """The id of the whole job that a task's id belongs to: ``10_3`` → ``10``."""
        return job_id.partition("_")[0]

    def task_of(self, job_id: str) -> int | None:
        """The task that an id names: ``10_3`` → 3; None for a whole job or a range."""
        task = job_id.partition("_")[2]
        return int(task) if task.isdecimal() and len(task) < 10 else None


def expand_path(path: str, job_id: str, task: int | None = None) -> str:
    """The file that an output path with ``%j``, ``%A``, ``%a``, ``%%`` means for a job or one of its tasks.

    ``%j`` is the id of the whole job on every cluster (Slurm's own ``%j`` differs between the tasks of an array,
    so ``submit_command`` writes ``%A`` there).
    """
    values = {"j": job_id, "A": job_id, "a": "" if task is None else str(task), "%": "%"}
    out, rest = "", path
    while rest:
        head, sign, rest = rest.partition("%")
        out += head
        if sign:
            out += values.get(rest[:1], "%" + rest[:1])
            rest = rest[1:]
    return out


def with_task(path: str, *, is_array: bool) -> str:
    """An array's output path holds ``%a``: without it the tasks would overwrite each other's output."""
    escapes: Iterable[str] = (part[:1] for part in path.replace("%%", "").split("%")[1:])
    return path if not is_array or "a" in escapes else f"{path}.%a"
