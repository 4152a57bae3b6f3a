"""One look at a cluster's jobs: the queue first, then, of what it leaves open, the jobs' own folders and the accounting.

One question to the queue for all jobs; one to each account's folders and one to the accounting, and only about jobs that the
queue forgot or that ended. What is the same as at the last look costs nothing.
"""

from __future__ import annotations

import logging
import re
import time
from typing import TYPE_CHECKING

from ehpc_jupyter.errors import EhpcError, ServiceUnavailable
from ehpc_jupyter.jobs import notes
from ehpc_jupyter.jobs.afterlook import Afterlook
from ehpc_jupyter.jobs.arrays import EndedTasks
from ehpc_jupyter.jobs.sources import Sources
from ehpc_jupyter.jobs.summary import is_open, summarise, summarise_array, with_job_id, with_times
from ehpc_jupyter.jobs.watched import Watched
from ehpc_jupyter.models.job import JobState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ehpc_jupyter.clusters.base import Cluster
    from ehpc_jupyter.jobs.store import JobStore, StoredJob
    from ehpc_jupyter.models.job import JobDetail
    from ehpc_jupyter.schedulers.base import JobReport
    from ehpc_jupyter.schedulers.script import TaskRecord

    #: What is now known of a job, and who said so.
    Change = tuple[JobDetail, str]
    #: A job and what the queue says of it.
    Asked = tuple[StoredJob, tuple[JobReport, ...]]

log = logging.getLogger(__name__)

#: Of a job that nobody knows any more: how long until the others are asked about it again, at most, seconds.
_LONGEST_PAUSE_S = 3600.0
#: Arrays that are remembered after their end, for their tasks' sake.
_ARRAYS = 200
#: A request id of ours; a site may write into the comment, too.
_TOKEN = re.compile(r"[0-9a-f]{32}")


def _anothers(token: str | None, request_id: str) -> bool:
    return token is not None and token != request_id and _TOKEN.fullmatch(token) is not None


