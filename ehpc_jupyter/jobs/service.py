"""One method per API action: the only thing that knows the whole story. Synchronous; the server calls it from threads."""

from __future__ import annotations

import atexit
import base64
import contextlib
import logging
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
from ehpc_jupyter.jobs.store import DuplicateToken, JobStore, StoredJob
from ehpc_jupyter.jobs.summary import with_job_id
from ehpc_jupyter.models import actions
from ehpc_jupyter.models.cluster import check
from ehpc_jupyter.models.job import JobDetail, JobState
from ehpc_jupyter.models.suggest import did_you_mean
from ehpc_jupyter.models.values import ArrayRange
from ehpc_jupyter.schedulers.base import expand_path
from ehpc_jupyter.settings import load_settings
from ehpc_jupyter.transport.base import LostAnswer, NoSuchFile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ehpc_jupyter.clusters.base import Cluster, Prepared
    from ehpc_jupyter.models.base import WireModel
    from ehpc_jupyter.models.cluster import ClusterProfile, Queue

log = logging.getLogger(__name__)

#: How long a cluster's queues are taken as known, seconds: limits change seldom.
_QUEUES_S = 60.0
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
        self._tokens = threading.Condition()
        self._pending: set[tuple[str, str]] = set()

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
        return answer.model_copy(update={"request_id": request_id}).to_wire()

    # --- the actions

    def create_job(self, request: actions.CreateJobRequest) -> actions.CreateJobResponse:
        """CreateJob: the intent is stored before anything is sent; a lost answer is looked into, never sent again."""
        if request.client_token is None:
            return self._create(request)
        key = (request.cluster_id, request.client_token)
        with self._tokens:
            if not self._tokens.wait_for(lambda: key not in self._pending, timeout=60):
                raise ServiceUnavailable("a request with this ClientToken is still being worked on; ask again with it")
            self._pending.add(key)
        try:
            return self._create(request)
        finally:
            with self._tokens:
                self._pending.discard(key)
                self._tokens.notify_all()

    def _create(self, request: actions.CreateJobRequest) -> actions.CreateJobResponse:
        profile = self._profile(request.cluster_id)
        if request.client_token and (known := self._store.by_token(profile.name, request.client_token)):
            return self._same(request, known)
        cluster, spec = self._cluster(profile.name), request.job_spec
        problems = check(spec, self._known_queues(profile.name))
        if problems:
            raise InvalidParams(*problems)
        user = cluster.login(spec.runas_user, spec.runas_user_password)
        request_id = uuid.uuid4().hex
        job = cluster.prepare(request, request_id, time.strftime("%Y-%m-%d"), user)
        detail = JobDetail(
            cluster_id=profile.name,
            request_id=request_id,
            job_name=job.name,
            state=JobState.SUBMITTING,
            user=user,
            queue=spec.job_queue,
            submit_time=int(time.time()),
            wall_time_s=spec.wall_time.seconds if spec.wall_time else None,
            array_request=str(spec.array_request) if spec.array_request else None,
            folder=job.folder,
            stdout_path=job.stdout,
            stderr_path=job.stderr,
        )
        login_user = user if spec.runas_user else ""
        try:
            self._store.add(StoredJob(detail, request.to_wire(), request.client_token, login_user))
        except DuplicateToken:
            # Another process with the same store was quicker.
            if known := self._store.by_token(profile.name, str(request.client_token)):
                return self._same(request, known)
            raise
        return self._submit(cluster, job, detail, login_user)

    def _submit(self, cluster: Cluster, job: Prepared, detail: JobDetail, login_user: str) -> actions.CreateJobResponse:
        try:
            job_id = cluster.submit(job)
        except LostAnswer as error:
            fate_id = self._find(cluster, detail, login_user, error)
            if fate_id is None:
                raise ServiceUnavailable(
                    f"the job may have been submitted, its answer was lost ({error.detail}); it is being looked for and "
                    f"will be shown as request {detail.request_id}; nothing is submitted twice",
                    recommend="Ask again with the same ClientToken, or look at ListJobs.",
                ) from None
            job_id = fate_id
        except InvalidParams:
            self._store.remove(detail.request_id)
            raise
        except EhpcError as error:
            refused = detail.model_copy(update={"state": JobState.NOT_SUBMITTED, "reason": error.detail})
            self._store.update(refused, "submit")
            raise
        detail = with_job_id(detail, job_id)
        self._store.update(detail, "submit")
        self._tell(detail)
        self._monitor(detail.cluster_id).wake(now=True)
        return actions.CreateJobResponse(job_id=job_id)

    def _find(self, cluster: Cluster, detail: JobDetail, login_user: str, lost: LostAnswer) -> str | None:
        """One quick look after a lost answer; what it cannot settle, the monitor will."""
        log.warning("request %s on %s: answer lost: %s", detail.request_id, detail.cluster_id, lost.detail)
        fate = None
        with contextlib.suppress(EhpcError):
            fate = cluster.fate(detail.request_id, str(detail.folder), login_user, age_s=0.0)
        if fate is not None and fate.job_id is not None:
            return fate.job_id
        state = fate.state if fate else JobState.SUBMITTING
        found = detail.model_copy(update={"state": state, "reason": fate.reason if fate else None})
        self._store.update(found, "folder")
        self._tell(found)
        if state is JobState.NOT_SUBMITTED:
            raise ServiceUnavailable(f"nothing was submitted: {lost.detail}", recommend="Submit it again.") from None
        self._monitor(detail.cluster_id).wake()
        return None

    def _same(self, request: actions.CreateJobRequest, known: StoredJob) -> actions.CreateJobResponse:
        if known.request != request.to_wire():
            problem = Problem("ClientToken", "it was used before with another request; make a new one for a new job")
            raise InvalidParams(problem)
        if known.detail.job_id is None:
            if known.detail.state is JobState.NOT_SUBMITTED:
                raise ServiceUnavailable(
                    f"the request with this ClientToken was not submitted: {known.detail.reason}",
                    recommend="Submit it again with a new ClientToken.",
                )
            raise ServiceUnavailable("the request with this ClientToken is being looked for; ask again with it")
        return actions.CreateJobResponse(job_id=known.detail.job_id)

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
            by_user.setdefault(job.login_user, []).append(job_id)
        failures = []
        for user, ids in by_user.items():
            try:
                cluster.stop(ids, user)
            except StopFailure as error:
                failures.append(error.detail)
        self._monitor(request.cluster_id).wake(now=True)
        if failures:
            raise StopFailure("; ".join(failures))
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
                scheduler=self._cluster(name).scheduler_type,
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
        cluster = self._cluster(name)
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

    def _cluster(self, name: str) -> Cluster:
        with self._lock:
            if name not in self._clusters:
                self._clusters[name] = self._make_cluster(self._profile(name))
            return self._clusters[name]

    def _monitor(self, name: str) -> Monitor:
        with self._lock:
            if name not in self._monitors:
                self._monitors[name] = Monitor(self._cluster(name), self._store, self._tell)
            return self._monitors[name]

    def _job(self, cluster_id: str, job_id: str) -> tuple[StoredJob, Cluster]:
        profile = self._profile(cluster_id)
        cluster = self._cluster(profile.name)
        job = self._store.by_id(profile.name, job_id)
        if job is None and not job_id.isdecimal():
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

    def _known_queues(self, name: str) -> list[Queue]:
        """The queues as last seen. Nobody waits for them: what is not known is left to the scheduler to refuse."""
        seen, queues = self._queues.get(name, (0.0, []))
        return queues if time.monotonic() - seen < _QUEUES_S else []

    def _tell(self, detail: JobDetail) -> None:
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
