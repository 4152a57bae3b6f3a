"""What goes wrong around the service: clusters that hang, disks that are full, accounts that are shut, two processes at once."""

from __future__ import annotations

import sqlite3
import threading
import time

import pytest

from ehpc_jupyter.clusters.base import Cluster, Fate, Prepared
from ehpc_jupyter.errors import EhpcError, InvalidParams, JobNotFound, ServiceUnavailable
from ehpc_jupyter.jobs.service import JobService
from ehpc_jupyter.jobs.store import JobStore, StoredJob
from ehpc_jupyter.models.cluster import ClusterProfile
from ehpc_jupyter.models.job import JobDetail, JobState
from ehpc_jupyter.schedulers.base import JobReport
from ehpc_jupyter.schedulers.script import TaskRecord
from ehpc_jupyter.transport.base import LoginRefused, LostAnswer
from tests.conftest import wait_for


class Toy(Cluster):
    """A cluster that a test plays."""

    scheduler_type = "TOY"

    def __init__(self, profile):
        self.profile = profile
        self.submitted, self.stopped, self.fates = [], [], []
        self.reports = {}
        self.shut = set()
        self.asked = []

    def login(self, user, password):
        return user or "me"

    def prepare(self, request, request_id, day, user):
        return Prepared(request, request_id, "n", user, f"/h/{request_id}", "/h/out", "/h/err")

    def submit(self, job):
        self.submitted.append(job)
        job_id = str(100 + len(self.submitted))
        self.reports[job_id] = JobReport(job_id, JobState.RUNNING, "R", token=job.request_id)
        return job_id

    def preview(self, job):
        raise NotImplementedError

    test = hold = release = recheck = prepare_in = preview

    def found_jobs(self):
        return []

    def fate(self, request_id, folder, user, *, age_s):
        self.fates.append(request_id)
        return Fate(JobState.NOT_SUBMITTED, reason="void")

    def status(self, users):
        return list(self.reports.values())

    def history(self, job_ids):
        return []

    def records(self, folders, user, tasks):
        self.asked.append(user)
        if user in self.shut:
            raise LoginRefused(f"login as {user} was refused")
        return {key: [TaskRecord(None, "h", 1, 2, 0)] for key in folders}

    def stop(self, job_ids, user):
        if user in self.shut:
            raise ServiceUnavailable("does not answer")
        self.stopped += job_ids

    def parent_id(self, job_id):
        return job_id.partition("_")[0]

    def task_of(self, job_id):
        task = job_id.partition("_")[2]
        return int(task) if task.isdecimal() and len(task) < 10 else None

    def queues(self):
        return []

    def nodes(self):
        return []

    def version(self):
        return "1"

    def remove_folders(self, folders, user):
        return {}

    def read(self, path, user, offset, size):
        return b"", 0

    def list(self, path, user):
        return []

    def close(self):
        pass


class Desk:
    def __init__(self, path, **profile):
        self.path = path
        self.profile = ClusterProfile(name="toy", host="x", poll_interval_s=0.2, **profile)
        self.toy = Toy(self.profile)
        self.service = JobService({"toy": self.profile}, path, lambda profile: self.toy)

    def call(self, action, **fields):
        return self.service.call(action, {"ClusterId": "toy", **fields})

    def submit(self, **more):
        spec = {"Script": "true", **more.pop("spec", {})}
        return self.call("CreateJob", JobSpec=spec, **more)["JobId"]

    def detail(self, job_id):
        return self.call("GetJob", JobId=job_id)["JobInfo"]["Detail"]


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path / "jobs.sqlite", command_timeout_s=1)
    yield made
    made.service.close()


def full(*_, **__):
    raise sqlite3.OperationalError("database or disk is full")


def test_a_store_that_fails_before_the_submit_submits_nothing_and_says_why(desk, monkeypatch):
    monkeypatch.setattr(desk.service.store, "add", full)
    with pytest.raises(ServiceUnavailable, match="disk is full"):
        desk.submit()
    assert desk.toy.submitted == []


