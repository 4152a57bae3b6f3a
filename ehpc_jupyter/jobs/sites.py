"""What all actions share: the configured clusters, their monitors, the store of jobs, and how a job or a cluster is found."""

from __future__ import annotations

import logging
import re
import sqlite3
import threading
import time
from typing import TYPE_CHECKING

from ehpc_jupyter.clusters.batch import BatchCluster
from ehpc_jupyter.errors import ClusterNotFound, InvalidClusterStatus, JobNotFound, ServiceUnavailable
from ehpc_jupyter.jobs import notes
from ehpc_jupyter.jobs.arrays import EndedTasks
from ehpc_jupyter.jobs.explain import explain
from ehpc_jupyter.jobs.monitor import Monitor
from ehpc_jupyter.jobs.store import JobStore, StoredJob
from ehpc_jupyter.jobs.submitter import Submitter
from ehpc_jupyter.models.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ehpc_jupyter.clusters.base import Cluster
    from ehpc_jupyter.models.cluster import ClusterProfile, Queue
    from ehpc_jupyter.models.job import JobDetail
    from ehpc_jupyter.schedulers.base import JobReport

log = logging.getLogger(__name__)

#: How long a cluster's queues are taken as known, seconds: limits change seldom.
_QUEUES_S = 60.0
#: Tasks in an id, as in ``10_3`` and ``10_[1-5:2]``; anything else could name other jobs, too.
_TASKS = re.compile(r"\d+|\[\d+(?:-\d+(?::\d+)?)?(?:,\d+(?:-\d+(?::\d+)?)?)*\]", re.ASCII)


