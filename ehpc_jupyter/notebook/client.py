"""``Client``: jobs, queues and clusters from Python."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, cast

from ehpc_jupyter.errors import InvalidParams, Problem, ServiceUnavailable
from ehpc_jupyter.models import actions
from ehpc_jupyter.models.actions import ClusterInfo, CreateJobRequest, QueueInfo
from ehpc_jupyter.notebook import provenance
from ehpc_jupyter.notebook.asking import JOBS_PAGE
from ehpc_jupyter.notebook.checking import check_of
from ehpc_jupyter.notebook.fields import body_of, values_from_keywords, values_of
from ehpc_jupyter.notebook.http_backend import LostAnswer
from ehpc_jupyter.notebook.job import Job
from ehpc_jupyter.notebook.listing import Listing, cluster_listing, job_listing, queue_listing
from ehpc_jupyter.notebook.outcomes import Outcomes, carry_out
from ehpc_jupyter.notebook.templates import SavedTemplates

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal

    from ehpc_jupyter.models.actions import JobOutcome
    from ehpc_jupyter.models.spec import JobSpec
    from ehpc_jupyter.notebook.checking import JobCheck

    #: A job, or its id.
    JobLike = Job | str | int

_CLUSTERS_PAGE = 100
_SUBMIT_PATIENCE = 3


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

    def __repr__(self) -> str:
        return f"Client(cluster={self.cluster!r})"

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
                ``Resources`` (``nodes=``, ``cores=``, ``memory=``, ``gpus=``). ``after=`` takes jobs that must end
                first: ``after=job`` waits until it ended well, ``after=[job, ("any", other)]`` also until the other
                one ended somehow.

        Returns:
            The job; the scheduler has accepted it.

        Raises:
            TypeError: a keyword is no field of a job.
            InvalidParams: a value is wrong; ``problems`` has all of them, each with its field.
            SubmitFailure: the scheduler refused the job.
            ServiceUnavailable: the server or the cluster does not answer.
        """
        keywords = {"name": name, "cluster": cluster or self.cluster, "client_token": client_token, **fields}
        return self.create(self._request(spec, keywords, "submit"))

    def check(
        self, spec: JobSpec | None = None, *, name: str | None = None, cluster: str | None = None, **fields: Any
    ) -> JobCheck:
        """Ask what the cluster would say to a job, without submitting it; arguments as of ``submit``.

        Returns:
            Whether it would take the job, what is wrong with which field, when it would start, and the script. A
            request that is wrong in itself is an answer, too, and no error.

        Raises:
            TypeError: a keyword is no field of a job.
            ServiceUnavailable: the server or the cluster does not answer.
        """
        where = cluster or self.cluster
        try:
            request = self._request(spec, {"name": name, "cluster": where, **fields}, "check")
        except InvalidParams as error:
            return check_of(where, error)
        return self.check_request(request)

    def check_request(self, request: CreateJobRequest) -> JobCheck:
        """The same for a whole request."""
        try:
            return check_of(request.cluster_id, self.ask_check(request))
        except InvalidParams as error:
            return check_of(request.cluster_id, error)

    def ask_check(self, request: CreateJobRequest) -> actions.CheckJobResponse:
        """The same in the API's words. Raises InvalidParams: the request is wrong in itself."""
        return self._ask("CheckJob", _Quiet(request.to_body()), actions.CheckJobResponse)

    def _request(self, spec: JobSpec | None, keywords: dict[str, Any], caller: str) -> CreateJobRequest:
        values = values_of(spec) if spec is not None else {}
        values.update(values_from_keywords(keywords, caller))
        strangers = [job for job in _jobs_in(keywords.get("after")) if job.cluster_id != keywords["cluster"]]
        if strangers:
            raise InvalidParams(
                Problem(
                    "JobSpec.After", f"{strangers[0].title} is on another cluster than this job, {keywords['cluster']}"
                )
            )
        return CreateJobRequest.from_wire(body_of(values))

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
        name = request.job_name or ""
        return Job(self, request.cluster_id, made.job_id, name=name, request=provenance.kept(request))

    def _create_once(self, request: CreateJobRequest) -> actions.CreateJobResponse:
        body = _Quiet(request.to_body())
        return self._ask("CreateJob", body, actions.CreateJobResponse, _SUBMIT_PATIENCE * self.timeout_s)

    def job(self, job_id: str | int, cluster: str | None = None) -> Job:
        """A job by its id. Nothing is asked yet: an id that does not exist is found out by the first look.

        Args:
            job_id: what the scheduler calls it, for instance ``12``.
            cluster: where it is; the client's cluster if not given.
        """
        request = actions.GetJobRequest.from_wire({"ClusterId": cluster or self.cluster, "JobId": str(job_id)})
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
        wanted = {"job_status": status, "job_name": name, "queues": (queue,) if queue else ()}
        chosen = actions.JobFilter.from_wire(wanted)
        found: list[Job] = []
        total = 0
        page = 1
        while len(found) < limit:
            listed = self._page_of_jobs(where, chosen, page, min(limit, JOBS_PAGE))
            total = listed.total_count
            found += [Job(self, where, row.detail.job_id, name=row.job_name, detail=row.detail) for row in listed.jobs]
            if not listed.jobs or len(found) >= total:
                break
            page += 1
        return job_listing(found[:limit], where, total)

    # --- what is done to several at once

    def stop(self, *jobs: JobLike, cluster: str | None = None) -> Outcomes:
        """Stop jobs that wait or run.

        Args:
            *jobs: jobs, or their ids.
            cluster: where those are that are given by id; the client's cluster if not given.

        Returns:
            What became of each; ``check()`` of it raises if one failed. One that had ended is left alone.

        Raises:
            EhpcError: nobody answered, or the only job was refused.
        """
        return self._carry_out(jobs, cluster, "StopJobs", actions.StopJobsResponse)

    def hold(self, *jobs: JobLike, cluster: str | None = None) -> Outcomes:
        """Keep jobs that wait from starting; as ``stop``."""
        return self._carry_out(jobs, cluster, "HoldJobs", actions.HoldJobsResponse)

    def release(self, *jobs: JobLike, cluster: str | None = None) -> Outcomes:
        """Let jobs that are held start again; as ``stop``."""
        return self._carry_out(jobs, cluster, "ReleaseJobs", actions.ReleaseJobsResponse)

    def rerun(self, *jobs: JobLike, cluster: str | None = None) -> Outcomes:
        """Submit jobs that ended once more; ``new`` of each outcome is the new job. As ``stop``."""
        # With a token the question may be repeated: no job runs twice more.
        more = {"ClientToken": uuid.uuid4().hex}
        return self._carry_out(jobs, cluster, "RerunJobs", actions.RerunJobsResponse, more)

    def delete(self, *jobs: JobLike, cluster: str | None = None, folder: bool = False) -> Outcomes:
        """Forget jobs that ended; ``folder=True`` removes their folders on the cluster, too. As ``stop``."""
        return self._carry_out(jobs, cluster, "DeleteJobs", actions.DeleteJobsResponse, {"DeleteFolder": folder})

    def _carry_out(
        self,
        jobs: tuple[JobLike, ...],
        cluster: str | None,
        action: str,
        answer: type[Any],
        more: dict[str, Any] | None = None,
    ) -> Outcomes:
        named = [job if isinstance(job, Job) else self.job(job, cluster) for job in jobs]
        patience = (_SUBMIT_PATIENCE if action == "RerunJobs" else 1) * self.timeout_s

        def ask(where: str, ids: tuple[str, ...]) -> Iterable[JobOutcome]:
            body = {"ClusterId": where, "JobIds": list(ids), **(more or {})}
            said = self._ask(action, body, answer, patience)
            if said.results or not isinstance(said, actions.RerunJobsResponse):
                return cast("Iterable[JobOutcome]", said.results)
            # The API's own answer: the new ids in the order of the request.
            return [
                actions.JobOutcome(job_id=old, outcome="submitted again", new_job_id=made)
                for old, made in zip(ids, said.job_ids, strict=True)
            ]

        done = carry_out(named, ask, lambda where, job_id, name: Job(self, where, job_id, name=name))
        for outcome in done:
            outcome.job.forget_age()
        return done

    # --- what there is

    def queues(self, cluster: str | None = None) -> Listing[QueueInfo]:
        """The cluster's queues and their limits, as a list that shows itself as a table."""
        where = cluster or self.cluster
        request = actions.ListQueuesRequest(cluster_id=where)
        return queue_listing(self._ask("ListQueues", request.to_wire(), actions.ListQueuesResponse).queues, where)

    def clusters(self) -> Listing[ClusterInfo]:
        """The clusters configured here, as a list that shows itself as a table."""
        request = actions.ListClustersRequest(page_size=_CLUSTERS_PAGE)
        return cluster_listing(self._ask("ListClusters", request.to_wire(), actions.ListClustersResponse).clusters)


def _jobs_in(after: Any) -> list[Job]:
    """The jobs in what ``after=`` was given."""
    if isinstance(after, Job):
        return [after]
    return [job for part in after for job in _jobs_in(part)] if isinstance(after, (list, tuple)) else []


def _with_advice(error: ServiceUnavailable, advice: str) -> ServiceUnavailable:
    made = ServiceUnavailable(f"{error.detail}. {advice}", recommend=error.recommend)
    made.request_id = error.request_id
    return made
