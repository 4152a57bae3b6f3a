"""One method per API action: the only thing that knows the whole story. Synchronous; the server calls it from threads."""

from __future__ import annotations

import atexit
import base64
import logging
import re
import sqlite3
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

from ehpc_jupyter.clusters.batch import BatchCluster
from ehpc_jupyter.errors import (
    ActionNotFound,
    ClusterNotFound,
    EhpcError,
    InvalidParams,
    JobNotFound,
    Problem,
    ServiceUnavailable,
    StopFailure,
)
from ehpc_jupyter.jobs import answers
from ehpc_jupyter.jobs.monitor import Monitor
from ehpc_jupyter.jobs.store import JobStore, StoredJob
from ehpc_jupyter.jobs.submitter import Submitter
from ehpc_jupyter.models import actions
from ehpc_jupyter.models.suggest import did_you_mean
from ehpc_jupyter.models.values import ArrayRange
from ehpc_jupyter.schedulers.base import expand_path
from ehpc_jupyter.settings import load_settings
from ehpc_jupyter.transport.base import NoSuchFile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ehpc_jupyter.clusters.base import Cluster
    from ehpc_jupyter.models.base import WireModel
    from ehpc_jupyter.models.cluster import ClusterProfile, Queue
    from ehpc_jupyter.models.job import JobDetail

log = logging.getLogger(__name__)

#: How long a cluster's queues are taken as known, seconds: limits change seldom.
_QUEUES_S = 60.0
#: Tasks in an id, as in ``10_3`` and ``10_[1-5:2]``; anything else could name other jobs, too.
_TASKS = re.compile(r"\d+|\[\d+(?:-\d+(?::\d+)?)?(?:,\d+(?:-\d+(?::\d+)?)?)*\]", re.ASCII)
_OWN: list[JobService] = []
_OWN_LOCK = threading.Lock()


