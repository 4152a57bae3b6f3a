"""A backend that answers like the service, and time that passes at once; both go in through ``Client``'s arguments."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from ehpc_jupyter.errors import (
    AgentError,
    ClusterNotFound,
    DeleteFailure,
    InvalidParams,
    JobNotFound,
    Problem,
    RerunFailure,
)
from ehpc_jupyter.models import actions
from ehpc_jupyter.models.job import JobDetail, JobState
from ehpc_jupyter.notebook.client import Client
from ehpc_jupyter.notebook.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOW = 1_700_000_000


class FakeTime:
    """Passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []
        self.on_sleep: Callable[[float], None] = lambda seconds: None

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        self.on_sleep(seconds)

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)

    @property
    def clock(self) -> Clock:
        return Clock(monotonic=lambda: self.now, sleep=self.sleep, asleep=self.asleep)


@dataclass
class FakeJob:
    """A job that goes one state further each time somebody looks, and then stays."""

    detail: JobDetail
    plan: list[JobState] = field(default_factory=list)
    stdout: bytes | None = b""
    stderr: bytes | None = b""
    at_end: dict[str, Any] = field(default_factory=dict)

    def look(self) -> JobDetail:
        if self.plan:
            state = self.plan.pop(0)
            self.detail = self.detail.model_copy(update={"state": state, **(self.at_end if state.is_final else {})})
        return self.detail


