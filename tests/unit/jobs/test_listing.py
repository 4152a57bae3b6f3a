"""ListJobs: what a filter takes, in which order, and that 10,000 jobs are no burden."""

from __future__ import annotations

import json
import time

import pytest

from ehpc_jupyter.jobs.service import JobService
from ehpc_jupyter.jobs.store import JobStore, StoredJob
from ehpc_jupyter.models.actions import JobFilter
from ehpc_jupyter.models.cluster import ClusterProfile
from ehpc_jupyter.models.job import JobDetail, JobState
from tests.unit.jobs.fake import FakeCluster


def job(number, state="FINISHED", *, submitted=None, **more):
    detail = JobDetail(
        cluster_id="c",
        request_id=f"{number:032x}",
        job_id=str(number),
        job_name=f"n{number}",
        state=JobState(state),
        submit_time=1000 + number if submitted is None else submitted,
        **more,
    )
    return StoredJob(detail, {"JobSpec": {"Script": "x" * 2000}}, None, "")


@pytest.fixture
def store(tmp_path):
    made = JobStore(tmp_path / "jobs.sqlite")
    yield made
    made.close()


def ids(store, **wanted):
    jobs, total = store.page("c", JobFilter.from_wire(wanted), 1, 50)
    assert total == len(jobs)
    return [stored.detail.job_id for stored in jobs]


def test_filters(store):
    for each in (
        job(1, user="me", queue="comp", node_list="node[1-3]"),
        job(2, user="me", queue="gpu", node_list="gpu1"),
        job(3, "RUNNING", user="you", queue="comp", node_list="node2,gpu1"),
        job(4, "QUEUED", user="you"),
        job(5, "NOT_SUBMITTED"),
    ):
        store.add(each)
    assert ids(store) == ["4", "3", "2", "1"]
    assert ids(store, Nodes=["node2"]) == ["3", "1"]
    assert ids(store, Nodes=["gpu1", "node1"]) == ["3", "2", "1"]
    assert ids(store, Users=["you"]) == ["4", "3"]
    assert ids(store, Queues=["comp", "gpu"], Users=["me"]) == ["2", "1"]
    assert ids(store, JobStatus="finished") == ["2", "1"]
    assert ids(store, JobStatus="notfinish") == ["4", "3"]
    assert ids(store, CreateTimeStart=1002, CreateTimeEnd="1003") == ["3", "2"]
    assert ids(store, JobIds=["3", "1", "99"]) == ["3", "1"]
    assert ids(store, JobIds=["3", "4"], JobStatus="notfinish", Queues=["comp"]) == ["3"]
    assert ids(store, JobIds=[f"{5:032x}"]) == ["5"], "whoever asks by a request's id is told that it was refused"
    assert ids(store, JobName="N3") == ["3"]
    assert ids(store, Diagnosis=[], Nodes=None, SortBy=None) == ["4", "3", "2", "1"]


def test_orders(store):
    for each in (
        job(1, "RUNNING", start_time=2000),
        job(2, "FINISHED", start_time=1900),
        job(3, "QUEUED"),
        job(4, "HELD"),
        job(5, "CANCELLED"),
        job(6, "QUEUED", submitted=1003),
    ):
        store.add(each)
    assert ids(store, SortBy={"SubmitOrder": "asc"}) == ["1", "2", "3", "6", "4", "5"]
    assert ids(store, SortBy={"SubmitOrder": "desc"}) == ["5", "4", "6", "3", "2", "1"]
    assert ids(store, SortBy={"ExecuteOrder": "asc"}) == ["2", "1", "5", "4", "6", "3"]
    assert ids(store, SortBy={"ExecuteOrder": "desc", "SubmitOrder": "asc"}) == ["1", "2", "3", "6", "4", "5"]
    assert ids(store, SortBy={"PendOrder": "asc", "SubmitOrder": "asc"}) == ["3", "6", "4", "1", "2", "5"]
    assert ids(store, SortBy={"PendOrder": "desc"}) == ["4", "6", "3", "5", "2", "1"]


def test_a_page_is_quick_and_asks_nobody(tmp_path):
    service = JobService({"c": ClusterProfile(name="c", host="h")}, tmp_path / "jobs.sqlite", FakeCluster)
    service.store._db.execute("PRAGMA synchronous = OFF")
    for number in range(10_000):
        state = "RUNNING" if number % 10 == 0 else "FINISHED"
        more = {"user": f"u{number % 7}", "queue": "comp", "node_list": "node[1-9]", "start_time": 5000 + number}
        service.store.add(job(number, state, **more))
    service.monitor("c").close()  # what it would ask is measured elsewhere
    slowest = {}
    for wanted in ({}, {"SortBy": {"ExecuteOrder": "asc"}}, {"SortBy": {"PendOrder": "asc"}}, {"Nodes": ["node7"]}):
        for page in (1, 200):
            body = {"ClusterId": "c", "PageSize": 50, "PageNumber": page, "JobFilter": wanted}
            times = []
            for _ in range(3):
                start = time.perf_counter()
                answer = service.call("ListJobs", body)
                times.append(time.perf_counter() - start)
            assert (answer["TotalCount"], len(answer["Jobs"])) == (10_000, 50)
            slowest[json.dumps(wanted), page] = min(times)
    print({key: f"{1000 * value:.1f} ms" for key, value in slowest.items()})
    assert service.cluster("c").asked == 0
    # Far above what it takes (single digits), far below what reading all rows would.
    assert max(slowest.values()) < 0.25, slowest
    service.close()


def test_a_store_of_the_first_version_is_brought_up(tmp_path):
    import sqlite3

    from ehpc_jupyter.jobs.schema import SCHEMAS

    path = tmp_path / "jobs.sqlite"
    old = sqlite3.connect(path)
    old.executescript(SCHEMAS[0] + "PRAGMA user_version = 1;")
    detail = job(7, user="me", node_list="node[1-2]").detail.model_dump_json(by_alias=True, exclude_none=True)
    row = ("r", "c", "7", None, "", "n7", "comp", "FINISHED", 1, 1007, '{"JobSpec": {}}', detail)
    old.execute("INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    old.commit()
    old.close()
    for _ in range(2):
        store = JobStore(path)
        assert ids(store, Nodes=["node2"], Users=["me"]) == ["7"]
        store.close()