class JobService:
    """All actions over all configured clusters.

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
        self._profiles = dict(profiles)
        self._store = JobStore(store_path)
        self._make_cluster = make_cluster
        self._clusters: dict[str, Cluster] = {}
        self._monitors: dict[str, Monitor] = {}
        self._answers: dict[str, tuple[str | None, str | None]] = {}
        self._queues: dict[str, tuple[float, list[Queue]]] = {}
        self._listeners: list[Callable[[JobDetail], None]] = []
        self._lock = threading.RLock()
        self._submitter = Submitter(self._store, self)

    @classmethod
    def from_config(cls) -> JobService:
        """This process's one service, as Jupyter's configuration files say: for a kernel without a server."""
        with _OWN_LOCK:
            if not _OWN:
                settings = load_settings()
                service = cls(settings.profiles(), settings.store_path())
                service.start()
                atexit.register(service.close)
                _OWN.append(service)
            return _OWN[0]

    def start(self) -> None:
        """Take up the jobs that an earlier process left."""
        for name in self._store.active_clusters():
            if name in self._profiles:
                self._monitor(name).wake(now=True)

    def subscribe(self, listener: Callable[[JobDetail], None]) -> None:
        """Call ``listener`` with every job that changes, from some thread."""
        self._listeners.append(listener)

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
        self._store.close()

    def call(self, action: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out an action, JSON in and out, wire names. The answer has a ``RequestId``.

        Raises:
            EhpcError: with ``request_id`` set.
        """
        request_id = str(body.get("RequestId") or new_request_id()) if isinstance(body, dict) else new_request_id()
        try:
            if action not in ACTIONS:
                raise ActionNotFound(f"{action!r}{did_you_mean(action, ACTIONS)}")
            model, method = ACTIONS[action]
            if not isinstance(body, dict):
                raise InvalidParams(Problem("request", "it is no JSON object"))
            request = model.from_wire({name: value for name, value in body.items() if name != "RequestId"})
            answer: actions.Answer = method(self, request)
        except EhpcError as error:
            error.request_id = error.request_id or request_id
            raise
        except sqlite3.Error as error:
            failure = ServiceUnavailable(f"the database of jobs, {self._store.path}: {error}")
            failure.request_id = request_id
            raise failure from None
        return answer.model_copy(update={"request_id": request_id}).to_wire()

    # --- the actions

    def create_job(self, request: actions.CreateJobRequest) -> actions.CreateJobResponse:
        """CreateJob: see ``Submitter``."""
        return actions.CreateJobResponse(job_id=self._submitter.submit(request))

    def get_job(self, request: actions.GetJobRequest) -> actions.GetJobResponse:
        """GetJob: from the store; the monitor keeps it true."""
        job, _ = self._job(request.cluster_id, request.job_id)
        return actions.GetJobResponse(job_info=answers.job_info(job, self._shown(job)))

    def list_jobs(self, request: actions.ListJobsRequest) -> actions.ListJobsResponse:
        """ListJobs: from the store."""
        profile = self._profile(request.cluster_id)
        jobs, total = self._store.page(profile.name, request.job_filter, request.page_number, request.page_size)
        return actions.ListJobsResponse(
            page_number=request.page_number,
            page_size=request.page_size,
            total_count=total,
            jobs=tuple(answers.listed_job(job, self._shown(job)) for job in jobs),
        )

    def get_job_log(self, request: actions.GetJobLogRequest) -> actions.GetJobLogResponse:
        """GetJobLog: only the bytes asked for are read."""
        job, cluster = self._job(request.cluster_id, request.job_id)
        task = request.task_id if request.task_id is not None else cluster.task_of(request.job_id)
        if task is None and request.job_id != job.detail.job_id:
            raise InvalidParams(
                Problem("JobId", f"{request.job_id} names no single task; give the job's id and TaskId")
            )
        if job.detail.array_request:
            tasks = ArrayRange.parse(job.detail.array_request)
            if task is not None and task not in tasks:
                raise InvalidParams(Problem("TaskId", f"the array {tasks} has no task {task}"))
            task = tasks.first if task is None else task
        values: dict[str, Any] = {}
        for kind, path in (("stdout", job.detail.stdout_path), ("stderr", job.detail.stderr_path)):
            if path is None or request.log_type not in (kind, "all"):
                continue
            file = expand_path(path, str(job.detail.job_id), task) if job.detail.array_request else path
            try:
                data, size = cluster.read(file, job.login_user, request.offset, request.size)
            except NoSuchFile:
                continue
            values |= {f"{kind}_log": base64.b64encode(data).decode(), f"{kind}_log_size": size}
        return actions.GetJobLogResponse(job_id=request.job_id, **values)

    def stop_jobs(self, request: actions.StopJobsRequest) -> actions.StopJobsResponse:
        """StopJobs: one command for all jobs of one account."""
        by_user: dict[str, list[str]] = {}
        for job_id in request.job_ids:
            job, cluster = self._job(request.cluster_id, job_id)
            # One that ended is left alone: its id may be another job's by now.
            if not job.detail.is_final:
                by_user.setdefault(job.login_user, []).append(job_id)
        failures: list[EhpcError] = []
        for user, ids in by_user.items():
            try:
                cluster.stop(ids, user)
            except EhpcError as error:
                failures.append(error)
        self._monitor(request.cluster_id).wake(now=True)
        if len(failures) == 1:
            raise failures[0]
        if failures:
            raise StopFailure("; ".join(error.detail for error in failures))
        return actions.StopJobsResponse()

    def list_clusters(self, request: actions.ListClustersRequest) -> actions.ListClustersResponse:
        """ListClusters: as configured, with what each last answered; asks nobody."""
        wanted = set(request.cluster_ids) | set(request.cluster_names)
        names = [name for name in self._profiles if not wanted or name in wanted]
        start = (request.page_number - 1) * request.page_size
        infos = []
        for name in names[start : start + request.page_size]:
            version, failure = self._answers.get(name, (None, None))
            monitor = self._monitors.get(name)
            info = answers.cluster_info(
                self._profiles[name],
                scheduler=self.cluster(name).scheduler_type,
                version=version,
                answered=version is not None or bool(monitor and monitor.checked_time),
                failure=failure or (monitor.failure if monitor else None),
            )
            infos.append(info)
        return actions.ListClustersResponse(
            page_number=str(request.page_number),
            page_size=request.page_size,
            total_count=len(names),
            clusters=tuple(infos),
        )

    def list_queues(self, request: actions.ListQueuesRequest) -> actions.ListQueuesResponse:
        """ListQueues: asks the cluster."""
        name = self._profile(request.cluster_id).name
        cluster = self.cluster(name)
        try:
            if self._answers.get(name, (None, None))[0] is None:
                self._answers[name] = (cluster.version(), None)
            queues = cluster.queues()
        except EhpcError as error:
            self._answers[name] = (None, error.detail)
            raise
        self._queues[name] = (time.monotonic(), queues)
        chosen = [queue for queue in queues if not request.queue_names or queue.name in request.queue_names]
        return actions.ListQueuesResponse(queues=tuple(answers.queue_info(queue) for queue in chosen))

    # --- for the server's file view

    def job_files(self, cluster_id: str, job_id: str) -> tuple[StoredJob, Cluster]:
        """A job and its cluster, for reading its files. Raises JobNotFound, ClusterNotFound."""
        return self._job(cluster_id, job_id)

    # --- inside

    def _profile(self, name: str) -> ClusterProfile:
        if name not in self._profiles:
            raise ClusterNotFound(f"{name!r} is not configured{did_you_mean(name, self._profiles)}")
        return self._profiles[name]

    def cluster(self, name: str) -> Cluster:
        """The cluster of that name, connected to at its first use. Raises ClusterNotFound."""
        with self._lock:
            if name not in self._clusters:
                self._clusters[name] = self._make_cluster(self._profile(name))
            return self._clusters[name]

    def _monitor(self, name: str) -> Monitor:
        with self._lock:
            if name not in self._monitors:
                self._monitors[name] = Monitor(self.cluster(name), self._store, self.tell)
            return self._monitors[name]

    def wake(self, name: str, *, now: bool = False) -> None:
        """Have the cluster's monitor look."""
        self._monitor(name).wake(now=now)

    def in_hand(self, name: str) -> set[str]:
        """See ``Host``."""
        return self._monitor(name).in_hand

    def _job(self, cluster_id: str, job_id: str) -> tuple[StoredJob, Cluster]:
        profile = self._profile(cluster_id)
        cluster = self.cluster(profile.name)
        job = self._store.by_id(profile.name, job_id)
        if job is None and (task := job_id.rpartition("_")[2]) and _TASKS.fullmatch(task):
            job = self._store.by_id(profile.name, cluster.parent_id(job_id))
        if job is None:
            raise JobNotFound(f"no job {job_id} was submitted from here to cluster {profile.name}")
        return job, cluster

    def _shown(self, job: StoredJob) -> JobDetail:
        """A job as shown: looking at one that may change wakes its monitor."""
        if job.detail.is_final:
            return job.detail
        monitor = self._monitor(job.cluster_id)
        monitor.wake()
        return job.detail.model_copy(update={"checked_time": monitor.checked_time})

    def known_queues(self, name: str) -> list[Queue]:
        """The queues as last seen. Nobody waits for them: what is not known is left to the scheduler to refuse."""
        seen, queues = self._queues.get(name, (0.0, []))
        return queues if time.monotonic() - seen < _QUEUES_S else []

    def tell(self, detail: JobDetail) -> None:
        """Tell whoever listens that a job changed."""
        for listener in self._listeners:
            try:
                listener(detail)
            except Exception:
                log.exception("a listener to job changes failed")


def new_request_id() -> str:
    """A request id as the API writes them: an upper-case UUID."""
    return str(uuid.uuid4()).upper()


#: Action → request model and method. The one table of actions.
ACTIONS: dict[str, tuple[type[WireModel], Callable[[JobService, Any], actions.Answer]]] = {
    "CreateJob": (actions.CreateJobRequest, JobService.create_job),
    "GetJob": (actions.GetJobRequest, JobService.get_job),
    "ListJobs": (actions.ListJobsRequest, JobService.list_jobs),
    "GetJobLog": (actions.GetJobLogRequest, JobService.get_job_log),
    "StopJobs": (actions.StopJobsRequest, JobService.stop_jobs),
    "ListClusters": (actions.ListClustersRequest, JobService.list_clusters),
    "ListQueues": (actions.ListQueuesRequest, JobService.list_queues),
}
