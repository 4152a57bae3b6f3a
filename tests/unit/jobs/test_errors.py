"""Every row of the API's error table happens, by an action of the service."""

from __future__ import annotations

import json

import pytest

from ehpc_jupyter import errors
from ehpc_jupyter.jobs.service import JobService
from ehpc_jupyter.models.cluster import ClusterProfile
from ehpc_jupyter.transport.base import NoSuchFile, Unreachable
from tests.unit.jobs.fake import FakeCluster

SPEC = {"Script": "x"}


class Failing(FakeCluster):
    """Raises what a test puts into ``raises``, by the name of what is asked."""

    def __init__(self, profile):
        super().__init__(profile)
        self.raises = {}
        self.answers = {}

    def _do(self, name, answer):
        if name in self.raises:
            raise self.raises[name]
        return self.answers.get(name, answer)

    def login(self, user, password):
        return self._do("login", super().login(user, password))

    def history(self, job_ids):
        return self._do("history", [])

    def queues(self):
        return self._do("queues", [])

    def stop(self, job_ids, user):
        return self._do("stop", None)

    def task_of(self, job_id):
        task = job_id.partition("_")[2]
        return int(task) if task else None

    def read(self, path, user, offset, size):
        return self._do("read", (b"", 0))

    def remove_folders(self, folders, user):
        return self._do("remove", dict.fromkeys(folders, "why"))


@pytest.fixture
def service(tmp_path):
    profiles = {
        "a": ClusterProfile(name="a", host="h", poll_interval_s=60),
        "off": ClusterProfile(name="off", host="h", enabled=False),
        "bare": ClusterProfile(name="bare", scheduler="auto", jobs_folder="~/x"),
    }
    made = JobService(profiles, tmp_path / "jobs.sqlite", Failing)
    made.ended = lambda **more: _ended(made, **more)
    yield made
    made.close()


def call(service, action, cluster="a", **fields):
    return service.call(action, {"ClusterId": cluster, **fields})


def _ended(service, **spec):
    job = call(service, "CreateJob", JobSpec={**SPEC, **spec})["JobId"]
    service.cluster("a").states[job] = "FINISHED"
    service.monitor("a").sweep()
    return job


def no_scheduler(service, monkeypatch):
    from ehpc_jupyter.clusters.batch import BatchCluster

    monkeypatch.setenv("PATH", "/nosuch")
    service._make_cluster = BatchCluster
    call(service, "CreateJob", "bare", JobSpec=SPEC)


def broken(service, what, error, action, **fields):
    service.cluster("a").raises[what] = error
    call(service, action, **fields)


def unsubmitted(service, error):
    service.cluster("a").fail_submit.append(error)
    call(service, "CreateJob", JobSpec=SPEC)


WAYS = {
    "a field that is wrong": ("InvalidParams", lambda s, m: call(s, "CreateJob", JobSpec={"WallTime": "soon", **SPEC})),
    "a cluster that is disabled": ("InvalidClusterStatus", lambda s, m: call(s, "CreateJob", "off", JobSpec=SPEC)),
    "a cluster that is not there": ("ClusterNotFound", lambda s, m: call(s, "GetCluster", "nosuch")),
    # No scheduler has clouds or containers below it: only a cluster of the cloud kind raises these two.
    "the cloud below fails": ("EcsError", lambda s, m: unsubmitted(s, errors.EcsError("no such instance"))),
    "a container": (
        "AgentError.Job.InvalidContainerType",
        lambda s, m: unsubmitted(s, errors.InvalidContainerType("docker")),
    ),
    "no scheduler": ("AgentError", no_scheduler),
    "a file that cannot be read": (
        "AgentError",
        lambda s, m: broken(s, "read", errors.AgentError("/x: Permission denied"), "GetJobLog", JobId=s.ended()),
    ),
    "the scheduler refuses": (
        "AgentError.Job.SubmitFailure",
        lambda s, m: unsubmitted(s, errors.SubmitFailure("Requested node configuration is not available")),
    ),
    "a folder that stays": (
        "AgentError.Job.DeleteFailure",
        lambda s, m: call(s, "DeleteJobs", JobIds=[s.ended()], DeleteFolder=True),
    ),
    "the accounting fails": (
        "AgentError.Job.ListFailure",
        lambda s, m: task_without_accounting(s),
    ),
    "the account is shut": ("AgentError.Job.RerunFailure", lambda s, m: rerun_of_another_account(s)),
    "somebody else's job": (
        "AgentError.Job.StopFailure",
        lambda s, m: broken(
            s,
            "stop",
            errors.StopFailure("Access/permission denied"),
            "StopJobs",
            JobIds=[call(s, "CreateJob", JobSpec=SPEC)["JobId"]],
        ),
    ),
    "a cluster that is down": (
        "ServiceUnavailable",
        lambda s, m: broken(s, "queues", Unreachable("login.example.org does not answer"), "ListQueues"),
    ),
}