class Sites:
    """The clusters and the jobs known here. Safe to use from several threads.

    Args:
        profiles: the clusters by name.
        store_path: the store's file.
        make_cluster: makes a cluster of a profile; ``BatchCluster`` unless a test says otherwise.
    """

    def __init__(
        self,
        profiles: Mapping[str, ClusterProfile],
        store_path: Path,
        make_cluster: Callable[[ClusterProfile], Cluster] = BatchCluster,
    ) -> None:
        self.profiles = dict(profiles)
        self._store_path = store_path
        self._store: JobStore | None = None
        self._submitter: Submitter | None = None
        self._takes_up = False
        self.answers: dict[str, tuple[str | None, str | None]] = {}
        """Cluster → its scheduler's version and why it did not answer, as of the last question of ListQueues or ListNodes."""
        self.grown: Callable[[], object] = lambda: None
        """Called when many more jobs are held in memory than before, from some thread."""
        self._make_cluster = make_cluster
        self._clusters: dict[str, Cluster] = {}
        self._monitors: dict[str, Monitor] = {}
        self._queues: dict[str, tuple[float, list[Queue]]] = {}
        self._listeners: list[Callable[[JobDetail], None]] = []
        self._lock = threading.RLock()

    @property
    def store(self) -> JobStore:
        """The store. One that cannot be opened is tried again with the next question: disks get room, folders get their owner.

        Raises:
            ServiceUnavailable: why it cannot be opened.
        """
        with self._lock:
            if self._store is None:
                try:
                    self._store = JobStore(self._store_path)
                except (OSError, sqlite3.Error) as error:
                    raise ServiceUnavailable(
                        f"the database of jobs, {self._store_path}, cannot be opened: {error}",
                        recommend="Mend that, or name another folder by c.EhpcExtension.data_dir.",
                    ) from None
                if self._takes_up:
                    self._take_up(self._store)
            return self._store

    @property
    def submitter(self) -> Submitter:
        """Submits jobs. Raises ServiceUnavailable: as ``store``."""
        with self._lock:
            if self._submitter is None:
                self._submitter = Submitter(self.store, self)
            return self._submitter

    def start(self) -> None:
        """Take up the jobs that an earlier process left; if the store cannot be opened now, when it can."""
        self._takes_up = True
        try:
            if self._store is None:
                _ = self.store
            else:
                self._take_up(self._store)
        except ServiceUnavailable as error:
            log.error("%s", error.detail)  # noqa: TRY400 - a traceback says nothing more

    def _take_up(self, store: JobStore) -> None:
        enabled = [name for name, profile in self.profiles.items() if profile.enabled]
        notes.plan_rebuild(store, enabled)
        for name in {*store.active_clusters(), *notes.rebuilding(store)} & set(enabled):
            self.monitor(name).wake(now=True)

    def subscribe(self, listener: Callable[[JobDetail], None]) -> None:
        """Call ``listener`` with every job that changes, from some thread."""
        self._listeners.append(listener)

    def tell(self, detail: JobDetail) -> None:
        """Tell whoever listens that a job changed."""
        detail = self.dressed(detail)
        for listener in self._listeners:
            try:
                listener(detail)
            except Exception:
                log.exception("a listener to job changes failed")

    def close(self) -> None:
        """Stop watching, close connections and the store. Jobs are not touched."""
        with self._lock:
            monitors, clusters = list(self._monitors.values()), list(self._clusters.values())
            self._monitors.clear()
            self._clusters.clear()
        for monitor in monitors:
            monitor.close()
        for cluster in clusters:
            cluster.close()
        if self._store is not None:
            self._store.close()

    # --- clusters

    def profile(self, name: str) -> ClusterProfile:
        """A cluster as configured. Raises ClusterNotFound."""
        if name not in self.profiles:
            raise ClusterNotFound(f"{name!r} is not configured{did_you_mean(name, self.profiles)}")
        return self.profiles[name]

    def cluster(self, name: str) -> Cluster:
        """The cluster of that name; it is connected to when something is asked of it. Raises ClusterNotFound."""
        with self._lock:
            if name not in self._clusters:
                self._clusters[name] = self._make_cluster(self.profile(name))
            return self._clusters[name]

    def reach(self, name: str) -> Cluster:
        """The cluster of that name, to ask it something. Raises ClusterNotFound, InvalidClusterStatus."""
        if not self.profile(name).enabled:
            raise InvalidClusterStatus(
                f"cluster {name} is stopped: it is disabled in the configuration",
                recommend=f"Take 'enabled: False' out of c.EhpcExtension.clusters['{name}'].",
            )
        return self.cluster(name)

    def known_queues(self, name: str) -> list[Queue]:
        """The queues as last seen. Nobody waits for them: what is not known is left to the scheduler to refuse."""
        seen, queues = self._queues.get(name, (0.0, []))
        return queues if time.monotonic() - seen < _QUEUES_S else []

    def keep_queues(self, name: str, queues: list[Queue]) -> None:
        """For ``known_queues``."""
        self._queues[name] = (time.monotonic(), queues)

    # --- monitors

    def monitor(self, name: str) -> Monitor:
        """The one that watches a cluster."""
        with self._lock:
            if name not in self._monitors:
                self._monitors[name] = Monitor(self.cluster(name), self.store, self.tell, lambda: self.grown())
            return self._monitors[name]

    def monitor_if_any(self, name: str) -> Monitor | None:
        """The same, where something was watched already."""
        return self._monitors.get(name)

    def wake(self, name: str, *, now: bool = False) -> None:
        """Have the cluster's monitor look."""
        self.monitor(name).wake(now=now)

    def in_hand(self, name: str) -> set[str]:
        """See ``submitter.Host``."""
        return self.monitor(name).in_hand

    # --- jobs

    def word(self, detail: JobDetail) -> str:
        """The scheduler's word for a job's state."""
        return detail.native_state or self.cluster(detail.cluster_id).word(detail.state)

    def job(self, cluster_id: str, job_id: str) -> StoredJob:
        """The job that an id, or the id of some of its tasks, names. Raises ClusterNotFound, JobNotFound."""
        profile = self.profile(cluster_id)
        job = self.store.by_id(profile.name, job_id)
        if job is None and (task := job_id.rpartition("_")[2]) and _TASKS.fullmatch(task):
            job = self.store.by_id(profile.name, self.cluster(profile.name).parent_id(job_id))
        if job is None:
            raise JobNotFound(f"no job {job_id} was submitted from here to cluster {profile.name}")
        return job

    def job_files(self, cluster_id: str, job_id: str) -> tuple[StoredJob, Cluster]:
        """A job and its cluster, for reading its files. Raises ClusterNotFound, JobNotFound, InvalidClusterStatus."""
        return self.job(cluster_id, job_id), self.reach(cluster_id)

    def shown(self, job: StoredJob) -> JobDetail:
        """A job as shown: looking at one that may change wakes its monitor."""
        if not job.detail.is_final and self.profile(job.cluster_id).enabled:
            self.monitor(job.cluster_id).wake()
        return self.dressed(job.detail)

    def dressed(self, detail: JobDetail) -> JobDetail:
        """A job with what is said of it in plain words, and of one that may change how old that is and why."""
        explanation, advice = explain(detail)
        more: dict[str, object] = {"explanation": explanation, "advice": advice}
        monitor = self.monitor_if_any(detail.cluster_id)
        if monitor is not None and not detail.is_final:
            more |= {"checked_time": monitor.checked_time, "stale_reason": monitor.stale_reason(detail.request_id)}
        return detail.model_copy(update=more)

    def array(self, job: StoredJob) -> tuple[Sequence[JobReport], EndedTasks]:
        """What the queue last said of an array's tasks, and how others ended."""
        queue, ended = self.monitor(job.cluster_id).array(job.request_id)
        return queue, ended or EndedTasks(str(job.detail.array_request), notes.ended_tasks(self.store, job.request_id))
