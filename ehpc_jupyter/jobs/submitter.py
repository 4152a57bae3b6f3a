"""CreateJob, exactly once: the intent is stored before anything is sent; a lost answer is looked into, never sent again."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
import time
import uuid
from typing import TYPE_CHECKING, Protocol

from ehpc_jupyter.errors import EhpcError, InvalidParams, Problem, ServiceUnavailable
from ehpc_jupyter.jobs import dependencies, notes
from ehpc_jupyter.jobs.store import DuplicateToken, JobStore, StoredJob
from ehpc_jupyter.jobs.summary import with_job_id
from ehpc_jupyter.models.cluster import check
from ehpc_jupyter.models.job import JobDetail, JobState
from ehpc_jupyter.transport.base import LostAnswer

if TYPE_CHECKING:
    from ehpc_jupyter.clusters.base import Cluster, Prepared
    from ehpc_jupyter.models import actions
    from ehpc_jupyter.models.cluster import Queue

log = logging.getLogger(__name__)


class Host(Protocol):
    """What the job service lends to a submission."""

    def cluster(self, name: str) -> Cluster:
        """The cluster of that name. Raises ClusterNotFound."""

    def known_queues(self, name: str) -> list[Queue]:
        """Its queues, if they were seen lately."""

    def in_hand(self, name: str) -> set[str]:
        """The requests that are just being submitted there: the monitor leaves them alone."""

    def tell(self, detail: JobDetail) -> None:
        """Tell whoever listens that a job changed."""

    def wake(self, name: str, *, now: bool = False) -> None:
        """Have the cluster's monitor look."""


class Submitter:
    """Submits jobs; safe to use from several threads.

    Args:
        store: where intents and jobs are kept.
        host: the job service.
    """

    def __init__(self, store: JobStore, host: Host) -> None:
        self._store = store
        self._host = host
        self._tokens = threading.Condition()
        self._pending: set[tuple[str, str]] = set()

    def submit(self, request: actions.CreateJobRequest, *, rerun_of: str | None = None) -> str:
        """Submit a job, or find the one that the same request made before; its id.

        Args:
            request: valid.
            rerun_of: the id of the job that it runs again.

        Raises:
            InvalidParams: something in the request; nothing was submitted.
            SubmitFailure: the scheduler refused it, in its words.
            ServiceUnavailable: the answer was lost, and so it says what is known.
        """
        if request.client_token is None:
            return self._begin(request, rerun_of)
        key = (request.cluster_id, request.client_token)
        with self._tokens:
            if not self._tokens.wait_for(lambda: key not in self._pending, timeout=60):
                raise ServiceUnavailable("a request with this ClientToken is still being worked on; ask again with it")
            self._pending.add(key)
        try:
            return self._begin(request, rerun_of)
        finally:
            with self._tokens:
                self._pending.discard(key)
                self._tokens.notify_all()

    def _begin(self, request: actions.CreateJobRequest, rerun_of: str | None) -> str:
        if request.client_token and (known := self._store.by_token(request.cluster_id, request.client_token)):
            return self._same(request, known)
        if request.client_token and (spent := self._store.spent_on(request.cluster_id, request.client_token)):
            problem = f"it was used before for job {spent}, which was deleted; make a new one for a new job"
            raise InvalidParams(Problem("ClientToken", problem))
        if request.client_token and notes.rebuilding(self._store) & {"", request.cluster_id}:
            raise ServiceUnavailable(
                "the database of jobs was damaged, and the jobs of this cluster are still being read from their folders: whether "
                "this request was made before is not known yet; ask again with the same ClientToken"
            )
        cluster, spec = self._host.cluster(request.cluster_id), request.job_spec
        left, problems = dependencies.judge(self._store, request.cluster_id, spec.after)
        problems += check(spec, self._host.known_queues(request.cluster_id))
        if problems:
            raise InvalidParams(*problems)
        user = cluster.login(spec.runas_user, spec.runas_user_password)
        request_id = uuid.uuid4().hex
        sent = request.model_copy(update={"job_spec": spec.model_copy(update={"after": left})})
        job = cluster.prepare(sent, request_id, time.strftime("%Y-%m-%d"), user)
        detail = JobDetail(
            cluster_id=request.cluster_id,
            request_id=request_id,
            job_name=job.name,
            state=JobState.SUBMITTING,
            user=user,
            queue=spec.job_queue,
            submit_time=int(time.time()),
            wall_time_s=spec.wall_time.seconds if spec.wall_time else None,
            array_request=str(spec.array_request) if spec.array_request else None,
            after=str(spec.after) if spec.after else None,
            folder=job.folder,
            rerun_of=rerun_of,
            stdout_path=job.stdout,
            stderr_path=job.stderr,
        )
        login_user = user if spec.runas_user else ""
        in_hand = self._host.in_hand(request.cluster_id)
        in_hand.add(request_id)
        try:
            self._store.add(StoredJob(detail, request.to_wire(), request.client_token, login_user))
        except DuplicateToken:
            # Another process with the same store was quicker.
            if known := self._store.by_token(request.cluster_id, str(request.client_token)):
                return self._same(request, known)
            raise
        else:
            return self._send(cluster, job, detail, login_user)
        finally:
            in_hand.discard(request_id)

    def _send(self, cluster: Cluster, job: Prepared, detail: JobDetail, login_user: str) -> str:
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
        try:
            self._store.update(detail, "submit")
        except sqlite3.Error:
            # The job is there: its id is the answer, and the monitor finds it again by the intent.
            log.exception("job %s of request %s is on %s", job_id, detail.request_id, detail.cluster_id)
        self._host.tell(detail)
        self._host.wake(detail.cluster_id, now=True)
        return job_id

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
        self._host.tell(found)
        if state is JobState.NOT_SUBMITTED:
            raise ServiceUnavailable(f"nothing was submitted: {lost.detail}", recommend="Submit it again.") from None
        self._host.wake(detail.cluster_id, now=True)
        return None

    def _same(self, request: actions.CreateJobRequest, known: StoredJob) -> str:
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
        return known.detail.job_id