class FakeBackend:
    """Answers the actions from memory. Requests are read with the real models, answers written with them."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.jobs: dict[str, FakeJob] = {}
        self.before: dict[str, list[Exception]] = {}
        self.after: dict[str, list[Exception]] = {}
        self.plan = [JobState.QUEUED, JobState.RUNNING, JobState.FINISHED]
        self.queues: dict[str, list[dict[str, Any]]] = {
            "local": [
                {"queue_name": "batch", "is_default": True, "state": "UP", "max_wall_time": "1:00:00", "max_nodes": 4},
                {"queue_name": "long", "is_default": False, "state": "UP"},
            ],
            "big": [{"queue_name": "gpu", "is_default": True, "state": "UP", "max_gpus_per_node": 8}],
        }
        self.task_groups: dict[str, list[actions.TaskGroup]] = {}
        self.events: list[actions.JobEvent] = []
        self.verdict: dict[str, Any] = {}
        self._tokens: dict[str, str] = {}

    def describe(self) -> str:
        return "a fake"

    def call(self, action: str, body: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        assert timeout_s > 0
        self.calls.append((action, dict(body)))
        self._raise_next(self.before, action)
        answer = getattr(self, f"_{action}")(body)
        self._raise_next(self.after, action)
        return answer.model_copy(update={"request_id": "REQ-1"}).to_wire()

    def bodies(self, action: str) -> list[dict[str, Any]]:
        return [body for name, body in self.calls if name == action]

    def add(self, job_id: str, **values: Any) -> FakeJob:
        plan = values.pop("plan", [])
        parts = {name: values.pop(name) for name in ("stdout", "stderr", "at_end") if name in values}
        known = {"cluster_id": "local", "request_id": f"r{job_id}", "job_id": job_id, "job_name": "hello"}
        self.jobs[job_id] = FakeJob(JobDetail(**{**known, "state": JobState.QUEUED, **values}), plan, **parts)
        return self.jobs[job_id]

    @staticmethod
    def _raise_next(faults: dict[str, list[Exception]], action: str) -> None:
        if faults.get(action):
            raise faults[action].pop(0)

    def _CreateJob(self, body: dict[str, Any]) -> actions.CreateJobResponse:  # noqa: N802 - named as the action
        request = actions.CreateJobRequest.from_wire(body)
        if request.cluster_id not in self.queues:
            raise ClusterNotFound(f"{request.cluster_id!r} is not configured")
        assert request.client_token
        job_id = self._tokens.setdefault(request.client_token, str(len(self.jobs) + 10))
        if job_id not in self.jobs:
            self.add(
                job_id,
                cluster_id=request.cluster_id,
                job_name=request.job_name or "job",
                state=JobState.SUBMITTING,
                submit_time=NOW,
                plan=list(self.plan),
                stdout=b"one\ntwo\n",
                at_end={"exit_code": 0, "start_time": NOW + 1, "end_time": NOW + 63},
            )
        return actions.CreateJobResponse(job_id=job_id)

    def _GetJob(self, body: dict[str, Any]) -> actions.GetJobResponse:  # noqa: N802
        request = actions.GetJobRequest.from_wire(body)
        if request.job_id not in self.jobs:
            raise JobNotFound(f"no job {request.job_id}")
        detail = self.jobs[request.job_id].look()
        info = actions.JobInfo(job_id=detail.job_id, job_name=detail.job_name, state=detail.state.value, detail=detail)
        return actions.GetJobResponse(job_info=info)

    def _ListJobs(self, body: dict[str, Any]) -> actions.ListJobsResponse:  # noqa: N802
        request = actions.ListJobsRequest.from_wire(body)
        here = [job for job in self.jobs.values() if job.detail.cluster_id == request.cluster_id]
        if named := request.job_filter.job_ids:
            found = [job.look() for job in here if {job.detail.job_id, job.detail.request_id} & set(named)]
        else:
            found = [job.detail for job in here]
        start = (request.page_number - 1) * request.page_size
        return actions.ListJobsResponse(
            page_number=request.page_number,
            page_size=request.page_size,
            total_count=len(found),
            jobs=tuple(
                actions.ListedJob(job_name=d.job_name, job_spec={"State": d.state.value}, detail=d)
                for d in found[start : start + request.page_size]
            ),
        )

    def _GetJobLog(self, body: dict[str, Any]) -> actions.GetJobLogResponse:  # noqa: N802
        request = actions.GetJobLogRequest.from_wire(body)
        values: dict[str, Any] = {}
        for kind in ("stdout", "stderr"):
            data = getattr(self.jobs[request.job_id], kind)
            if request.log_type in {kind, "all"} and data is not None:
                piece = data[request.offset : request.offset + request.size]
                values |= {f"{kind}_log": base64.b64encode(piece).decode(), f"{kind}_log_size": len(data)}
        return actions.GetJobLogResponse(job_id=request.job_id, **values)

    def _StopJobs(self, body: dict[str, Any]) -> actions.StopJobsResponse:  # noqa: N802
        return self._order(actions.StopJobsRequest.from_wire(body), actions.StopJobsResponse, "stopping", "CANCELLED")

    def _HoldJobs(self, body: dict[str, Any]) -> actions.HoldJobsResponse:  # noqa: N802
        return self._order(actions.HoldJobsRequest.from_wire(body), actions.HoldJobsResponse, "held", "HELD")

    def _ReleaseJobs(self, body: dict[str, Any]) -> actions.ReleaseJobsResponse:  # noqa: N802
        return self._order(
            actions.ReleaseJobsRequest.from_wire(body), actions.ReleaseJobsResponse, "released", "QUEUED"
        )

    def _order(self, request: Any, answer: Any, outcome: str, state: str) -> Any:
        """As the service: when one of several cannot be done, none is."""
        found = [self._job(job_id) for job_id in request.job_ids]
        if ended := [job.detail.job_id for job in found if job.detail.is_final and outcome != "stopping"]:
            raise AgentError(f"{', '.join(map(str, ended))} ended already; nothing was done")
        results = []
        for job_id, job in zip(request.job_ids, found, strict=True):
            done = job.detail.is_final
            job.plan = [] if done else [JobState(state)]
            results.append(actions.JobOutcome(job_id=job_id, outcome="ended already" if done else outcome))
        return answer(results=tuple(results))

    def _RerunJobs(self, body: dict[str, Any]) -> actions.RerunJobsResponse:  # noqa: N802
        request = actions.RerunJobsRequest.from_wire(body)
        found = [self._job(job_id) for job_id in request.job_ids]
        if waiting := [job.detail.job_id for job in found if not job.detail.is_final]:
            raise RerunFailure(f"job {waiting[0]} has not ended, it is QUEUED; stop it first")
        results = []
        for job_id in request.job_ids:
            new_id = self._tokens.setdefault(f"{request.client_token} {job_id}", f"{job_id}00")
            self.add(new_id, rerun_of=job_id)
            results.append(actions.JobOutcome(job_id=job_id, outcome="submitted again", new_job_id=new_id))
        return actions.RerunJobsResponse(job_ids=tuple(str(r.new_job_id) for r in results), results=tuple(results))

    def _DeleteJobs(self, body: dict[str, Any]) -> actions.DeleteJobsResponse:  # noqa: N802
        request = actions.DeleteJobsRequest.from_wire(body)
        for job_id in request.job_ids:
            if not self._job(job_id).detail.is_final:
                raise DeleteFailure(f"job {job_id} has not ended; stop it first")
        for job_id in request.job_ids:
            del self.jobs[job_id]
        results = tuple(actions.JobOutcome(job_id=job_id, outcome="deleted") for job_id in request.job_ids)
        return actions.DeleteJobsResponse(results=results)

    def _job(self, job_id: str) -> FakeJob:
        if job_id not in self.jobs:
            raise JobNotFound(f"no job {job_id}")
        return self.jobs[job_id]

    def _ListTasks(self, body: dict[str, Any]) -> actions.ListTasksResponse:  # noqa: N802
        request = actions.ListTasksRequest.from_wire(body)
        groups = self.task_groups.get(request.job_id)
        if groups is None:
            raise InvalidParams(Problem("JobId", f"job {request.job_id} is no array; it has no tasks"))
        start = (request.page_number - 1) * request.page_size
        return actions.ListTasksResponse(
            page_number=request.page_number,
            page_size=request.page_size,
            total_count=len(groups),
            tasks=tuple(groups[start : start + request.page_size]),
        )

    def _ListJobEvents(self, body: dict[str, Any]) -> actions.ListJobEventsResponse:  # noqa: N802
        request = actions.ListJobEventsRequest.from_wire(body)
        self._job(request.job_id)
        return actions.ListJobEventsResponse(job_id=request.job_id, events=tuple(self.events))

    def _CheckJob(self, body: dict[str, Any]) -> actions.CheckJobResponse:  # noqa: N802
        request = actions.CheckJobRequest.from_wire(body)
        self.checked = request
        return actions.CheckJobResponse(
            **{"valid": True, "script": "#!/bin/bash\n", "command": "sbatch", **self.verdict}
        )

    def _ListClusters(self, body: dict[str, Any]) -> actions.ListClustersResponse:  # noqa: N802
        actions.ListClustersRequest.from_wire(body)
        infos = tuple(
            actions.ClusterInfo(cluster_id=name, cluster_name=name, cluster_description=f"the {name} one")
            for name in self.queues
        )
        return actions.ListClustersResponse(page_number="1", page_size=50, total_count=len(infos), clusters=infos)

    def _ListQueues(self, body: dict[str, Any]) -> actions.ListQueuesResponse:  # noqa: N802
        request = actions.ListQueuesRequest.from_wire(body)
        if request.cluster_id not in self.queues:
            raise ClusterNotFound(f"{request.cluster_id!r} is not configured")
        return actions.ListQueuesResponse(queues=tuple(actions.QueueInfo(**q) for q in self.queues[request.cluster_id]))


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def fake_time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def client(backend: FakeBackend, fake_time: FakeTime) -> Client:
    return Client(backend=backend, clock=fake_time.clock)


@pytest.fixture
def shell() -> Iterator[Any]:
    """An IPython shell without history, the one that ``get_ipython()`` answers."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    InteractiveShell.clear_instance()
    made = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    yield made
    InteractiveShell.clear_instance()
