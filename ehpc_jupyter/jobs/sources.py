"""The second and third source of what is known of a job: the records that its tasks wrote into its folder, and the accounting."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from ehpc_jupyter.errors import EhpcError
from ehpc_jupyter.transport.base import LoginRefused, LostAnswer, Unreachable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ehpc_jupyter.clusters.base import Cluster
    from ehpc_jupyter.jobs.arrays import EndedTasks
    from ehpc_jupyter.jobs.store import StoredJob
    from ehpc_jupyter.schedulers.base import JobReport
    from ehpc_jupyter.schedulers.script import TaskRecord

    #: A job, what the queue says of it, and for an array how its tasks ended.
    Open = tuple[StoredJob, Sequence[JobReport], EndedTasks | None]
    #: By request id, by job id, and request id → why nothing could be learnt of it.
    Learnt = tuple[dict[str, list[TaskRecord]], dict[str, list[JobReport]], dict[str, str]]

log = logging.getLogger(__name__)

#: How long an account whose login was refused is left alone, seconds: sites shut out who tries again and again.
_REFUSED_S = 300.0
#: How long an accounting that failed is left alone, at first and at most, seconds.
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 5.0, 300.0
#: Ids in one question to the accounting: far below any limit of a command line.
_BATCH = 500
#: Records of an array that are asked for by name; of more, all are read.
_NAMED_TASKS = 500


class Sources:
    """Asks them, and leaves them alone for a while when they fail.

    Args:
        cluster: whose they are.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._refused: dict[str, tuple[float, LoginRefused]] = {}
        self._history_failure: tuple[float, float, EhpcError] | None = None

    def try_all_again(self) -> None:
        """Leave nobody alone any more."""
        self._refused.clear()
        self._history_failure = None

    def ask(self, jobs: Sequence[Open]) -> Learnt:
        """What the folders and, where they do not suffice, the accounting say of jobs that the queue left open.

        Raises:
            EhpcError: the folders could not be read for a reason that concerns all jobs.
        """
        records, refused = self._records(jobs)
        lacking = [
            job
            for job, queue, ended in jobs
            if job.request_id in records and _lacks(queue, ended, records[job.request_id])
        ]
        history: dict[str, list[JobReport]] = {}
        try:
            history = self._asked_history([str(job.detail.job_id) for job in lacking])
        except (LostAnswer, Unreachable):
            raise
        except EhpcError as error:
            # The queue works: nothing is said against the other jobs. Of these nobody can say how they ended.
            refused |= {job.request_id: error.detail for job in lacking}
        return records, history, refused

    def history(self, job_ids: Sequence[str]) -> dict[str, list[JobReport]]:
        """What the accounting says of jobs; nothing if it does not answer."""
        try:
            return self._asked_history(job_ids)
        except EhpcError as error:
            log.info("the accounting of cluster %s: %s", self._cluster.profile.name, error.detail)
            return {}

    def _asked_history(self, job_ids: Sequence[str]) -> dict[str, list[JobReport]]:
        found: dict[str, list[JobReport]] = {}
        if not job_ids:
            return found
        until, pause, error = self._history_failure or (0.0, 0.0, None)
        if error is not None and time.monotonic() < until:
            raise error
        try:
            for start in range(0, len(job_ids), _BATCH):
                for report in self._cluster.history(job_ids[start : start + _BATCH]):
                    found.setdefault(report.job_id, []).append(report)
        except EhpcError as failure:
            pause = min(_LONGEST_PAUSE_S, 2 * pause or _FIRST_PAUSE_S)
            self._history_failure = (time.monotonic() + pause, pause, failure)
            raise
        self._history_failure = None
        return found

    def _records(self, jobs: Sequence[Open]) -> tuple[dict[str, list[TaskRecord]], dict[str, str]]:
        found: dict[str, list[TaskRecord]] = {}
        refused: dict[str, str] = {}
        for user in sorted({job.login_user for job, _, _ in jobs}):
            own = [item for item in jobs if item[0].login_user == user]
            folders = {job.request_id: job.detail.folder for job, _, _ in own if job.detail.folder}
            tasks: dict[str, list[int]] = {}
            for job, queue, ended in own:
                if ended is not None:
                    numbers = ended.numbers(ended.missing(queue) | ended.without_exit_code(), _NAMED_TASKS)
                    if numbers is not None:
                        tasks[job.request_id] = numbers
            try:
                answer = self._asked_records(folders, user, tasks)
            except LoginRefused as error:
                if not user:
                    raise
                # One account that is shut (its password went with an earlier process) says nothing of the others' jobs.
                refused |= {job.request_id: error.detail for job, _, _ in own}
                continue
            found |= {job.request_id: answer.get(job.request_id, []) for job, _, _ in own}
            for _, _, ended in own:
                if ended is not None:
                    ended.asked(ended.without_exit_code())
        return found, refused

    def _asked_records(
        self, folders: dict[str, str], user: str, tasks: dict[str, list[int]]
    ) -> dict[str, list[TaskRecord]]:
        until, refusal = self._refused.get(user, (0.0, None))
        if refusal is not None and time.monotonic() < until:
            raise refusal
        try:
            return self._cluster.records(folders, user, tasks)
        except LoginRefused as error:
            self._refused[user] = (time.monotonic() + _REFUSED_S, error)
            raise


def _lacks(queue: Sequence[JobReport], ended: EndedTasks | None, records: Sequence[TaskRecord]) -> bool:
    """Whether the accounting has to be asked: a record that says 0 is enough; of any other end it does not know the cause."""
    done = {record.task for record in records if record.exit_code == 0}
    if ended is None:
        return not queue and not done
    missing = ended.missing(queue)
    return len(missing) > len(done) or any(number not in done for number in ended.numbers(missing, len(done)) or ())
