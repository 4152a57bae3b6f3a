"""The service and its monitor over a cluster in memory: who is asked how often, and what a failure may not do."""

from __future__ import annotations

import itertools
import threading
import time

import pytest

from ehpc_jupyter.clusters.base import Fate
from ehpc_jupyter.errors import EhpcError, InvalidParams, ListFailure, ServiceUnavailable, SubmitFailure
from ehpc_jupyter.jobs.service import JobService
from ehpc_jupyter.models.cluster import ClusterProfile
from ehpc_jupyter.models.job import JobState
from ehpc_jupyter.transport.base import LostAnswer, Unreachable
from tests.conftest import wait_for
from tests.unit.jobs.fake import FakeCluster

BODY = {"ClusterId": "a", "JobSpec": {"Script": "x"}}


@pytest.fixture
def make(tmp_path):
    made = []

    def make(*names, interval_s=0.2, path=tmp_path / "jobs.sqlite"):
        profiles = {name: ClusterProfile(name=name, host="h", poll_interval_s=interval_s) for name in names or ("a",)}
        service = JobService(profiles, path, FakeCluster)
        made.append(service)
        return service

    yield make
    for service in made:
        service.close()


def detail(service, job, cluster="a"):
    return service.call("GetJob", {"ClusterId": cluster, "JobId": job})["JobInfo"]["Detail"]


def listed(service):
    return service.call("ListJobs", {"ClusterId": "a", "PageSize": 50})["Jobs"]


def test_nothing_is_asked_when_there_is_nothing_to_know(make):
    service = make()
    cluster = service.cluster("a")
    for _ in range(5):
        listed(service)
        service.call("ListClusters", {})
    assert cluster.asked == 0
    job = service.call("CreateJob", BODY)["JobId"]
    cluster.states[job] = "FINISHED"
    wait_for(lambda: detail(service, job)["State"] == "FINISHED")
    wait_for(lambda: service.monitor("a")._thread is None, what="the end of the monitor's thread")
    asked = cluster.asked
    for _ in range(20):
        detail(service, job)
    assert cluster.asked == asked


def test_questions_do_not_grow_with_watchers(make):
    service = make(interval_s=0.3)
    cluster = service.cluster("a")
    jobs = [service.call("CreateJob", BODY)["JobId"] for _ in range(10)]
    wait_for(lambda: detail(service, jobs[0])["State"] == "RUNNING")
    start = cluster.asked
    stop = threading.Event()

    def watch():
        while not stop.is_set():
            for job in jobs:
                detail(service, job)

    watchers = [threading.Thread(target=watch) for _ in range(8)]
    for watcher in watchers:
        watcher.start()
    wait_for(lambda: cluster.asked >= start + 4, what="four more questions")
    asked, began = cluster.asked, start
    stop.set()
    for watcher in watchers:
        watcher.join()
    assert asked - began <= 6


def test_many_submissions_are_not_as_many_questions(make, monkeypatch):
    service = make(interval_s=5)
    cluster = service.cluster("a")
    cluster.gate.clear()
    times = []
    status = cluster.status

    def timed(users):
        begin = time.monotonic()
        reports = status(users)
        times.append((begin, time.monotonic()))
        return reports

    monkeypatch.setattr(cluster, "status", timed)
    begin = time.monotonic()
    while time.monotonic() < begin + 0.2 or not cluster.asked:  # the first question takes its time
        service.call("CreateJob", BODY)
    cluster.gate.set()
    while (
        len(times) < 3 and time.monotonic() < begin + 30
    ):  # the next ones are asked for by submissions, not by the interval
        service.call("CreateJob", BODY)
    assert len(times) >= 3
    for (begin, end), (later, _) in itertools.pairwise(times):
        assert later - end >= 3 * (end - begin)


def test_a_failed_question_makes_jobs_stale_and_nothing_else(make):
    service = make()
    cluster = service.cluster("a")
    job = service.call("CreateJob", BODY)["JobId"]
    wait_for(lambda: detail(service, job)["State"] == "RUNNING")
    cluster.fail_status = ListFailure("no luck")
    wait_for(lambda: detail(service, job).get("StaleReason") == "no luck")
    assert detail(service, job)["State"] == "RUNNING"
    (info,) = service.call("ListClusters", {})["Clusters"]
    assert (info["ClusterStatus"], info["ClusterStatusReason"]) == ("exception", "no luck")
    cluster.fail_status = None
    wait_for(lambda: "StaleReason" not in detail(service, job))
    assert service.call("ListClusters", {})["Clusters"][0]["ClusterStatus"] == "running"


