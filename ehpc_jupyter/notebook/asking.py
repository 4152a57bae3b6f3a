"""Questions in the API's words, answers as models: what ``Client`` and ``Job`` are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from ehpc_jupyter.errors import AgentError
from ehpc_jupyter.models import actions
from ehpc_jupyter.models.actions import Answer
from ehpc_jupyter.notebook.backend import default_backend, server_at
from ehpc_jupyter.notebook.clock import REAL_TIME, Clock
from ehpc_jupyter.notebook.default import default_cluster

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ehpc_jupyter.models.job import JobDetail
    from ehpc_jupyter.notebook.backend import Backend

JOBS_PAGE = 50
_TASKS_PAGE = 100
_AnswerT = TypeVar("_AnswerT", bound=Answer)


class Asker:
    """Asks for clusters and jobs by their ids; see ``Client`` for the arguments."""

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

    def where(self) -> str:
        """Who answers: the address of a Jupyter server, or ``this kernel``."""
        return self._backend.describe()

    def look(self, cluster: str, job_id: str) -> actions.JobInfo:
        """What is known of a job now. ``Job.refresh`` is the comfortable way."""
        request = actions.GetJobRequest(cluster_id=cluster, job_id=job_id)
        return self._ask("GetJob", request.to_wire(), actions.GetJobResponse).job_info

    def look_at(self, cluster: str, keys: Iterable[str]) -> list[JobDetail]:
        """What is known of at most 50 jobs now, newest first; those that are not known are missing.

        Args:
            cluster: where they are.
            keys: their ids, or those of the requests that made them.
        """
        chosen = actions.JobFilter(job_ids=tuple(keys))
        return [row.detail for row in self._page_of_jobs(cluster, chosen, 1, JOBS_PAGE).jobs]

    def log(self, request: actions.GetJobLogRequest) -> actions.GetJobLogResponse:
        """A piece of a job's output. ``Job.stdout`` is the comfortable way."""
        return self._ask("GetJobLog", request.to_wire(), actions.GetJobLogResponse)

    def tasks_of(self, cluster: str, job_id: str) -> list[actions.TaskGroup]:
        """All groups of an array's tasks. ``Job.tasks`` is the comfortable way."""
        found: list[actions.TaskGroup] = []
        page = 1
        while True:
            request = actions.ListTasksRequest(
                cluster_id=cluster, job_id=job_id, page_number=page, page_size=_TASKS_PAGE
            )
            answer = self._ask("ListTasks", request.to_wire(), actions.ListTasksResponse)
            found += answer.tasks
            if not answer.tasks or len(found) >= answer.total_count:
                return found
            page += 1

    def events_of(self, cluster: str, job_id: str) -> tuple[actions.JobEvent, ...]:
        """All changes of a job's state. ``Job.events`` is the comfortable way."""
        request = actions.ListJobEventsRequest(cluster_id=cluster, job_id=job_id)
        return self._ask("ListJobEvents", request.to_wire(), actions.ListJobEventsResponse).events

    def _page_of_jobs(self, cluster: str, chosen: actions.JobFilter, page: int, size: int) -> actions.ListJobsResponse:
        request = actions.ListJobsRequest(cluster_id=cluster, page_number=page, page_size=size, job_filter=chosen)
        return self._ask("ListJobs", request.to_wire(), actions.ListJobsResponse)

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
