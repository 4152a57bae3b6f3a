"""``Client``: jobs, queues and clusters from Python."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from ehpc_jupyter.errors import AgentError, ServiceUnavailable
from ehpc_jupyter.models.actions import (
    Answer,
    ClusterInfo,
    CreateJobRequest,
    CreateJobResponse,
    GetJobLogRequest,
    GetJobLogResponse,
    GetJobRequest,
    GetJobResponse,
    JobFilter,
    ListClustersRequest,
    ListClustersResponse,
    ListJobsRequest,
    ListJobsResponse,
    ListQueuesRequest,
    ListQueuesResponse,
    QueueInfo,
    StopJobsRequest,
    StopJobsResponse,
)
from ehpc_jupyter.notebook.backend import default_backend, server_at
from ehpc_jupyter.notebook.clock import REAL_TIME, Clock
from ehpc_jupyter.notebook.default import default_cluster
from ehpc_jupyter.notebook.fields import body_of, values_from_keywords, values_of
from ehpc_jupyter.notebook.http_backend import LostAnswer
from ehpc_jupyter.notebook.job import Job
from ehpc_jupyter.notebook.listing import Listing, cluster_listing, job_listing, queue_listing
from ehpc_jupyter.notebook.templates import SavedTemplates

if TYPE_CHECKING:
    from typing import Literal

    from ehpc_jupyter.models.job import JobDetail
    from ehpc_jupyter.models.spec import JobSpec
    from ehpc_jupyter.notebook.backend import Backend

_JOBS_PAGE = 50
_CLUSTERS_PAGE = 100
_SUBMIT_PATIENCE = 3
_AnswerT = TypeVar("_AnswerT", bound=Answer)


class _Quiet(dict[str, Any]):
    """A request's body: it may hold a password, and IPython's verbose tracebacks print every local variable."""

    def __repr__(self) -> str:
        return "{…}"


class Client(SavedTemplates):
    """The way from a notebook to its clusters.

    It talks to the Jupyter server that started this kernel, so that the kernel, the side panel and all other notebooks
    share one login. Where there is no such server (IPython in a terminal, VS Code, nbconvert) the same service runs in
    the kernel. Making a client costs nothing; the first question decides.

    Args:
        cluster: the cluster that questions are about when they name none; ``local`` is this machine. If None, the one that
            ``%ehpc use`` chose, else ``local``.
        server: address of a Jupyter server to use instead, as Jupyter prints it (``http://host:8888/?token=…``).
        token: that server's token, if it is not part of the address.
        timeout_s: how long an answer may take, seconds; three times that for a submission, which may have to log in.
        backend: answers the questions instead of a server; for tests and for tools that have a service at hand.
        clock: how time passes; for tests.

    Example:
        >>> client = Client()
        >>> job = client.submit(script="hostname", wall_time="0:05:00", nodes=1)
        >>> print(job.wait().stdout())
    """

    def __init__(
        self,
        cluster: str | None = None,
        *,
        server: str | None = None,
        token: str | None = None,
        timeout_s: float = 30.0,
        backend: Backend | None = None,
        clock: Clock = REAL_TIME,
    ) -> None:
        if backend is not None and server is not None:
            raise TypeError("give either server or backend, not both")
        if token is not None and server is None:
            raise TypeError("token belongs to server, which is not given")
        self.cluster = cluster or default_cluster()
        self.timeout_s = timeout_s
        self.clock = clock
        self._backend = backend or (server_at(server, token) if server else default_backend())

    def __repr__(self) -> str:
        return f"Client(cluster={self.cluster!r})"

    def where(self) -> str:
        """Who answers: the address of a Jupyter server, or ``this kernel``."""
        return self._backend.describe()

    # --- jobs

    def submit(
        self,
        spec: JobSpec | None = None,
        *,
        name: str | None = None,
        cluster: str | None = None,
        client_token: str | None = None,
        **fields: Any,
    ) -> Job:
        """Submit a job.

        Args:
            spec: a whole specification; ``fields`` are laid over it.
            name: the job's name; made from its command if not given.
            cluster: where it runs; the client's cluster if not given.
            client_token: makes the request unique: asking twice with it gives one job. Made if not given.
            **fields: fields of ``JobSpec`` (``script=``, ``command_line=``, ``wall_time=``, ``variables=`` …) and of
                ``Resources`` (``nodes=``, ``cores=``, ``memory=``, ``gpus=``).

        Returns:
            The job; the scheduler has accepted it.

        Raises:
            TypeError: a keyword is no field of a job.
            InvalidParams: a value is wrong; ``problems`` has all of them, each with its field.
            SubmitFailure: the scheduler refused the job.
            ServiceUnavailable: the server or the cluster does not answer.
        """
        keywords = {"name": name, "cluster": cluster or self.cluster, "client_token": client_token, **fields}
        values = values_of(spec) if spec is not None else {}
        values.update(values_from_keywords(keywords, "submit"))
        return self.create(CreateJobRequest.from_wire(body_of(values)))

    def create(self, request: CreateJobRequest) -> Job:
        """Submit a job from a whole request; see ``submit``.

        A lost answer is asked for once more with the same ``ClientToken``: the server then answers with the job it
        made, if it made one. It is never sent a third time.
        """
        if request.client_token is None:
            request = request.model_copy(update={"client_token": uuid.uuid4().hex})
        try:
            try:
                made = self._create_once(request)
            except LostAnswer:
                made = self._create_once(request)
        except ServiceUnavailable as error:
            # Also the server's own "its answer was lost": whoever asks again needs the token to do it safely.
            again = f"Submitting again with client_token={request.client_token!r} cannot make a second job."
            raise _with_advice(error, f"Look at client.jobs() first. {again}") from None
        return Job(self, request.cluster_id, made.job_id, name=request.job_name or "")

    def _create_once(self, request: CreateJobRequest) -> CreateJobResponse:
        return self._ask("CreateJob", _Quiet(request.to_body()), CreateJobResponse, _SUBMIT_PATIENCE * self.timeout_s)

    def job(self, job_id: str | int, cluster: str | None = None) -> Job:
        """A job by its id. Nothing is asked yet: an id that does not exist is found out by the first look.

        Args:
            job_id: what the scheduler calls it, for instance ``12``.
            cluster: where it is; the client's cluster if not given.
        """
        request = GetJobRequest.from_wire({"ClusterId": cluster or self.cluster, "JobId": str(job_id)})
        return Job(self, request.cluster_id, request.job_id)

    def jobs(
        self,
        status: Literal["all", "finished", "notfinish"] = "all",
        *,
        name: str | None = None,
        queue: str | None = None,
        limit: int = 50,
        cluster: str | None = None,
    ) -> Listing[Job]:
        """The jobs known here, newest first, as a list that shows itself as a table.

        Args:
            status: ``finished``, ``notfinish`` or ``all``.
            name: only those with this text in their name.
            queue: only those of this queue.
            limit: how many at most.
            cluster: where they are; the client's cluster if not given.
        """
        where = cluster or self.cluster
        chosen = JobFilter.from_wire({"job_status": status, "job_name": name, "queues": (queue,) if queue else ()})
        found: list[Job] = []
        total = 0
        page = 1
        while len(found) < limit:
            listed = self._list_page(where, chosen, page, min(limit, _JOBS_PAGE))
            total = listed.total_count
            found += [Job(self, where, row.detail.job_id, name=row.job_name, detail=row.detail) for row in listed.jobs]
            if not listed.jobs or len(found) >= total:
                break
            page += 1
        return job_listing(found[:limit], where, total)

    def _list_page(self, cluster: str, chosen: JobFilter, page: int, size: int) -> ListJobsResponse:
        request = ListJobsRequest(cluster_id=cluster, page_number=page, page_size=size, job_filter=chosen)
        return self._ask("ListJobs", request.to_wire(), ListJobsResponse)

    # --- what there is

    def queues(self, cluster: str | None = None) -> Listing[QueueInfo]:
        """The cluster's queues and their limits, as a list that shows itself as a table."""
        where = cluster or self.cluster
        answer = self._ask("ListQueues", ListQueuesRequest(cluster_id=where).to_wire(), ListQueuesResponse)
        return queue_listing(answer.queues, where)

    def clusters(self) -> Listing[ClusterInfo]:
        """The clusters configured here, as a list that shows itself as a table."""
        request = ListClustersRequest(page_size=_CLUSTERS_PAGE)
        return cluster_listing(self._ask("ListClusters", request.to_wire(), ListClustersResponse).clusters)

    # --- what a Job asks

    def look(self, cluster: str, job_id: str) -> JobDetail:
        """What is known of a job now. ``Job.refresh`` is the comfortable way."""
        request = GetJobRequest(cluster_id=cluster, job_id=job_id)
        return self._ask("GetJob", request.to_wire(), GetJobResponse).job_info.detail

    def look_for_request(self, cluster: str, request_id: str, name: str) -> JobDetail | None:
        """What is known of a job that has no id yet, found by the request that makes it."""
        listed = self._list_page(cluster, JobFilter(job_name=name), 1, _JOBS_PAGE)
        return next((row.detail for row in listed.jobs if row.detail.request_id == request_id), None)

    def log(self, request: GetJobLogRequest) -> GetJobLogResponse:
        """A piece of a job's output. ``Job.stdout`` is the comfortable way."""
        return self._ask("GetJobLog", request.to_wire(), GetJobLogResponse)

    def stop(self, cluster: str, *job_ids: str) -> None:
        """Stop jobs that wait or run. ``Job.stop`` is the comfortable way."""
        self._ask("StopJobs", StopJobsRequest(cluster_id=cluster, job_ids=job_ids).to_wire(), StopJobsResponse)

    def _ask(
        self, action: str, body: dict[str, Any], answer: type[_AnswerT], timeout_s: float | None = None
    ) -> _AnswerT:
        raw = self._backend.call(action, body, self.timeout_s if timeout_s is None else timeout_s)
        try:
            return answer.model_validate(raw)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise AgentError(
                f"{self.where()} answered {action} in another shape ({where}: {first['msg']}); "
                "install the same version of ehpc-jupyter for this kernel and for its server"
            ) from None


def _with_advice(error: ServiceUnavailable, advice: str) -> ServiceUnavailable:
    made = ServiceUnavailable(f"{error.detail}. {advice}", recommend=error.recommend)
    made.request_id = error.request_id
    return made
