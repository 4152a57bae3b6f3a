"""The store: intents, jobs, pages; two processes' worth of connections on one file."""

from __future__ import annotations

import contextlib
import sqlite3
import threading

import pytest

from ehpc_jupyter.jobs.store import DuplicateToken, JobStore, StoredJob
from ehpc_jupyter.models.actions import JobFilter
from ehpc_jupyter.models.job import JobDetail, JobState


def job(number, cluster="c", token=None, **more):
    values = {
        "state": JobState.QUEUED,
        "job_name": f"n{number}",
        "submit_time": 1000 + number,
        "job_id": str(number),
        **more,
    }
    detail = JobDetail(cluster_id=cluster, request_id=f"r{number}-{cluster}", **values)
    return StoredJob(detail, {"JobSpec": {"Script": "x"}}, token, "")


@pytest.fixture
def store(tmp_path):
    made = JobStore(tmp_path / "a" / "jobs.sqlite")
    yield made
    made.close()


def names(store, **wanted):
    jobs, total = store.page("c", JobFilter(**wanted), 1, 50)
    return [stored.detail.job_name for stored in jobs], total


def test_what_is_stored_comes_back(store):
    store.add(job(1, token="t"))
    for found in (store.by_id("c", "1"), store.by_request("r1-c"), store.by_token("c", "t")):
        assert found == job(1, token="t")
    assert store.by_id("other", "1") is None


def test_a_token_is_taken_once_per_cluster(store):
    store.add(job(1, token="t"))
    store.add(job(2, cluster="d", token="t"))
    with pytest.raises(DuplicateToken):
        store.add(job(3, token="t"))
    store.add(job(4))
    store.add(job(5))


def test_the_newest_of_two_jobs_with_one_id(store):
    store.add(job(1, job_id="7"))
    store.add(job(2, job_id="7"))
    assert store.by_id("c", "7").detail.job_name == "n2"


def test_filters_and_pages(store):
    for number in range(5):
        store.add(job(number, queue="q" if number % 2 else "p"))
    store.update(job(3).detail.model_copy(update={"state": JobState.FINISHED}), "queue")
    store.add(job(9, state=JobState.NOT_SUBMITTED))
    assert names(store) == (["n4", "n3", "n2", "n1", "n0"], 5)
    assert names(store, job_status="finished") == (["n3"], 1)
    assert names(store, job_status="notfinish")[1] == 4
    assert names(store, job_name="N2") == (["n2"], 1)
    assert names(store, job_name="%") == ([], 0)
    assert names(store, queues=("p",))[0] == ["n4", "n2", "n0"]
    assert names(store, create_time_start="1003", create_time_end="1003") == (["n3"], 1)
    assert names(store, sort_by={"SubmitOrder": "asc"})[0][0] == "n0"
    page, total = store.page("c", JobFilter(), 2, 2)
    assert ([stored.detail.job_name for stored in page], total) == (["n2", "n1"], 5)


def test_active_jobs(store):
    store.add(job(1))
    store.add(job(2, state=JobState.FINISHED))
    store.add(job(3, cluster="d"))
    assert [stored.detail.job_id for stored in store.active("c")] == ["1"]
    assert sorted(store.active_clusters()) == ["c", "d"]


def test_every_change_of_state_is_noted(store, tmp_path):
    store.add(job(1))
    for state in ("RUNNING", "RUNNING", "FINISHED"):
        store.update(job(1).detail.model_copy(update={"state": JobState(state)}), "queue")
    with contextlib.closing(sqlite3.connect(tmp_path / "a" / "jobs.sqlite")) as other:
        rows = other.execute("SELECT state, source FROM history ORDER BY rowid").fetchall()
    assert rows == [("QUEUED", "request"), ("RUNNING", "queue"), ("FINISHED", "queue")]


def test_two_servers_on_one_file(tmp_path):
    stores = [JobStore(tmp_path / "jobs.sqlite") for _ in range(2)]

    def fill(store, start):
        for number in range(start, start + 50):
            store.add(job(number))

    threads = [threading.Thread(target=fill, args=(store, 100 * i)) for i, store in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [store.page("c", JobFilter(), 1, 1)[1] for store in stores] == [100, 100]
    for store in stores:
        store.close()


def test_nobody_else_may_read_it(store, tmp_path):
    assert oct((tmp_path / "a" / "jobs.sqlite").stat().st_mode)[-3:] == "600"
    assert oct((tmp_path / "a").stat().st_mode)[-3:] == "700"