class Look:
    """What is known of one cluster's jobs from one look to the next. Belongs to the monitor's thread.

    Args:
        cluster: the cluster.
        store: where what is learnt is kept.
        in_hand: requests that are just being submitted: what becomes of them is not to be looked into.

    Attributes:
        watched: the jobs.
        stale: request id → why nothing new is known of that job, where others are known of.
    """

    def __init__(self, cluster: Cluster, store: JobStore, in_hand: set[str]) -> None:
        self._cluster = cluster
        self._store = store
        self._in_hand = in_hand
        self.watched = Watched(store, cluster.profile.name)
        self.stale: dict[str, str] = {}
        self._sources = Sources(cluster)
        self._afterlook = Afterlook(cluster, store)
        self._seen: dict[str, tuple[JobReport, ...]] = {}
        self._ended: dict[str, EndedTasks] = {}
        self._pauses: dict[str, tuple[float, float]] = {}
        self._strangers: set[str] = set()
        self._answers_since = time.monotonic()

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to know."""
        return not self.watched.jobs and not self._afterlook.job_ids()

    def try_all_again(self) -> None:
        """A person asks: what was put off is asked at once."""
        self._sources.try_all_again()
        self._pauses.clear()

    def array(self, request_id: str) -> tuple[Sequence[JobReport], EndedTasks | None]:
        """What the queue last said of an array's tasks, and how others ended. May be called from any thread."""
        return self._seen.get(request_id, ()), self._ended.get(request_id)

    # --- submissions whose answer was lost

    def failed(self) -> None:
        """The cluster did not answer."""
        self._answers_since = time.monotonic()

    def _age(self, age_s: float) -> float:
        """How long a submission has had to show itself, seconds: a scheduler that hung works off what it was asked when it wakes,
        in any order; and a clock may have been set."""
        answering = max(1.0, time.monotonic() - self._answers_since)
        return min(age_s, answering) if age_s > 0 else answering

    def settle(self) -> list[JobDetail]:
        """Find out what became of submissions whose answer was lost; the jobs that changed."""
        changes: list[Change] = []
        for job in list(self.watched.jobs.values()):
            age = time.time() - (job.detail.submit_time or 0)
            if (
                job.detail.job_id is not None
                or job.request_id in self._in_hand
                or job.detail.folder is None
                or 0 <= age < self._cluster.profile.command_timeout_s / 4
            ):
                continue
            try:
                fate = self._cluster.fate(job.request_id, job.detail.folder, job.login_user, age_s=self._age(age))
            except ServiceUnavailable:
                raise
            except EhpcError as error:
                self.stale[job.request_id] = error.detail
                continue
            self.stale.pop(job.request_id, None)
            if fate.job_id is not None:
                detail = with_job_id(job.detail, fate.job_id)
            else:
                detail = job.detail.model_copy(update={"state": fate.state, "reason": fate.reason})
            if detail != job.detail:
                changes.append((detail, "folder"))
        return self.watched.store(changes)

    # --- jobs

    def look(self) -> list[JobDetail]:
        """Ask once and store what changed; the jobs that did.

        Raises:
            EhpcError: the queue did not answer; nothing may be concluded of any job.
        """
        jobs = [job for job in self.watched.jobs.values() if job.detail.job_id is not None]
        asked: list[Asked] = []
        changes: list[Change] = []
        if any(not self._is_put_off(job) or job.detail.state is not JobState.UNKNOWN for job in jobs):
            by_id = self._queue(jobs)
            changes += self._adopt(by_id)
            asked = [(job, queue) for job in jobs if (queue := self._news(job, by_id)) is not None]
        changes += self._changes(asked)
        stored = self.watched.store(changes)
        for job, queue in asked:
            self._remember(job, queue)
        for detail in stored:
            self._afterlook.take(detail)
        return stored + self._afterlook.look(self._sources.history(self._afterlook.job_ids()))

    def _is_put_off(self, job: StoredJob) -> bool:
        return self._pauses.get(job.request_id, (0.0, 0.0))[0] > time.monotonic()

    def _queue(self, jobs: Iterable[StoredJob]) -> dict[str, list[JobReport]]:
        users = sorted({job.login_user or self._cluster.login(None, None) for job in jobs})
        by_id: dict[str, list[JobReport]] = {}
        for report in self._cluster.status(users):
            by_id.setdefault(report.job_id, []).append(report)
        return by_id

    def _news(self, job: StoredJob, by_id: dict[str, list[JobReport]]) -> tuple[JobReport, ...] | None:
        """What the queue says of a job; None when nothing has to be done about it."""
        # A scheduler that was set up anew counts its ids from 1 again: another request's job is not this one.
        reports = by_id.get(str(job.detail.job_id), ())
        queue = tuple(report for report in reports if not _anothers(report.token, job.request_id))
        same = queue == self._seen.get(job.request_id) and job.request_id not in self.stale
        return None if same and (job.request_id not in self._pauses or self._is_put_off(job)) else queue

    def _adopt(self, by_id: dict[str, list[JobReport]]) -> list[Change]:
        """Jobs of ours that were given up, or whose answer was lost, and that the scheduler has all the same."""
        changes: list[Change] = []
        for job_id, (report, *_) in by_id.items():
            token = report.token
            if token is None or token in self._strangers or token in self._in_hand or not _TOKEN.fullmatch(token):
                continue
            known = self.watched.jobs.get(token)
            # What is in memory may be from before a submission that has just come to its end.
            job = None if known is not None and known.detail.job_id is not None else self._store.by_request(token)
            self._strangers.add(token)
            if job is not None and job.cluster_id == self._cluster.profile.name and job.detail.job_id is None:
                log.warning("request %s is job %s after all", token, job_id)
                changes.append((with_job_id(job.detail, job_id), "queue"))
        return changes

    def _changes(self, asked: list[Asked]) -> list[Change]:
        arrays = {job.request_id: self._ended_tasks(job, queue) for job, queue in asked if job.detail.array_request}
        left = [
            (job, queue, arrays.get(job.request_id))
            for job, queue in asked
            if not self._is_put_off(job) and is_open(queue, arrays.get(job.request_id))
        ]
        for job, _, _ in left:
            self.stale.pop(job.request_id, None)
        asked_now = {job.request_id for job, _, _ in left}
        records, history, refused = self._sources.ask(left)
        self.stale.update(refused)
        done: list[Change] = []
        for job, queue in asked:
            if job.request_id in refused:
                continue
            found, past = records.get(job.request_id, []), history.get(str(job.detail.job_id), [])
            ended = arrays.get(job.request_id)
            if ended is not None:
                before = str(ended)
                started = {r.task: r for r in found if r.task is not None}
                ended.learn(queue, past, started)
                if job.request_id in asked_now:
                    self._note_stopped(job, queue, ended, started)
                if str(ended) != before or found or past:
                    notes.keep_ended_tasks(self._store, job.request_id, str(ended))
                detail = with_times(summarise_array(job.detail, queue, ended), found)
                source = "history" if past else "folder" if found else "queue"
            elif not queue and self._is_put_off(job):
                continue
            else:
                detail, source = summarise(job.detail, queue, past, found)
                if not (queue or past or found) and notes.told_to_stop(self._store, job.request_id):
                    # It never started, and the scheduler took the order to stop it.
                    detail = detail.model_copy(update={"state": JobState.CANCELLED, "reason": None})
            if detail != job.detail:
                done.append((detail, source))
        return done

    def _note_stopped(
        self, job: StoredJob, queue: Sequence[JobReport], ended: EndedTasks, started: Mapping[int, TaskRecord]
    ) -> None:
        missing = ended.missing(queue)
        if missing and (told := notes.told_to_stop(self._store, job.request_id)):
            begun = ended.read(",".join(str(task) for task in started))
            chosen = ended.array.all if "" in told else ended.read(",".join(told))
            ended.stopped((missing & chosen) - begun)

    def _ended_tasks(self, job: StoredJob, queue: Sequence[JobReport]) -> EndedTasks:
        ended = self._ended.pop(job.request_id, None)
        if ended is None:
            ended = EndedTasks(str(job.detail.array_request), notes.ended_tasks(self._store, job.request_id))
        self._ended[job.request_id] = ended  # whose turn was last is last
        before = str(ended)
        ended.learn(queue)
        if str(ended) != before:
            notes.keep_ended_tasks(self._store, job.request_id, str(ended))
        return ended

    def _remember(self, job: StoredJob, queue: tuple[JobReport, ...]) -> None:
        """What was said, so that the same said again costs nothing; and what was left open is put off, longer each time."""
        name = job.request_id
        self._seen.pop(name, None)
        self._seen[name] = queue
        alive = name in self.watched.jobs
        if not alive:
            self._pauses.pop(name, None)
            if job.detail.array_request is None:
                del self._seen[name]
        elif name not in self.stale and is_open(queue, self._ended.get(name)):
            last = self._pauses.get(name, (0.0, 0.0))[1]
            pause = min(_LONGEST_PAUSE_S, 2 * last or self._cluster.profile.poll_interval_s)
            self._pauses[name] = (time.monotonic() + pause, pause)
        else:
            self._pauses.pop(name, None)
        for oldest in [name for name in self._ended if name not in self.watched.jobs][:-_ARRAYS]:
            self._ended.pop(oldest)
            self._seen.pop(oldest, None)
