"""What one look at a cluster's jobs asks, and what it concludes; over a cluster in memory."""

from __future__ import annotations

import time

import pytest

from ehpc_jupyter.clusters.base import FoundJob
from ehpc_jupyter.errors import ListFailure, Problem
from ehpc_jupyter.jobs import monitor as monitors
from ehpc_jupyter.jobs import notes
from ehpc_jupyter.jobs.monitor import Monitor
from ehpc_jupyter.jobs.store import JobStore, StoredJob
from ehpc_jupyter.models.cluster import ClusterProfile
from ehpc_jupyter.models.job import JobDetail, JobState
from ehpc_jupyter.schedulers.base import JobReport
from ehpc_jupyter.schedulers.script import TaskRecord
from tests.conftest import wait_for
from tests.unit.jobs.fake import FakeCluster

TOKEN = "%032x"


class Place(FakeCluster):
    """A cluster whose three sources a test fills: ``queue``, ``books`` (the accounting), ``folders``."""

    def __init__(self):
        super().__init__(ClusterProfile(name="c", host="h", poll_interval_s=0.2))
        self.queue, self.books, self.folders = [], [], {}
        self.asked_books, self.asked_folders, self.found = [], [], []
        self.books_fail = None
        self.problems = ()

    def status(self, users):
        self.asked += 1
        if self.fail_status:
            raise self.fail_status
        return list(self.queue)

    def history(self, job_ids):
        self.asked_books.append(list(job_ids))
        if self.books_fail:
            raise self.books_fail
        return [report for report in self.books if report.job_id in job_ids]

    def records(self, folders, user, tasks):
        self.asked_folders.append({key: tasks.get(key) for key in folders})
        return {key: list(self.folders.get(key, [])) for key in folders}

    def recheck(self, job):
        return self.problems

    def found_jobs(self):
        return self.found


class Desk:
    def __init__(self, path):
        self.store = JobStore(path / "jobs.sqlite")
        self.cluster = Place()
        self.told = []
        self.monitor = Monitor(self.cluster, self.store, self.told.append)

    def add(self, number, state="RUNNING", **more):
        detail = JobDetail(
            cluster_id="c",
            request_id=TOKEN % number,
            job_id=more.pop("job_id", str(number)),
            job_name="n",
            state=JobState(state),
            folder=f"/f/{number}",
            submit_time=int(time.time()),
            **more,
        )
        request = {"ClusterId": "c", "JobSpec": {"Script": "x"}}
        self.store.add(StoredJob(detail, request, None, ""))
        return detail.request_id

    def now(self, request_id):
        return self.store.by_request(request_id).detail

    def sweep(self):
        return self.monitor.sweep()


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    yield made
    made.monitor.close()
    made.store.close()


def report(number, state, **more):
    return JobReport(str(number), JobState(state), state, **more)


def test_what_is_the_same_as_before_costs_no_write(desk):
    names = [desk.add(number, "QUEUED") for number in range(1, 6)]
    desk.cluster.queue = [report(number, "RUNNING") for number in range(1, 6)]
    assert desk.sweep() == (True, True)
    assert {detail.state for detail in desk.told} == {JobState.RUNNING}
    desk.told.clear()
    for _ in range(3):
        assert desk.sweep() == (True, False)
    assert desk.told == []
    assert desk.cluster.asked_books == desk.cluster.asked_folders == []
    assert len(desk.store.events(names[0])) == 2


def test_vanished_jobs_are_asked_about_in_one_batch(desk):
    names = [desk.add(number) for number in range(1, 8)]
    for name in names[:3]:
        desk.cluster.folders[name] = [TaskRecord(None, "h", 1, 2, 0)]
    desk.cluster.books = [report(number, "TIMEOUT") for number in range(4, 8)]
    desk.sweep()
    # Whose own record says 0 has ended well, whoever else is asked.
    assert desk.cluster.asked_books[0] == ["4", "5", "6", "7"]
    assert len(desk.cluster.asked_folders) == 1
    assert [desk.now(name).state.value for name in names] == ["FINISHED"] * 3 + ["TIMEOUT"] * 4


