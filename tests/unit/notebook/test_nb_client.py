"""Submitting, listing, and never submitting twice."""

from __future__ import annotations

import datetime as dt
import re
import traceback

import pytest

from ehpc_jupyter import JobSpec, Resources
from ehpc_jupyter.errors import AgentError, ClusterNotFound, InvalidParams, ServiceUnavailable, SubmitFailure
from ehpc_jupyter.models.actions import CreateJobRequest
from ehpc_jupyter.models.job import JobState
from ehpc_jupyter.notebook.client import Client
from ehpc_jupyter.notebook.fields import fields_of
from ehpc_jupyter.notebook.http_backend import LostAnswer

#: One good value for each field; a new field of the model asks for its own line here.
GOOD = {
    "cluster": ("big", "big"),
    "name": ("hello", "hello"),
    "script": ("hostname\n", "hostname\n"),
    "command_line": ("-- /bin/hostname", "-- /bin/hostname"),
    "job_queue": ("batch", "batch"),
    "wall_time": (dt.timedelta(minutes=90), "1:30:00"),
    "nodes": (2, 2),
    "cores": (4, 4),
    "memory": ("4 gb", "4GB"),
    "gpus": (1, 1),
    "array_request": ("1-5:2", "1-5:2"),
    "after": ("12,any:13", "ok:12,any:13"),
    "variables": ({"A": "1"}, '[{"Name": "A", "Value": "1"}]'),
    "priority": (3, "3"),
    "work_dir": ("~/x", "~/x"),
    "stdout_path": ("/tmp/o", "/tmp/o"),
    "stderr_path": ("/tmp/e", "/tmp/e"),
    "post_cmd_line": ("date", "date"),
    "runas_user": ("me", "me"),
    "client_token": ("token-1", "token-1"),
}


def at(body, path):
    for part in path.split("."):
        body = body[part]
    return body


@pytest.mark.parametrize("field", [f for f in fields_of() if not f.is_group], ids=lambda f: f.name)
def test_every_field_of_the_model_is_a_keyword(client, backend, field):
    what = {} if field.name in {"script", "command_line"} else {"script": "true"}
    if field.name == "runas_user_password":
        client.submit(**what, runas_user="me", runas_user_password="pw")
        assert at(backend.bodies("CreateJob")[0], field.path) == "pw"
        return
    value, written = GOOD[field.name]
    client.submit(**{**what, field.name: value})
    assert at(backend.bodies("CreateJob")[0], field.path) == written


def test_a_spec_with_keywords_laid_over_it(client, backend):
    spec = JobSpec(script="hostname", wall_time="1:00:00", resources=Resources(nodes=1, cores=2))
    client.submit(spec, nodes=3, name="x")
    (body,) = backend.bodies("CreateJob")
    assert body["JobSpec"] == {"Script": "hostname", "WallTime": "1:00:00", "Resources": {"Nodes": 3, "Cores": 2}}
    assert body["JobName"] == "x"


@pytest.mark.parametrize("resources", [Resources(cores=2, nodes=1), {"cores": 2, "nodes": 1}, {"Cores": 2, "Nodes": 1}])
def test_resources_as_a_group_and_flat(client, backend, resources):
    client.submit(script="x", resources=resources, memory="1GB")
    assert backend.bodies("CreateJob")[0]["JobSpec"]["Resources"] == {"Cores": 2, "Nodes": 1, "Memory": "1GB"}


def test_none_means_not_given(client, backend):
    client.submit(script="x", wall_time=None, resources=None)
    assert backend.bodies("CreateJob")[0]["JobSpec"] == {"Script": "x"}


@pytest.mark.parametrize(("wrong", "hint"), [("walltime", "wall_time"), ("node", "nodes"), ("queue", "job_queue")])
def test_an_unknown_keyword_names_the_nearest(client, backend, wrong, hint):
    with pytest.raises(TypeError, match=f"submit\\(\\) got an unexpected keyword '{wrong}'.*{hint}"):
        client.submit(script="x", **{wrong: 1})
    assert backend.calls == []


def test_an_unknown_part_of_resources_is_refused_by_the_model(client):
    with pytest.raises(InvalidParams, match=r"JobSpec\.Resources\.corse .*Cores"):
        client.submit(script="x", resources={"corse": 1})


def test_problems_are_all_told_before_anything_is_sent(client, backend):
    with pytest.raises(InvalidParams) as caught:
        client.submit(script="x", wall_time="5 h", nodes=0)
    assert {p.field for p in caught.value.problems} == {"JobSpec.WallTime", "JobSpec.Resources.Nodes"}
    assert backend.calls == []