def test_a_store_that_fails_after_the_submit_does_not_lose_the_job(desk, monkeypatch):
    monkeypatch.setattr(desk.service.store, "update", full)
    job = desk.submit(ClientToken="t")
    assert job == "101"
    monkeypatch.undo()
    assert len(desk.toy.submitted) == 1
    assert desk.service.store.active("toy")[0].detail.state is JobState.SUBMITTING
    desk.toy.fate = lambda *_, **__: Fate(JobState.QUEUED, "101")

    def found():
        desk.call("ListJobs")
        desk.service.monitor("toy").sweep()
        return desk.service.store.by_id("toy", "101")

    wait_for(found, what="the job to be found again")


def test_an_intent_is_stored_whole_or_not_at_all(tmp_path):
    store = JobStore(tmp_path / "jobs.sqlite")
    store._db.execute("DROP TABLE history")
    detail = JobDetail(cluster_id="c", request_id="r", job_name="n", state=JobState.SUBMITTING)
    with pytest.raises(sqlite3.Error):
        store.add(StoredJob(detail, {}, None, ""))
    assert store.by_request("r") is None
    store.close()


def test_an_older_answer_does_not_wake_a_job_that_ended(tmp_path):
    """Two processes watch: the slower one's answer is from before."""
    store = JobStore(tmp_path / "jobs.sqlite")
    detail = JobDetail(cluster_id="c", request_id="r", job_id="1", job_name="n", state=JobState.RUNNING)
    store.add(StoredJob(detail, {}, None, ""))
    store.update(detail.model_copy(update={"state": JobState.FINISHED, "exit_code": 0}), "queue")
    assert store.update(detail, "queue") is False
    assert store.by_request("r").detail.state is JobState.FINISHED
    store.close()


def test_many_open_a_new_store_at_once(tmp_path):
    path, stores, faults = tmp_path / "jobs.sqlite", [], []
    gate = threading.Barrier(8)

    def open_it():
        gate.wait()
        try:
            stores.append(JobStore(path))
        except sqlite3.Error as error:
            faults.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for store in stores:
        store.close()
    assert faults == []


def test_a_shut_account_makes_its_own_jobs_stale_and_no_others(desk):
    """After a restart the password of RunasUser is gone."""
    own, others = desk.submit(), desk.submit(spec={"RunasUser": "other"})
    desk.toy.shut.add("other")
    desk.toy.reports.clear()
    wait_for(lambda: desk.detail(own)["State"] == "FINISHED", what="the own job to end")
    stale = wait_for(lambda: desk.detail(others).get("StaleReason"), what="the other's job to be stale")
    assert "login as other was refused" in stale
    assert desk.detail(others)["State"] not in ("FINISHED", "UNKNOWN")
    rounds = len(desk.toy.asked)
    checked = desk.service.monitor("toy").checked_time
    wait_for(lambda: desk.detail(others) and desk.service.monitor("toy").checked_time > checked + 1)
    # A site shuts out whoever tries a refused login every other second.
    assert desk.toy.asked[rounds:].count("other") <= 1


def test_garbage_of_a_scheduler_makes_jobs_stale(desk, monkeypatch):
    job = desk.submit()

    def garbage(users):
        raise ZeroDivisionError("integer division")

    monkeypatch.setattr(desk.toy, "status", garbage)
    desk.service.monitor("toy").wake(now=True)
    wait_for(lambda: desk.detail(job).get("StaleReason"), what="the job to be stale")
    (cluster,) = desk.service.call("ListClusters", {})["Clusters"]
    assert cluster["ClusterStatus"] == "exception"