def test_an_accounting_that_fails_says_nothing_against_the_queue(desk):
    runs, gone = desk.add(1), desk.add(2)
    desk.cluster.queue = [report(1, "RUNNING", node_list="n1")]
    desk.cluster.books_fail = ListFailure("slurmdbd is down")
    desk.sweep()
    assert (desk.now(runs).node_list, desk.monitor.stale_reason(runs)) == ("n1", None)
    assert desk.now(gone).state is JobState.RUNNING
    assert "slurmdbd is down" in desk.monitor.stale_reason(gone)
    asked = len(desk.cluster.asked_books)
    desk.sweep()
    assert len(desk.cluster.asked_books) == asked  # left alone for a while
    desk.cluster.books_fail = None
    desk.cluster.books = [report(2, "FAILED", exit_code=3)]
    desk.monitor._look.try_all_again()
    desk.sweep()
    assert (desk.now(gone).state, desk.now(gone).exit_code) == (JobState.FAILED, 3)
    assert desk.monitor.stale_reason(gone) is None


def test_a_job_that_nobody_knows_is_unknown_and_asked_about_less_and_less(desk):
    name = desk.add(1)
    desk.sweep()
    assert desk.now(name).state is JobState.UNKNOWN
    asked = desk.cluster.asked, len(desk.cluster.asked_books)
    for _ in range(5):
        assert desk.sweep() == (True, False)
    assert (desk.cluster.asked, len(desk.cluster.asked_books)) == asked
    # A person who asks is answered at once.
    desk.monitor._look.try_all_again()
    desk.cluster.queue = [report(1, "RUNNING")]
    desk.sweep()
    assert desk.now(name).state is JobState.RUNNING


def test_a_job_that_was_given_up_and_that_the_scheduler_has_is_taken_up(desk):
    name = desk.add(1, "NOT_SUBMITTED", job_id=None)
    desk.add(2, job_id="40")
    desk.cluster.queue = [report(41, "RUNNING", token=name), report(40, "RUNNING", token="f" * 32)]
    desk.sweep()
    assert (desk.now(name).job_id, desk.now(name).state) == ("41", JobState.QUEUED)
    desk.sweep()
    assert desk.now(name).state is JobState.RUNNING
    # Somebody else's job of that number is not ours.
    assert desk.now(TOKEN % 2).state is not JobState.RUNNING


def test_what_the_accounting_learns_late_is_added_and_undoes_nothing(desk):
    name = desk.add(1)
    desk.cluster.queue = [report(1, "OUT_OF_MEMORY")]
    desk.sweep()
    assert desk.now(name).state is JobState.OUT_OF_MEMORY
    assert desk.monitor._look.is_idle is False
    desk.cluster.queue = []
    desk.cluster.books = [report(1, "OUT_OF_MEMORY", memory_peak_mb=900, signal=9)]
    desk.sweep()
    assert (desk.now(name).memory_peak_mb, desk.now(name).signal) == (900, 9)
    assert desk.sweep() == (False, False)


def test_what_kept_a_job_from_starting_is_named(desk):
    name = desk.add(1)
    desk.cluster.problems = (Problem("JobSpec.StdoutPath", "the folder /gone does not exist; make it first"),)
    desk.cluster.queue = [report(1, "FAILED", reason="JobLaunchFailure")]
    desk.sweep()
    assert desk.now(name).reason == (
        "JobLaunchFailure: JobSpec.StdoutPath: the folder /gone does not exist; make it first"
    )


def test_an_array_that_the_queue_forgets_bit_by_bit(desk):
    name = desk.add(1, array_request="1-6")
    desk.cluster.queue = [
        report(1, "FINISHED", tasks="1-2", count=2),
        report(1, "FAILED", tasks="3"),
        report(1, "RUNNING", tasks="4"),
        report(1, "QUEUED", tasks="5-6", count=2),
    ]
    desk.cluster.folders[name] = [TaskRecord(3, "h", 1, 2, 9)]
    desk.sweep()
    assert desk.now(name).tasks == {"FINISHED": 2, "FAILED": 1, "RUNNING": 1, "QUEUED": 2}
    assert desk.cluster.asked_folders == [{name: [3]}]
    desk.cluster.queue = [report(1, "RUNNING", tasks="5-6", count=2)]
    desk.cluster.folders[name] = [TaskRecord(4, "h", 1, 2, 0)]
    desk.sweep()
    # Of those whose end is known nobody is asked again.
    assert desk.cluster.asked_folders[1:] == [{name: [4]}]
    assert desk.cluster.asked_books == []
    assert desk.now(name).tasks == {"FINISHED": 3, "FAILED": 1, "RUNNING": 2}
    # A new process knows what the old one learnt.
    other = Monitor(desk.cluster, desk.store, lambda _: None)
    desk.cluster.queue = [report(1, "FINISHED", tasks="5-6", count=2)]
    other.sweep()
    assert (desk.now(name).state, desk.now(name).exit_code) == (JobState.FAILED, 9)
    assert len(desk.cluster.asked_folders) == 2