def test_nothing_to_run_says_what_is_missing(client):
    with pytest.raises(InvalidParams, match=r"JobSpec\.CommandLine.*Script"):
        client.submit()


def test_each_submission_has_a_token_of_its_own(client, backend):
    client.submit(script="x")
    client.submit(script="x")
    first, second = (body["ClientToken"] for body in backend.bodies("CreateJob"))
    assert first != second
    assert re.fullmatch("[0-9a-f]{32}", first)


def test_a_lost_answer_is_asked_for_once_more_with_the_same_token(client, backend):
    backend.after["CreateJob"] = [LostAnswer("closed")]
    job = client.submit(script="x")
    first, second = backend.bodies("CreateJob")
    assert first == second
    assert list(backend.jobs) == [job.job_id]


def test_an_answer_lost_twice_is_not_asked_for_again_and_says_how_to_go_on(client, backend):
    backend.after["CreateJob"] = [LostAnswer("closed"), LostAnswer("closed")]
    with pytest.raises(ServiceUnavailable, match=r"client\.jobs\(\).*client_token='") as caught:
        client.submit(script="x")
    sent = backend.bodies("CreateJob")
    assert len(sent) == 2
    token = re.search("client_token='([0-9a-f]+)'", str(caught.value))[1]
    assert client.submit(script="x", client_token=token).job_id in backend.jobs
    assert len(backend.jobs) == 1


@pytest.mark.parametrize("error", [SubmitFailure("no"), ServiceUnavailable("down"), AgentError("?")])
def test_a_refusal_is_never_sent_again(client, backend, error):
    backend.before["CreateJob"] = [error]
    with pytest.raises(type(error)):
        client.submit(script="x")
    assert len(backend.bodies("CreateJob")) == 1


def test_a_password_is_in_no_traceback(client, backend):
    backend.before["CreateJob"] = [SubmitFailure("no")]
    with pytest.raises(SubmitFailure) as caught:
        client.submit(script="x", runas_user="me", runas_user_password="pw-5f2")
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [str(f.locals) for f in told.stack if "ehpc_jupyter" in f.filename and f.name not in {"submit"}]
    assert ours
    assert "pw-5f2" not in "".join(ours)


def test_an_answer_of_another_version_says_so(client, backend):
    backend._GetJob = lambda body: CreateJobRequest(cluster_id="local", job_spec=JobSpec(script="x"))
    with pytest.raises(AgentError, match="install the same version"):
        _ = client.job(1).state


@pytest.mark.parametrize("text", [12, "12", "Submitted batch job 12\n"])
def test_a_job_by_its_id(client, backend, text):
    backend.add("12")
    assert client.job(text).refresh().job_id == "12"


def test_an_id_that_is_none(client):
    with pytest.raises(InvalidParams, match="no job id"):
        client.job("../x")


def test_jobs_are_listed_page_by_page_up_to_the_limit(client, backend):
    for number in range(120):
        backend.add(str(number))
    jobs = client.jobs(limit=70)
    assert [job.job_id for job in jobs] == [str(number) for number in range(70)]
    assert [(b["PageNumber"], b["PageSize"]) for b in backend.bodies("ListJobs")] == [(1, 50), (2, 50)]
    assert "70 of 120" in repr(jobs)


def test_listing_asks_for_no_more_than_is_wanted(client, backend):
    backend.add("1")
    assert client.jobs("finished", name="h", queue="batch", limit=5)
    (body,) = backend.bodies("ListJobs")
    assert body["PageSize"] == 5
    assert body["JobFilter"]["JobStatus"] == "finished"
    assert (body["JobFilter"]["JobName"], body["JobFilter"]["Queues"]) == ("h", ["batch"])


def test_listed_jobs_are_known_without_asking_each(client, backend):
    backend.add("1", state=JobState.FINISHED, exit_code=0)
    (job,) = client.jobs()
    assert (job.state, job.exit_code) == (JobState.FINISHED, 0)
    assert backend.bodies("GetJob") == []


def test_queues_and_clusters(client):
    assert [queue.queue_name for queue in client.queues("big")] == ["gpu"]
    assert [cluster.cluster_id for cluster in client.clusters()] == ["local", "big"]
    with pytest.raises(ClusterNotFound):
        client.queues("nowhere")


def test_the_clients_cluster_is_the_default(backend):
    client = Client("big", backend=backend)
    assert client.submit(script="x").cluster_id == "big"
    assert client.submit(script="x", cluster="local").cluster_id == "local"
    assert repr(client) == "Client(cluster='big')"