def test_a_submission_under_way_is_left_alone_by_the_monitor(tmp_path, monkeypatch):
    desk = Desk(tmp_path / "jobs.sqlite", command_timeout_s=0.2)
    go, at_it, plain = threading.Event(), threading.Event(), desk.toy.submit

    def slow(job):
        at_it.set()
        assert go.wait(20)
        return plain(job)

    monkeypatch.setattr(desk.toy, "submit", slow)
    thread = threading.Thread(target=desk.submit)
    thread.start()
    at_it.wait(10)
    monitor = desk.service.monitor("toy")
    begun = time.time()
    wait_for(lambda: time.time() > begun + 1.1)
    monitor.sweep()
    assert desk.toy.fates == []
    go.set()
    thread.join(10)
    assert desk.call("ListJobs")["TotalCount"] == 1
    desk.service.close()


def test_a_lost_answer_is_looked_for_though_nobody_looks(desk, monkeypatch):
    def lost(job):
        raise LostAnswer("gone")

    monkeypatch.setattr(desk.toy, "submit", lost)
    monkeypatch.setattr(desk.toy, "fate", lambda *_, **__: Fate(JobState.SUBMITTING))
    with pytest.raises(ServiceUnavailable, match="looked for"):
        desk.submit()
    assert desk.service.monitor("toy")._thread is not None


def test_stopping_goes_on_with_the_next_account(desk):
    first, second = desk.submit(spec={"RunasUser": "other"}), desk.submit()
    desk.toy.shut.add("other")
    with pytest.raises(EhpcError, match="does not answer"):
        desk.call("StopJobs", JobIds=[first, second])
    assert desk.toy.stopped == [second]


def test_stopping_names_what_is_not_known_and_stops_nothing(desk):
    job = desk.submit()
    with pytest.raises(JobNotFound, match="999"):
        desk.call("StopJobs", JobIds=[job, "999"])
    assert desk.toy.stopped == []


@pytest.mark.parametrize("more", ["_1,102", "_", "_[1-3],102", "_1.batch", "_x", "+1", ",102"])
def test_only_the_job_and_its_tasks_can_be_named(desk, more):
    """scancel takes ``10_1,11`` as two jobs."""
    job = desk.submit(spec={"ArrayRequest": "1-3"})
    with pytest.raises((JobNotFound, InvalidParams)):
        desk.call("StopJobs", JobIds=[job + more])
    assert desk.toy.stopped == []


def test_tasks_can_be_named(desk):
    job = desk.submit(spec={"ArrayRequest": "1-3"})
    desk.call("StopJobs", JobIds=[f"{job}_2", f"{job}_[1-3:2]"])
    # Slurm calls an order failed for tasks that are not there, and takes no steps.
    assert desk.toy.stopped == [f"{job}_2", f"{job}_[1,3]"]


def test_a_job_that_ended_is_not_stopped_again(desk):
    """Its id may be another job's by now."""
    job = desk.submit()
    desk.toy.reports[job] = JobReport(job, JobState.FINISHED, "F")
    desk.service.monitor("toy").wake(now=True)
    wait_for(lambda: desk.detail(job)["State"] == "FINISHED")
    desk.call("StopJobs", JobIds=[job])
    assert desk.toy.stopped == []


@pytest.mark.parametrize("more", ["_[1-2]", "_99999999999"])
def test_a_log_is_of_one_task(desk, more):
    job = desk.submit(spec={"ArrayRequest": "1-3"})
    with pytest.raises(InvalidParams, match="task"):
        desk.call("GetJobLog", JobId=job + more)


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("GetJobLog", {"JobId": "1", "Offset": 10**30}),
        ("ListJobs", {"PageNumber": 10**30}),
        ("ListJobs", {"JobFilter": {"JobName": "\ud800"}}),
        ("ListJobs", {"JobFilter": {"Queues": ["\ud800"]}}),
        ("ListJobs", {"JobFilter": '{"Queues": ' + "[" * 100_000}),
    ],
)
def test_values_out_of_all_bounds_are_refused(desk, action, fields):
    with pytest.raises(InvalidParams):
        desk.call(action, **fields)
