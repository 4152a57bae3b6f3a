"""Servers on one store, on a full disk, halted, killed and started at once: the embedded queue behind them, no cluster needed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from ehpc_jupyter.errors import EhpcError, ServiceUnavailable
from ehpc_jupyter.notebook.http_backend import HttpBackend
from tests.conftest import wait_for
from tests.faults.ear import Ear
from tools.server import Server


@pytest.fixture
def start(tmp_path):
    """Start servers with one store; all are ended afterwards."""
    running = []

    def make(name, wait=True, **options):
        settings = {"data_dir": str(tmp_path / "store"), "local_poll_interval_s": 0.2, "rate_limit": 0, **options}
        server = Server(tmp_path, tmp_path / name, config={"EhpcExtension": settings})
        running.append(server)
        if wait:
            server.wait()
        return server

    yield make
    for server in running:
        if server.process.poll() is None:
            server.process.send_signal(signal.SIGCONT)
            server.stop()


def submit(server, script, **more):
    return server.call("CreateJob", ClusterId="local", JobSpec={"Script": script}, **more)["JobId"]


def detail(server, job):
    return server.call("GetJob", ClusterId="local", JobId=job)["JobInfo"]["Detail"]


def ended(server, job):
    return wait_for(
        lambda: (d := detail(server, job))["State"] in ("FINISHED", "FAILED") and d, what=f"job {job}'s end"
    )


def test_two_servers_start_at_once_on_a_new_store(start):
    servers = [start(name, wait=False) for name in ("a", "b", "c")]
    for server in servers:
        server.wait()
    jobs = [submit(server, "true") for server in servers]
    assert len(set(jobs)) == 3
    for server in servers:
        assert server.call("ListJobs", ClusterId="local")["TotalCount"] == 3


def test_two_servers_on_one_store_see_each_others_jobs_and_tell_of_them(start, tmp_path):
    first, second = start("a"), start("b")
    ears = [Ear(first), Ear(second)]
    go = tmp_path / "go"
    try:
        for server in (first, second):
            server.call("ListJobs", ClusterId="local")
        job = submit(first, f"while [ ! -e {go} ]; do sleep 0.1; done; exit 3")
        request = detail(second, job)["RequestId"]
        wait_for(lambda: detail(second, job)["State"] == "RUNNING", what="the other server to see it run")
        go.touch()
        for server in (second, first):
            assert ended(server, job)["ExitCode"] == 3
        for ear in ears:
            wait_for(lambda ear=ear: ear.states(request)[-1:] == ["FAILED"], limit_s=10, what="the event of its end")
    finally:
        for ear in ears:
            ear.close()


def test_one_request_to_two_servers_at_once_is_one_job(start, tmp_path):
    servers = [start("a"), start("b")]
    ran = tmp_path / "ran"
    answers = []

    def ask(server, token):
        for _ in range(40):
            try:
                body = {"ClusterId": "local", "JobSpec": {"Script": f"echo {token} >>{ran}"}, "ClientToken": token}
                answers.append((token, HttpBackend(server.url, server.token).call("CreateJob", body, 30)["JobId"]))
                return
            except ServiceUnavailable:  # "is being looked for; ask again with it"
                pass

    threads = [
        threading.Thread(target=ask, args=(server, f"t{number}"))
        for number in range(8)
        for server in (*servers, *servers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len({job for _, job in answers}) == len({token for token, _ in answers}) == 8
    assert len(answers) == 32
    for job in {job for _, job in answers}:
        ended(servers[0], job)
    assert Counter(ran.read_text().split()) == Counter([f"t{number}" for number in range(8)])


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_job_ends_while_the_server_is_away(start, tmp_path, number):
    server = start("a")
    go = tmp_path / "go"
    job = submit(server, f"while [ ! -e {go} ]; do sleep 0.1; done; exit 3")
    wait_for(lambda: detail(server, job)["State"] == "RUNNING")
    server.process.send_signal(number)
    go.touch()
    if number == signal.SIGKILL:
        server.process.wait(10)
        server = start("b")
    else:
        jobs = Path.home() / "ehpc-jobs"
        wait_for(lambda: any("\nexit " in record.read_text() for record in jobs.glob("*/task")), what="the job's end")
        server.process.send_signal(signal.SIGCONT)
    assert ended(server, job)["ExitCode"] == 3


# --- a full disk


@pytest.fixture
def small_disk(tmp_path):
    """A file system of some megabytes for the store, and how to fill it and to make room again."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    place = tmp_path / "store"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "none", place], check=True)
    filler = place / "filler"

    def fill():
        with filler.open("ab", buffering=0) as file:
            try:
                while file.write(b"x" * 65536) == 65536:
                    pass
            except OSError:
                pass

    yield fill, lambda: filler.unlink(missing_ok=True)
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_loses_no_job_and_runs_none_twice(small_disk, start, tmp_path):
    fill, free = small_disk
    server = start("a")
    ran = tmp_path / "ran"
    chance = random.Random(1)
    ids, said = {}, Counter()
    for number in range(30):
        token = f"t{number}"
        (fill if chance.random() < 0.5 else free)()
        for _ in range(200):
            body = {"ClusterId": "local", "JobSpec": {"Script": f"echo {token} >>{ran}"}, "ClientToken": token}
            try:
                ids[token] = HttpBackend(server.url, server.token).call("CreateJob", body, 30)["JobId"]
                break
            except EhpcError as error:
                assert isinstance(error, ServiceUnavailable), error
                assert "database" in error.detail or "looked for" in error.detail, error.detail
                said[error.detail] += 1
                free()
    free()
    assert said
    assert len(set(ids.values())) == 30, said
    for job in ids.values():
        assert ended(server, job)["State"] == "FINISHED"
    assert Counter(ran.read_text().split()) == Counter(list(ids))
    assert server.call("ListJobs", ClusterId="local")["TotalCount"] == 30


