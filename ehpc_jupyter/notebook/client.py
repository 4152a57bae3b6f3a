"""``Client``: jobs, queues and clusters from Python."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from ehpc_jupyter.errors import ServiceUnavailable
from ehpc_jupyter.models.actions import (
    DEFAULT_CLUSTER,
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
    ListedJob,
    ListJobsRequest,
    ListJobsResponse,
    ListQueuesRequest,
    ListQueuesResponse,
    QueueInfo,
    StopJobsRequest,
)
from ehpc_jupyter.notebook.backend import default_backend, server_at
from ehpc_jupyter.notebook.clock import REAL_TIME, Clock
from ehpc_jupyter.notebook.fields import body_of, values_from_keywords, values_of
from ehpc_jupyter.notebook.http_backend import LostAnswer
from ehpc_jupyter.notebook.job import Job
from ehpc_jupyter.notebook.listing import Listing, cluster_listing, job_listing, queue_listing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Literal

    from ehpc_jupyter.models.job import JobDetail
    from ehpc_jupyter.models.spec import JobSpec
    from ehpc_jupyter.notebook.backend import Backend

_JOBS_PAGE = 50
_CLUSTERS_PAGE = 100


class _Quiet(dict[str, Any]):
    """A request's body: it may hold a password, and IPython's verbose tracebacks print every local variable."""

    def __repr__(self) -> str:
        return "{…}"


class Client:
    """The way from a notebook to its clusters.

    It talks to the Jupyter server that started this kernel, so that the kernel, the side panel and all other notebooks
    share one login. Where there is no such server (IPython in a terminal, VS Code, nbconvert) the same service runs in
    the kernel. Making a client costs nothing; the first question decides.

    Args:
        cluster: the cluster that questions are about when they name none; ``local`` is this machine.
        server: address of a Jupyter server to use instead, as Jupyter prints it (``http://host:8888/?token=…``).
        token: that server's token, if it is not part of the address.
        timeout_s: how long an answer may take, seconds.
        backend: answers the questions instead of a server; for tests and for tools that have a service at hand.
        clock: how time passes; for tests.

    Example:
        >>> client = Client()
        >>> job = client.submit(script="hostname", wall_time="0:05:00", nodes=1)
        >>> print(job.wait().stdout())
    """

    def __init__(
        self,
        cluster: str = DEFAULT_CLUSTER,
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
        self.cluster = cluster
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
            answer = self._ask("CreateJob", request.to_body())
        except LostAnswer:
            try:
                answer = self._ask("CreateJob", request.to_body())
            except LostAnswer as error:
                raise ServiceUnavailable(
                    f"{error.detail}, twice; the job may or may not have been submitted. Look at client.jobs() first; "
                    f"submitting again with client_token={request.client_token!r} cannot make a second job"
                ) from None
        made = CreateJobResponse.model_validate(_without_extras(CreateJobResponse, answer))
        return Job(self, request.cluster_id, made.job_id, name=request.job_name or "")

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
        for row, total in self._listed(where, chosen):  # noqa: B007 - the last page's total is the newest
            if len(found) >= limit:
                break
            found.append(Job(self, where, row.detail.job_id, name=row.job_name, detail=row.detail))
        return job_listing(found, where, total)

    def _listed(self, cluster: str, chosen: JobFilter) -> Iterator[tuple[ListedJob, int]]:
        page = 1
        while True:
            request = ListJobsRequest(cluster_id=cluster, page_number=page, page_size=_JOBS_PAGE, job_filter=chosen)
            answer = self._ask("ListJobs", request.to_wire())
            listed = ListJobsResponse.model_validate(_without_extras(ListJobsResponse, answer))
            for row in listed.jobs:
                yield row, listed.total_count
            if not listed.jobs or page * _JOBS_PAGE >= listed.total_count:
                return
            page += 1

    # --- what there is

    def queues(self, cluster: str | None = None) -> Listing[QueueInfo]:
        """The cluster's queues and their limits, as a list that shows itself as a table."""
        where = cluster or self.cluster
        answer = self._ask("ListQueues", ListQueuesRequest(cluster_id=where).to_wire())
        return queue_listing(ListQueuesResponse.model_validate(_without_extras(ListQueuesResponse, answer)).queues, where)

    def clusters(self) -> Listing[ClusterInfo]:
        """The clusters configured here, as a list that shows itself as a table."""
        answer = self._ask("ListClusters", ListClustersRequest(page_size=_CLUSTERS_PAGE).to_wire())
        return cluster_listing(ListClustersResponse.model_validate(_without_extras(ListClustersResponse, answer)).clusters)

    # --- what a Job asks

    def look(self, cluster: str, job_id: str) -> JobDetail:
        """What is known of a job now. ``Job.refresh`` is the comfortable way."""
        answer = self._ask("GetJob", GetJobRequest(cluster_id=cluster, job_id=job_id).to_wire())
        return GetJobResponse.model_validate(_without_extras(GetJobResponse, answer)).job_info.detail

    def look_for_request(self, cluster: str, request_id: str, name: str) -> JobDetail | None:
        """What is known of a job that has no id yet, found by the request that makes it."""
        for row, _ in self._listed(cluster, JobFilter(job_name=name)):
            if row.detail.request_id == request_id:
                return row.detail
        return None

    def log(self, request: GetJobLogRequest) -> GetJobLogResponse:
        """A piece of a job's output. ``Job.stdout`` is the comfortable way."""
        answer = self._ask("GetJobLog", request.to_wire())
        return GetJobLogResponse.model_validate(_without_extras(GetJobLogResponse, answer))

    def stop(self, cluster: str, *job_ids: str) -> None:
        """Stop jobs that wait or run. ``Job.stop`` is the comfortable way."""
        self._ask("StopJobs", StopJobsRequest(cluster_id=cluster, job_ids=job_ids).to_wire())

    def _ask(self, action: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._backend.call(action, _Quiet(body), self.timeout_s)


def _without_extras(model: Any, answer: Mapping[str, Any]) -> dict[str, Any]:
    """The part of an answer that this version knows: a newer server may say more."""
    known = {field.alias or name for name, field in model.model_fields.items()}
    return {name: value for name, value in answer.items() if name in known}
