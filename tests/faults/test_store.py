"""A store that is damaged, fails in the middle or was written by a clock that ran ahead: nothing is lost, nothing runs twice."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import Counter

import pytest

from ehpc_jupyter.clusters.base import Fate, FoundJob
from ehpc_jupyter.errors import ServiceUnavailable
from ehpc_jupyter.jobs.listing import chosen, ordered
from ehpc_jupyter.jobs.store import JobStore, StoredJob
from ehpc_jupyter.models.actions import JobFilter
from ehpc_jupyter.models.job import JobDetail, JobState
from tests.conftest import wait_for
from tests.faults.test_servers import detail, ended, start, submit  # noqa: F401 - a fixture
from tests.unit.jobs.test_trouble import Desk


def test_a_damaged_store_is_set_aside_and_its_jobs_are_read_from_their_folders(start, tmp_path):  # noqa: F811
    server = start("a")
    ran, go = tmp_path / "ran", tmp_path / "go"
    bodies = {
        "one": f"echo one >>{ran}",
        "two": f"echo two >>{ran}; while [ ! -e {go} ]; do sleep 0.1; done; exit 3",
    }
    jobs = {token: submit(server, script, ClientToken=token) for token, script in bodies.items()}
    ended(server, jobs["one"])
    wait_for(lambda: detail(server, jobs["two"])["State"] == "RUNNING")
    server.stop()
    store = tmp_path / "store" / "jobs.sqlite"
    whole = store.read_bytes()
    store.write_bytes(whole[:100] + b"\xa5" * (len(whole) - 100))
    for rest in ("-wal", "-shm"):
        store.with_name(store.name + rest).unlink(missing_ok=True)
    server = start("b")

    def again(token):
        try:
            return submit(server, bodies[token], ClientToken=token)
        except RuntimeError as error:
            assert "ask again" in str(error), error
            return None

    # A client that asks again at once, as after a lost answer, must not get a second job.
    for token, job in jobs.items():
        assert wait_for(lambda token=token: again(token), what="the old request to be known again") == job
    assert ended(server, jobs["one"])["State"] == "FINISHED"
    go.touch()
    assert ended(server, jobs["two"])["ExitCode"] == 3
    assert Counter(ran.read_text().split()) == Counter(("one", "two"))
    assert server.call("ListJobs", ClusterId="local")["TotalCount"] == 2
    assert list((tmp_path / "store").glob("jobs.sqlite.damaged-*"))


def test_a_request_that_may_have_been_made_before_waits_until_the_folders_were_read(tmp_path):
    path = tmp_path / "jobs.sqlite"
    path.write_bytes(b"no database at all" * 1000)
    desk = Desk(path, command_timeout_s=1)
    read = threading.Event()
    spec = {"Script": "true"}

    def found_jobs():
        assert read.wait(20)
        request = {"ClusterId": "toy", "JobSpec": spec, "ClientToken": "t"}
        return [FoundJob("a" * 32, request, "/h/old", "me", 1, "77")]

    def prepare_in(request, request_id, folder, user):
        return desk.toy.prepare(request, request_id, "", user)

    desk.toy.found_jobs, desk.toy.prepare_in = found_jobs, prepare_in
    try:
        desk.service.start()
        with pytest.raises(ServiceUnavailable, match="ask again"):
            desk.submit(ClientToken="t")
        assert desk.submit() == "101"  # one without a token cannot have been made before
        read.set()

        def again():
            try:
                return desk.submit(ClientToken="t")
            except ServiceUnavailable:
                return None

        assert wait_for(again, what="the job to be found") == "77"
        assert len(desk.toy.submitted) == 1
    finally:
        read.set()
        desk.service.close()


class Failing:
    """A connection whose next COMMIT fails, as on a disk that is full."""

    def __init__(self, db):
        self.db, self.failing = db, True

    def execute(self, statement, *values):
        if statement == "COMMIT" and self.failing:
            self.failing = False
            raise sqlite3.OperationalError("disk I/O error")
        return self.db.execute(statement, *values)

    def __getattr__(self, name):
        return getattr(self.db, name)


def job(name, **more):
    values = {"cluster_id": "c", "request_id": name, "job_name": "n", "state": JobState.SUBMITTING, **more}
    return StoredJob(JobDetail(**values), {}, None, "")


def test_a_write_that_fails_at_its_very_end_is_undone_and_the_next_one_works(tmp_path):
    store = JobStore(tmp_path / "jobs.sqlite")
    plain = store._db
    store._db = Failing(plain)
    with pytest.raises(sqlite3.Error, match="disk I/O"):
        store.add(job("first"))
    store.add(job("second"))
    store._db = plain
    assert [j.request_id for j in store.active("c")] == ["second"]
    store.close()


def test_an_intent_is_on_the_disk_before_anything_is_sent(tmp_path):
    """In the write-ahead log a commit lasts through a power cut only when it is synchronised."""
    store = JobStore(tmp_path / "jobs.sqlite")
    assert store._db.execute("PRAGMA synchronous").fetchone() == (2,)
    store.close()


def test_a_clock_that_was_set_back_keeps_no_request_from_being_looked_into(tmp_path):
    desk = Desk(tmp_path / "jobs.sqlite", command_timeout_s=60)
    desk.toy.fate = lambda *_, **__: Fate(JobState.QUEUED, "55")
    later = int(time.time()) + 7200
    desk.service.store.add(job("r" * 32, cluster_id="toy", submit_time=later, folder="/h/r"))
    desk.service.start()
    wait_for(lambda: desk.service.store.by_id("toy", "55"), limit_s=10, what="the request to be looked into")
    desk.service.close()


def test_a_request_is_given_up_only_after_the_scheduler_has_answered_for_a_while(tmp_path):
    """A controller that hung works off its sockets when it wakes, in any order: the question for the queue first, say."""
    desk = Desk(tmp_path / "jobs.sqlite", command_timeout_s=60)
    ages = []

    def fate(*_, age_s):
        ages.append(age_s)
        return Fate(JobState.SUBMITTING)

    desk.toy.fate = fate
    desk.service.store.add(job("r" * 32, cluster_id="toy", submit_time=int(time.time()) - 5000, folder="/h/r"))
    working, desk.toy.reports = desk.toy.status, {}
    desk.submit()

    def hangs(users):
        raise ServiceUnavailable("Socket timed out on send/recv operation")

    desk.toy.status = hangs
    desk.service.start()
    wait_for(lambda: desk.service.monitor("toy").failure, what="the scheduler to hang")
    desk.toy.status = working
    asked = len(ages)
    desk.call("RefreshJobs")
    wait_for(lambda: len(ages) > asked and not desk.service.monitor("toy").failure, what="it to answer again")
    assert all(0 < age < 30 for age in ages), ages
    desk.service.close()


def test_jobs_are_counted_by_an_index(tmp_path):
    """Counting by an index of all rows costs ten times as much."""
    store = JobStore(tmp_path / "jobs.sqlite")
    where, values = chosen("c", JobFilter())
    for what, order in (("count(*)", ""), ("rowid", f" ORDER BY {ordered(JobFilter().sort_by)} LIMIT 50")):
        plan = store._db.execute(f"EXPLAIN QUERY PLAN SELECT {what} FROM jobs WHERE {where}{order}", values).fetchall()
        assert "jobs_listed" in plan[0][-1] or "jobs_started" in plan[0][-1], plan
    store.close()