def test_a_cluster_that_hangs_holds_up_no_other(make):
    service = make("a", "b")
    slow = service.cluster("a")
    job = service.call("CreateJob", BODY)["JobId"]
    slow.gate.clear()
    wait_for(lambda: slow.asked)
    other = service.call("CreateJob", {**BODY, "ClusterId": "b"})["JobId"]
    service.cluster("b").states[other] = "FINISHED"
    wait_for(lambda: detail(service, other, "b")["State"] == "FINISHED")
    assert detail(service, job)["State"] in ("QUEUED", "RUNNING")


def test_another_jobs_report_with_the_same_id_is_not_taken(make):
    service = make()
    cluster = service.cluster("a")
    job = service.call("CreateJob", BODY)["JobId"]
    # The scheduler was set up anew: its job 1 is somebody else's now.
    theirs = cluster.submitted[0].__class__(**{**vars(cluster.submitted[0]), "request_id": "f" * 32})
    wait_for(lambda: detail(service, job)["State"] == "RUNNING")
    cluster.submitted[0] = theirs
    cluster.states[job] = "FINISHED"
    wait_for(lambda: detail(service, job)["State"] == "UNKNOWN")


def test_a_refusal_is_told_and_listed_nowhere(make):
    service = make()
    service.cluster("a").fail_submit = [SubmitFailure("too large")]
    with pytest.raises(SubmitFailure, match="too large") as failure:
        service.call("CreateJob", BODY)
    assert failure.value.request_id
    assert listed(service) == []


@pytest.mark.parametrize("error", [Unreachable("no way"), ListFailure("x")])
def test_what_was_not_sent_was_not_submitted(make, error):
    service = make()
    service.cluster("a").fail_submit = [error]
    with pytest.raises(EhpcError):
        service.call("CreateJob", {**BODY, "ClientToken": "t"})
    assert listed(service) == []
    assert len(service.cluster("a").submitted) == 1


def test_a_lost_answer_is_looked_into(make):
    service = make()
    cluster = service.cluster("a")
    cluster.fail_submit = [LostAnswer("cut")]
    cluster.fate_is = Fate(JobState.QUEUED, "1")
    assert service.call("CreateJob", BODY)["JobId"] == "1"
    assert len(cluster.submitted) == 1


def test_a_lost_answer_that_nobody_can_settle_yet_is_shown_and_found_later(make):
    service = make()
    cluster = service.cluster("a")
    cluster.fail_submit = [LostAnswer("cut")]
    token = {**BODY, "ClientToken": "t"}
    with pytest.raises(ServiceUnavailable, match="being looked for"):
        service.call("CreateJob", token)
    (job,) = listed(service)
    assert job["Detail"]["State"] == "SUBMITTING"
    with pytest.raises(ServiceUnavailable, match="being looked for"):
        service.call("CreateJob", token)
    assert len(cluster.submitted) == 1


def test_a_lost_answer_to_a_request_that_never_arrived(make):
    service = make()
    cluster = service.cluster("a")
    cluster.fail_submit = [LostAnswer("cut")]
    cluster.fate_is = Fate(JobState.NOT_SUBMITTED, reason="did not reach it")
    with pytest.raises(ServiceUnavailable, match="nothing was submitted"):
        service.call("CreateJob", BODY)
    assert listed(service) == []


def test_twenty_requests_at_once_with_one_token_are_one_job(make):
    service, other = make(), None
    other = make()  # a second server on the same store
    answers = []

    def ask(which):
        try:
            answers.append(which.call("CreateJob", {**BODY, "ClientToken": "t"})["JobId"])
        except ServiceUnavailable:
            answers.append("ask again")

    threads = [threading.Thread(target=ask, args=((service, other)[i % 2],)) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(len(s.cluster("a").submitted) for s in (service, other)) == 1
    assert set(answers) <= {"1", "ask again"}
    assert service.call("CreateJob", {**BODY, "ClientToken": "t"})["JobId"] == "1"
    with pytest.raises(InvalidParams, match="ClientToken"):
        service.call("CreateJob", {"ClusterId": "a", "JobSpec": {"Script": "y"}, "ClientToken": "t"})


def test_a_listener_that_fails_stops_nobody(make, caplog):
    service = make()
    heard = []
    service.subscribe(lambda detail: 1 / 0)
    service.subscribe(heard.append)
    job = service.call("CreateJob", BODY)["JobId"]
    service.cluster("a").states[job] = "FINISHED"
    wait_for(lambda: [d.state.value for d in heard][-1:] == ["FINISHED"])
    assert "a listener to job changes failed" in caplog.text


def test_jobs_of_before_are_taken_up(make):
    service = make()
    job = service.call("CreateJob", BODY)["JobId"]
    submitted = service.cluster("a").submitted
    service.close()
    again = make()
    again.cluster("a").submitted = submitted
    again.cluster("a").states[job] = "FINISHED"
    again.start()
    heard = []
    again.subscribe(heard.append)
    wait_for(lambda: detail(again, job)["State"] == "FINISHED")