def test_jobs_that_run_while_the_disk_is_full_are_shown_right_when_there_is_room(small_disk, start, tmp_path):
    fill, free = small_disk
    server = start("a")
    go = tmp_path / "go"
    job = submit(server, f"while [ ! -e {go} ]; do sleep 0.1; done; exit 3")
    wait_for(lambda: detail(server, job)["State"] == "RUNNING")
    fill()
    go.touch()
    log = server.log.read_text
    wait_for(lambda: detail(server, job) and "disk is full" in log(), what="the monitor to meet the full disk")
    assert detail(server, job)["State"] == "RUNNING"
    free()
    assert ended(server, job)["ExitCode"] == 3


def test_a_store_that_cannot_be_opened_is_told_and_is_tried_again(tmp_path):
    place = tmp_path / "place"
    place.write_text("a file where the folder should be")
    server = Server(tmp_path, tmp_path / "data", config={"EhpcExtension": {"data_dir": str(place)}})
    try:
        wait_for(lambda: server.process.poll() is None and _answers(server), what="Jupyter itself to start")
        answer = server.session.post(f"{server.url}ehpc/ListJobs", json={"ClusterId": "local"}, timeout=10)
        assert (answer.status_code, answer.json()["Code"]) == (503, "ServiceUnavailable")
        assert str(place) in answer.json()["Message"]
        assert "data_dir" in answer.json()["Recommend"]
        assert str(place) in server.log.read_text()
        place.unlink()
        answer = server.session.post(f"{server.url}ehpc/ListJobs", json={"ClusterId": "local"}, timeout=10)
        assert (answer.status_code, answer.json()["TotalCount"]) == (200, 0)
    finally:
        begun = time.monotonic()
        server.stop()
    assert time.monotonic() - begun < 10
    assert "has no attribute" not in server.log.read_text()


def _answers(server):
    try:
        return server.session.get(f"{server.url}api/status", timeout=5).ok
    except OSError:
        return False
