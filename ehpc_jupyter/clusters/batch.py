"""A cluster that is a batch system (what is said) behind a transport (how it gets there)."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from ehpc_jupyter.clusters import places, submission
from ehpc_jupyter.clusters.accounts import Accounts, connect_account
from ehpc_jupyter.clusters.base import Cluster, Fate, FoundJob, Prepared, Preview, Verdict
from ehpc_jupyter.errors import (
    AgentError,
    EhpcError,
    InvalidParams,
    ListFailure,
    Problem,
    ServiceUnavailable,
    SubmitFailure,
)
from ehpc_jupyter.models.job import JobState
from ehpc_jupyter.schedulers.base import CommandResult
from ehpc_jupyter.schedulers.local import LocalScheduler
from ehpc_jupyter.schedulers.slurm import SlurmScheduler
from ehpc_jupyter.transport.base import Completed, LostAnswer, command_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pydantic import SecretStr

    from ehpc_jupyter.models.actions import CreateJobRequest
    from ehpc_jupyter.models.cluster import ClusterProfile, Node, Queue
    from ehpc_jupyter.schedulers.base import Argv, JobReport, Scheduler
    from ehpc_jupyter.schedulers.script import TaskRecord
    from ehpc_jupyter.transport.base import FileInfo, Transport

#: How long after a lost answer a submission may still be on its way in a process that cannot be seen, seconds.
_LATE_S = 180.0
#: How long one that can be seen may be at it, seconds; after that it counts as another process with its number.
_AT_WORK_S = 3600.0


#: ``CANCELLED by 1001`` of sacct(1).
_BY_NUMBER = re.compile(r"cancelled by (\d+)")


class BatchCluster(Cluster):
    """A scheduler's commands over a transport, one connection an account.

    Args:
        profile: the cluster.
        connect: makes the transport of an account; by default SSH, or this machine if the profile has no host.
    """

    def __init__(
        self,
        profile: ClusterProfile,
        connect: Callable[[ClusterProfile, str | None, SecretStr | None], Transport] | None = None,
    ) -> None:
        self.profile = profile
        self._accounts = Accounts(profile, connect or connect_account)
        self._names: dict[str, str] = {}
        self._scheduler: Scheduler | None = _SCHEDULERS[profile.scheduler]() if profile.scheduler != "auto" else None

    def login(self, user: str | None, password: SecretStr | None) -> str:
        """See ``Cluster.login``."""
        return self._accounts.login(user, password)

    def _session(self, user: str) -> Transport:
        return self._accounts.session(user)

    def close(self) -> None:
        """Close all connections."""
        self._accounts.close()

    # --- the scheduler

    @property
    def scheduler(self) -> Scheduler:
        """The batch system; with ``auto``, looked for at the first use."""
        if self._scheduler is None:
            self._scheduler = self._discover()
        return self._scheduler

    def _discover(self) -> Scheduler:
        script = 'for name in sbatch qsub bsub; do command -v "$name" >/dev/null && echo "found $name"; done; exit 0\n'
        done = self._program("", script, again=True)
        found = [
            line.split()[1] for line in done.stdout.decode(errors="replace").splitlines() if line.startswith("found ")
        ]
        if "sbatch" in found:
            return SlurmScheduler()
        other = f"only {', '.join(found)}, which is not supported yet" if found else "neither sbatch nor qsub"
        raise AgentError(f"no scheduler was found on cluster {self.profile.name}: its PATH has {other}")

    @property
    def scheduler_type(self) -> str | None:
        """See ``Cluster.scheduler_type``."""
        return self._scheduler.api_type if self._scheduler else None

    def word(self, state: JobState) -> str:
        """See ``Cluster.word``."""
        return self._scheduler.words.get(state, state.value) if self._scheduler else state.value

    def _ask(self, argv: Argv, user: str = "", *, again: bool = True) -> CommandResult:
        return _decoded(self._session(user).run(argv, again=again))

    def _program(self, user: str, program: str, *, again: bool = False) -> Completed:
        done = self._session(user).run(submission.SHELL, stdin=(submission.HEAD + program).encode(), again=again)
        if done.exit_code == submission.HEADLESS:
            # A submit failure, since it is all that is asked for that would not be asked again.
            raise SubmitFailure(
                "a login profile of the account, such as ~/.bashrc, reads standard input; nothing was submitted. "
                "Put what reads it behind: case $- in *i*) … ;; esac"
            )
        return done

    def status(self, users: Sequence[str]) -> list[JobReport]:
        """See ``Cluster.status``."""
        return self.scheduler.parse_status(self._ask(self.scheduler.status_command(users)))

    def history(self, job_ids: Sequence[str]) -> list[JobReport]:
        """See ``Cluster.history``."""
        command = self.scheduler.history_command(job_ids)
        reports = self.scheduler.parse_history(self._ask(command)) if command else []
        return [self._with_name(report) for report in reports]

    def _with_name(self, report: JobReport) -> JobReport:
        """Who cancelled a job is an account's number in Slurm's accounting: its name says more."""
        match = _BY_NUMBER.fullmatch(report.reason or "")
        if not match:
            return report
        number = match[1]
        if number not in self._names:
            done = self._ask(("id", "-nu", "--", number))
            self._names[number] = done.stdout.strip() if done.exit_code == 0 else number
        return replace(report, reason=f"cancelled by {self._names[number]}")

    def stop(self, job_ids: Sequence[str], user: str) -> None:
        """See ``Cluster.stop``."""
        self.scheduler.parse_stop(self._ask(self.scheduler.stop_command(job_ids), user, again=False))

    def hold(self, job_ids: Sequence[str], user: str) -> None:
        """See ``Cluster.hold``."""
        self.scheduler.parse_change(self._ask(self.scheduler.hold_command(job_ids), user, again=False))

    def release(self, job_ids: Sequence[str], user: str) -> None:
        """See ``Cluster.release``."""
        self.scheduler.parse_change(self._ask(self.scheduler.release_command(job_ids), user, again=False))

    def parent_id(self, job_id: str) -> str:
        """See ``Cluster.parent_id``."""
        return self.scheduler.parent_id(job_id)

    def task_of(self, job_id: str) -> int | None:
        """See ``Cluster.task_of``."""
        return self.scheduler.task_of(job_id)

    def queues(self) -> list[Queue]:
        """See ``Cluster.queues``."""
        return self.scheduler.parse_queues(self._ask(self.scheduler.queues_command()))

    def nodes(self) -> list[Node]:
        """See ``Cluster.nodes``."""
        return self.scheduler.parse_nodes(self._ask(self.scheduler.nodes_command()))

    def version(self) -> str:
        """See ``Cluster.version``."""
        return self.scheduler.parse_version(self._ask(self.scheduler.version_command()))

    # --- submission

    def prepare(self, request: CreateJobRequest, request_id: str, day: str, user: str) -> Prepared:
        """See ``Cluster.prepare``."""
        name = submission.job_name(request)
        base = self._session(user).absolute(self.profile.jobs_folder)
        return self.prepare_in(request, request_id, f"{base}/{submission.folder_name(day, name, request_id)}", user)

    def prepare_in(self, request: CreateJobRequest, request_id: str, folder: str, user: str) -> Prepared:
        """See ``Cluster.prepare_in``."""
        name = submission.job_name(request)
        job = self._plan(Prepared(request, request_id, name, user, folder, "", "")).submission
        return Prepared(request, request_id, name, user, folder, job.stdout, job.stderr)

    def _plan(self, job: Prepared) -> submission.Plan:
        return submission.make_plan(
            job.request,
            request_id=job.request_id,
            name=job.name,
            folder=job.folder,
            home=self._session(job.user).home,
            scheduler=self.scheduler,
            step=self.profile.priority_step,
        )

    def submit(self, job: Prepared) -> str:
        """See ``Cluster.submit``: one round trip."""
        plan = self._plan(job)
        argv = self.scheduler.submit_command(plan.submission)
        program = submission.submit_program(plan, self.scheduler)
        done = self._program(job.user, program)
        outcome = submission.parse_outcome(done.stdout.decode(errors="replace"), argv)
        if outcome is None:
            raise LostAnswer(_decoded(done).words)
        if outcome.problems:
            raise InvalidParams(*outcome.problems)
        if outcome.refused is not None:
            raise SubmitFailure(outcome.refused)
        if outcome.submit is None:
            raise LostAnswer("an earlier attempt with this request id did not come to its end")
        try:
            return self.scheduler.parse_submit(outcome.submit)
        except ServiceUnavailable as error:
            # The scheduler did not answer its own command in time: it may have taken the job.
            raise LostAnswer(error.detail) from None

    def preview(self, job: Prepared) -> Preview:
        """See ``Cluster.preview``."""
        plan = self._plan(job)
        return Preview(submission.script_text(plan), command_line(self.scheduler.submit_command(plan.submission)))

    def test(self, job: Prepared) -> Verdict:
        """See ``Cluster.test``."""
        plan = self._plan(job)
        argv = self.scheduler.test_command(plan.submission)
        outcome = self._asked(job.user, submission.test_program(plan, self.scheduler, argv), argv or ())
        if outcome.problems or outcome.submit is None:
            return Verdict(outcome.problems)
        return Verdict(answer=self.scheduler.parse_test(outcome.submit))

    def recheck(self, job: Prepared) -> tuple[Problem, ...]:
        """See ``Cluster.recheck``."""
        return self._asked(job.user, submission.test_program(self._plan(job), self.scheduler, None), ()).problems

    def _asked(self, user: str, program: str, argv: Argv) -> submission.Outcome:
        done = self._program(user, program, again=True)
        outcome = submission.parse_outcome(done.stdout.decode(errors="replace"), argv)
        if outcome is None:
            raise AgentError(_decoded(done).words)
        return outcome

    def fate(self, request_id: str, folder: str, user: str, *, age_s: float) -> Fate:
        """See ``Cluster.fate``: ask the folder, then the scheduler, and only then decide."""
        outcome = self._asked(user, submission.probe_program(folder), ())
        if outcome.refused is not None:
            raise AgentError(outcome.refused)
        if outcome.state == "void" and not age_s:
            return Fate(JobState.NOT_SUBMITTED, reason="the request did not reach the cluster")
        if outcome.state == "unsent":
            return Fate(JobState.NOT_SUBMITTED, reason="the submission stopped before the scheduler was asked")
        refusal = "the submission stopped before the scheduler had it"
        if outcome.submit is not None:
            try:
                return Fate(JobState.QUEUED, self.scheduler.parse_submit(outcome.submit))
            except ServiceUnavailable as error:
                refusal = error.detail
            except EhpcError as error:
                return Fate(JobState.NOT_SUBMITTED, reason=error.detail)
        for report in self.status([self._session(user).user]):
            if report.token == request_id:
                return Fate(JobState.QUEUED, report.job_id)
        if outcome.state == "void":
            return Fate(JobState.NOT_SUBMITTED, reason="the request did not reach the cluster")
        # A scheduler that was asked may still take the job a little later; a process on another login node may still ask. One
        # that is seen at work (its scheduler hangs, say) is waited for.
        if age_s < (_AT_WORK_S if outcome.state == "running" else _LATE_S):
            return Fate(JobState.SUBMITTING, reason=refusal)
        return Fate(JobState.NOT_SUBMITTED, reason=refusal)

    # --- files

    def records(
        self, folders: Mapping[str, str], user: str, tasks: Mapping[str, Sequence[int]]
    ) -> dict[str, list[TaskRecord]]:
        """See ``Cluster.records``."""
        if not folders:
            return {}
        wanted = {folder: tasks.get(key) for key, folder in folders.items()}
        done = self._program(user, places.records_program(wanted), again=True)
        if done.exit_code:
            raise ListFailure(_decoded(done).words)
        by_folder = places.parse_records(_decoded(done).stdout)
        return {key: by_folder.get(folder, []) for key, folder in folders.items()}

    def found_jobs(self) -> list[FoundJob]:
        """See ``Cluster.found_jobs``."""
        session = self._session("")
        done = self._program("", places.folders_program(session.absolute(self.profile.jobs_folder)), again=True)
        folders = places.parse_folders(_decoded(done).stdout)
        if folders is None:
            raise ListFailure(_decoded(done).words)
        return [job for folder in folders if (job := self._found(folder, session.user)) is not None]

    def _found(self, folder: places.JobFolder, user: str) -> FoundJob | None:
        job_id = None
        if folder.receipt is not None:
            code, _, words = folder.receipt.partition("\n")
            try:
                job_id = self.scheduler.parse_submit(CommandResult((), int(code) if code.isdecimal() else 1, words, ""))
            except ServiceUnavailable:
                pass  # it may have been taken: to be looked into
            except EhpcError:
                return None  # the scheduler refused it
        return FoundJob(folder.request_id, folder.request, folder.path, user, folder.made_time, job_id)

    def remove_folders(self, folders: Sequence[str], user: str) -> dict[str, str]:
        """See ``Cluster.remove_folders``."""
        if not folders:
            return {}
        base = self._session(user).absolute(self.profile.jobs_folder)
        done = self._program(user, places.removal_program(folders, base), again=True)
        left = places.parse_removal(_decoded(done).stdout)
        if left is None:
            raise AgentError(_decoded(done).words)
        return left

    def read(self, path: str, user: str, offset: int, size: int) -> tuple[bytes, int]:
        """See ``Cluster.read``."""
        return self._session(user).read(path, offset, size)

    def list(self, path: str, user: str) -> list[FileInfo]:
        """See ``Cluster.list``."""
        return self._session(user).list(path)


def _decoded(done: Completed) -> CommandResult:
    # Schedulers print what users typed, in whatever encoding: a bad byte must not hide the rest.
    return CommandResult(
        done.argv, done.exit_code, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    )


_SCHEDULERS: dict[str, Callable[[], Scheduler]] = {
    "slurm": SlurmScheduler,
    "local": lambda: LocalScheduler(sys.executable),
}