def task_without_accounting(service):
    job = call(service, "CreateJob", JobSpec={**SPEC, "ArrayRequest": "1-3"})["JobId"]
    service.cluster("a").raises["read"] = NoSuchFile("task.2")
    broken(service, "history", errors.ListFailure("sacct: error: no answer"), "GetJob", JobId=f"{job}_2")


def rerun_of_another_account(service):
    job = service.ended(RunasUser="anna", RunasUserPassword="c4n4ry")
    refused = errors.InvalidParams(errors.Problem("JobSpec.RunasUser", "login as anna was refused"))
    broken(service, "login", refused, "RerunJobs", JobIds=[job])


def test_every_row_has_a_way():
    assert {code for code, _ in WAYS.values()} == {row.code for row in errors.TABLE}


@pytest.mark.parametrize("way", WAYS)
def test_it_happens(service, monkeypatch, way):
    code, act = WAYS[way]
    with pytest.raises(errors.EhpcError) as failure:
        act(service, monkeypatch)
    assert failure.value.code == code, failure.value
    assert failure.value.detail
    assert failure.value.request_id


def test_the_words_say_what_to_do(service):
    with pytest.raises(errors.RerunFailure, match=r"ran as anna, .* give RunasUserPassword .*was refused"):
        rerun_of_another_account(service)
    del service.cluster("a").raises["login"]
    (job,) = call(service, "ListJobs")["Jobs"]
    again = call(service, "RerunJobs", JobIds=[job["JobSpec"]["Id"]], RunasUserPassword="n3w")["JobIds"]
    sent = service.cluster("a").submitted[-1].request
    assert (again, sent.job_spec.runas_user_password.get_secret_value()) == (["2"], "n3w")
    assert b"n3w" not in service.store.path.read_bytes()


def test_one_of_several_that_cannot_run_again_does_not_hide_the_others(service):
    jobs = [service.ended(), service.ended()]
    service.cluster("a").fail_submit.append(errors.SubmitFailure("queue is full"))
    with pytest.raises(errors.RerunFailure, match=rf"job {jobs[0]}: queue is full \(run again, as 4: the others\)"):
        call(service, "RerunJobs", JobIds=jobs)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"JobStatus": "done"}, "JobFilter.JobStatus"),
        ({"CreateTimeStart": "yesterday"}, "JobFilter.CreateTimeStart"),
        ({"CreateTimeEnd": "-1"}, "JobFilter.CreateTimeEnd"),
        ({"SortBy": {"SubmitOrder": "up"}}, "JobFilter.SortBy.SubmitOrder"),
        ({"SortBy": {"Order": "asc"}}, "JobFilter.SortBy.Order"),
        ({"SortBy": "asc"}, "JobFilter.SortBy"),
        ({"Nodes": 3}, "JobFilter.Nodes"),
        ({"Queues": ["a\0"]}, "JobFilter.Queues"),
        ({"Diagnosis": [{"Option": "x"}]}, "JobFilter.Diagnosis"),
        ({"Users": ["x"] * 101}, "JobFilter.Users"),
        ({"Name": "x"}, "JobFilter.Name"),
        ("{", "JobFilter"),
    ],
)
def test_a_filter_that_is_wrong_is_refused_with_its_field(service, wanted, field):
    for form in (wanted, json.dumps(wanted) if isinstance(wanted, dict) else wanted):
        with pytest.raises(errors.InvalidParams) as failure:
            call(service, "ListJobs", JobFilter=form)
        assert [problem.field for problem in failure.value.problems] == [field]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"PageNumber": "0"}, "PageNumber"),
        ({"PageSize": "51"}, "PageSize"),
        ({"PageSize": "ten"}, "PageSize"),
    ],
)
def test_a_page_that_is_wrong(service, fields, field):
    with pytest.raises(errors.InvalidParams) as failure:
        call(service, "ListJobs", **fields)
    assert [problem.field for problem in failure.value.problems] == [field]