def test_a_cluster_that_goes_on_failing_is_left_alone_until_a_person_asks(desk, monkeypatch):
    monkeypatch.setattr(monitors, "PAUSE_AFTER", 2)
    name = desk.add(1)
    desk.cluster.fail_status = ListFailure("no luck")
    desk.monitor.wake(now=True)
    wait_for(lambda: desk.monitor.paused, what="the pause")
    assert desk.monitor.next_check_time > time.time() + 600
    asked = desk.cluster.asked
    for _ in range(3):
        desk.monitor.wake()  # somebody only looks
    assert (desk.cluster.asked, desk.monitor.stale_reason(name)) == (asked, "no luck")
    desk.cluster.fail_status = None
    desk.cluster.queue = [report(1, "RUNNING")]
    desk.monitor.wake(now=True)
    wait_for(lambda: not desk.monitor.paused and desk.monitor.failure is None, what="the end of the pause")
    assert desk.monitor.stale_reason(name) is None


def test_it_is_told_when_many_more_jobs_are_held(desk, monkeypatch):
    monkeypatch.setattr(monitors, "MANY", 2)
    told = []
    monitor = Monitor(desk.cluster, desk.store, lambda _: None, lambda: told.append(1))
    for number in range(1, 8):
        desk.add(number)
        desk.cluster.queue.append(report(number, "RUNNING"))
        monitor.sweep()
    assert len(told) == 2
    desk.cluster.queue = [report(number, "FINISHED") for number in range(1, 8)]
    monitor.sweep()
    assert len(told) == 2


def test_how_old_an_answer_is_outlives_the_process(desk):
    desk.add(1)
    desk.cluster.queue = [report(1, "RUNNING")]
    desk.sweep()
    other = Monitor(desk.cluster, desk.store, lambda _: None)
    assert abs(other.checked_time - time.time()) < 60


def test_what_another_process_writes_is_told_here(desk, tmp_path):
    other = JobStore(tmp_path / "jobs.sqlite")
    name = desk.add(1)
    desk.cluster.queue = [report(1, "RUNNING")]
    desk.sweep()
    desk.told.clear()
    other.update(desk.now(name).model_copy(update={"state": JobState.FINISHED, "exit_code": 0}), "queue")
    desk.sweep()
    assert [(detail.request_id, detail.state) for detail in desk.told] == [(name, JobState.FINISHED)]
    other.close()


def test_jobs_are_read_from_their_folders_when_the_store_was_lost(desk):
    desk.store._db.execute("INSERT INTO rebuilding VALUES ('')")
    notes.plan_rebuild(desk.store, ["c"])
    request = {"ClusterId": "then", "JobName": "n", "JobSpec": {"Script": "x"}, "ClientToken": "t"}
    desk.cluster.found = [
        FoundJob(TOKEN % 1, request, "/f/1", "me", 1000, "1"),
        FoundJob(TOKEN % 2, {**request, "ClientToken": "u"}, "/f/2", "me", 1000, None),
        FoundJob(TOKEN % 3, {"JobSpec": {}}, "/f/3", "me", 1000, "3"),
    ]
    desk.cluster.fate_is = type(desk.cluster.fate_is)(JobState.NOT_SUBMITTED, reason="it stopped")
    desk.cluster.folders[TOKEN % 1] = [TaskRecord(None, "h", 1, 2, 0)]
    desk.sweep()
    assert desk.now(TOKEN % 1).state is JobState.FINISHED
    assert desk.now(TOKEN % 2).state is JobState.NOT_SUBMITTED
    assert desk.store.by_request(TOKEN % 3) is None
    assert desk.store.by_token("c", "t").request_id == TOKEN % 1
    assert notes.rebuilding(desk.store) == set()
