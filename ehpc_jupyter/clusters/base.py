"""What a cluster of any kind can do, as the job service asks it. Synchronous; every call has a time-out."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import SecretStr

    from ehpc_jupyter.errors import Problem
    from ehpc_jupyter.models.actions import CreateJobRequest
    from ehpc_jupyter.models.cluster import ClusterProfile, Node, Queue
    from ehpc_jupyter.models.job import JobState
    from ehpc_jupyter.schedulers.base import JobReport, TrialAnswer
    from ehpc_jupyter.schedulers.script import TaskRecord
    from ehpc_jupyter.transport.base import FileInfo


@dataclass(frozen=True)
class Prepared:
    """A job whose place on the cluster is known and to which nothing was done yet.

    Attributes:
        request: valid.
        request_id: names its folder.
        name: the job's name.
        user: the account that submits.
        folder: absolute.
        stdout: absolute, with ``%j`` and ``%a`` in it.
        stderr: likewise.
    """

    request: CreateJobRequest
    request_id: str
    name: str
    user: str
    folder: str
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Fate:
    """What became of a submission whose answer was lost.

    Attributes:
        state: SUBMITTING: not known yet; QUEUED: there is a job, ``job_id``; NOT_SUBMITTED: there is none and never will be.
        job_id: the scheduler's.
        reason: why there is none, in the scheduler's words if it said any.
    """

    state: JobState
    job_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class FoundJob:
    """A job as its folder shows it.

    Attributes:
        request_id: the request that made it.
        request: wire names, without secrets.
        folder: absolute.
        user: the account it lies with.
        submit_time: when the folder was made, UNIX seconds.
        job_id: the scheduler's; None if its answer was lost.
    """

    request_id: str
    request: dict[str, Any]
    folder: str
    user: str
    submit_time: int
    job_id: str | None


@dataclass(frozen=True)
class Preview:
    """A job as the scheduler would get it.

    Attributes:
        script: the batch script.
        command: the command line that submits it.
    """

    script: str
    command: str


@dataclass(frozen=True)
class Verdict:
    """What a cluster says to a job that it is only asked about.

    Attributes:
        problems: what its checks found.
        answer: the scheduler's; None if it was not asked, because of those problems or because it cannot be asked.
    """

    problems: tuple[Problem, ...] = ()
    answer: TrialAnswer | None = None


class Cluster(abc.ABC):
    """A cluster."""

    profile: ClusterProfile

    @property
    @abc.abstractmethod
    def scheduler_type(self) -> str | None:
        """The API's word for its batch system; None while it is not known."""

    def word(self, state: JobState) -> str:
        """The batch system's word for a state that it did not say itself."""
        return state.value

    @abc.abstractmethod
    def login(self, user: str | None, password: SecretStr | None) -> str:
        """Open (or find open) the connection of an account; the profile's own if None. Returns the account's name."""

    @abc.abstractmethod
    def prepare(self, request: CreateJobRequest, request_id: str, day: str, user: str) -> Prepared:
        """Find out where a job would lie. Changes nothing."""

    @abc.abstractmethod
    def prepare_in(self, request: CreateJobRequest, request_id: str, folder: str, user: str) -> Prepared:
        """The same for a job whose folder is known, absolute."""

    @abc.abstractmethod
    def found_jobs(self) -> list[FoundJob]:
        """The jobs whose folders lie where the profile's own account has them, by one question."""

    @abc.abstractmethod
    def submit(self, job: Prepared) -> str:
        """Submit once and return the job's id.

        Raises:
            InvalidParams: the cluster's checks found something; nothing was submitted.
            SubmitFailure: the scheduler refused it, in its words; nothing was submitted.
            Unreachable: nothing was sent.
            LostAnswer: it may or may not have been submitted: ask ``fate``.
        """

    @abc.abstractmethod
    def preview(self, job: Prepared) -> Preview:
        """What ``submit`` would hand to the scheduler. Asks and changes nothing."""

    @abc.abstractmethod
    def test(self, job: Prepared) -> Verdict:
        """What the cluster's checks and the scheduler say to a job, by one round trip; nothing is submitted."""

    @abc.abstractmethod
    def recheck(self, job: Prepared) -> tuple[Problem, ...]:
        """What the cluster's checks find now, of a job that was submitted."""

    @abc.abstractmethod
    def fate(self, request_id: str, folder: str, user: str, *, age_s: float) -> Fate:
        """What became of a submission whose answer was lost ``age_s`` seconds ago."""

    @abc.abstractmethod
    def status(self, users: Sequence[str]) -> list[JobReport]:
        """All jobs of these accounts that the scheduler still knows, by one question."""

    @abc.abstractmethod
    def history(self, job_ids: Sequence[str]) -> list[JobReport]:
        """What the accounting knows of these jobs; nothing where there is none."""

    @abc.abstractmethod
    def records(
        self, folders: Mapping[str, str], user: str, tasks: Mapping[str, Sequence[int]]
    ) -> dict[str, list[TaskRecord]]:
        """What the tasks of jobs wrote about themselves, by one question.

        Args:
            folders: key → the job's folder.
            user: the account they belong to.
            tasks: key → the tasks of an array that are wanted; all where there is no entry.

        Returns:
            key → records.
        """

    @abc.abstractmethod
    def stop(self, job_ids: Sequence[str], user: str) -> None:
        """Stop jobs of one account. Raises StopFailure."""

    @abc.abstractmethod
    def hold(self, job_ids: Sequence[str], user: str) -> None:
        """Keep waiting jobs or tasks of one account from starting. Raises AgentError."""

    @abc.abstractmethod
    def release(self, job_ids: Sequence[str], user: str) -> None:
        """Let held jobs or tasks of one account start again. Raises AgentError."""

    @abc.abstractmethod
    def parent_id(self, job_id: str) -> str:
        """The id of the whole job that a task's id belongs to."""

    @abc.abstractmethod
    def task_of(self, job_id: str) -> int | None:
        """The task that an id names."""

    @abc.abstractmethod
    def queues(self) -> list[Queue]:
        """The queues and their limits."""

    @abc.abstractmethod
    def nodes(self) -> list[Node]:
        """The compute nodes, sorted by name."""

    @abc.abstractmethod
    def version(self) -> str:
        """The batch system's version; shows that the cluster answers."""

    @abc.abstractmethod
    def read(self, path: str, user: str, offset: int, size: int) -> tuple[bytes, int]:
        """A part of a file and the file's size. Raises NoSuchFile."""

    @abc.abstractmethod
    def list(self, path: str, user: str) -> list[FileInfo]:
        """What is in a folder. Raises NoSuchFile."""

    @abc.abstractmethod
    def remove_folders(self, folders: Sequence[str], user: str) -> dict[str, str]:
        """Remove jobs' folders; one that is gone already is removed.

        Returns:
            folder → why it was left as it is, for those that are still there: it does not lie where the jobs' folders are made,
            nothing shows that submission made it, or the file system refused.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """Let go of all connections."""
