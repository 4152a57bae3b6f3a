"""What many who watch 10,000 jobs cost the scheduler and the server, and how soon a job's end is told.

Reference: each watcher asks the queue itself. The queue is a recorded answer behind a real sshd: transport, parser, monitor, store
and events are the real ones. Every other second the state of 50 jobs changes. On a machine with other work even a loop without any
is late: what counts is how much later the server's is.
"""

from __future__ import annotations

import contextlib
import shlex
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import paramiko

from ehpc_jupyter.schedulers.slurm import SlurmScheduler
from tests.benchmarks.queue import CLUSTER, Queue
from tests.benchmarks.table import show
from tests.conftest import wait_for
from tests.faults.ear import Ear
from tools.server import Server

JOBS, WATCHERS, WINDOW_S, INTERVAL_S, ENDS = 10_000, (1, 5, 20), 8.0, 2.0, 6

#: Each watcher looks at a page of jobs and at the clusters twice a second, as a panel does.
POLLER = """
import asyncio, sys
import aiohttp
url, token, cluster, clients = *sys.argv[1:4], int(sys.argv[4])
async def poll(session, number):
    await asyncio.sleep(number * 0.5 / clients)
    while True:
        for action, body in (("ListJobs", {"ClusterId": cluster, "PageSize": 50}), ("ListClusters", {})):
            async with session.post(url + "ehpc/" + action, json=body) as answer:
                assert answer.status == 200, await answer.text()
                await answer.read()
        await asyncio.sleep(0.5)
async def main():
    async with aiohttp.ClientSession(headers={"Authorization": "token " + token}) as session:
        await asyncio.gather(*(poll(session, number) for number in range(clients)))
asyncio.run(main())
"""
#: An event loop that has nothing else to do, at the same time on the same machine.
IDLE = """
import asyncio, sys
from tests.api.fake import Meter
async def main():
    meter = Meter()
    meter.start()
    await asyncio.sleep(float(sys.argv[1]))
    print(meter.longest)
asyncio.run(main())
"""


class Churn:
    """The state of 50 jobs changes every other second."""

    def __init__(self, queue):
        self.queue = queue
        self.ended = threading.Event()
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        first = 0
        while not self.ended.wait(2):
            with self.lock:
                for number in range(first, first + 50):
                    self.queue.states[number] = "RUNNING"
                self.queue.write()
            first = (first + 50) % (JOBS // 2)

    def end_job(self, number):
        """A job ends now; returns when that was."""
        with self.lock:
            self.queue.states[number] = "COMPLETED"
            self.queue.write()
            return time.time()

    def close(self):
        self.ended.set()
        self.thread.join()


def idle_stall(seconds):
    """The longest stall of a loop without work, ms."""
    argv = [sys.executable, "-c", IDLE, str(seconds)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)
    return float(done.stdout) * 1000


def each_for_itself(queue, watchers, seconds):
    """Each watcher fetches the queue over one open connection every interval; questions and bytes a minute."""
    client = paramiko.SSHClient()
    client.load_host_keys(str(queue.known_hosts))
    client.connect(
        "127.0.0.1", queue.port, queue.user, key_filename=str(queue.key), look_for_keys=False, allow_agent=False
    )
    command = shlex.join(SlurmScheduler().status_command([queue.user]))
    ended, before, got = threading.Event(), queue.asked(), []
    turn = threading.BoundedSemaphore(4)

    def watch():
        while not ended.is_set():
            begun = time.monotonic()
            with turn:
                _, out, _ = client.exec_command(command)
                got.append(len(out.read()))
            ended.wait(max(0.0, INTERVAL_S - (time.monotonic() - begun)))

    threads = [threading.Thread(target=watch) for _ in range(watchers)]
    for thread in threads:
        thread.start()
    ended.wait(seconds)
    ended.set()
    for thread in threads:
        thread.join()
    client.close()
    return (queue.asked() - before) * 60 / seconds, sum(got) * 60 / seconds


def main():
    """Measure and print."""
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as after:
        root = Path(scratch)
        (root / "login-node").mkdir()
        queue = Queue(root / "login-node", JOBS)
        after.callback(queue.close)
        queue.fill(root / "data" / "ehpc" / "jobs.sqlite")
        config = {
            "EhpcExtension": {"clusters": {CLUSTER: queue.profile()}, "rate_limit": 0},
            "Metered": {
                "clusters": {CLUSTER: queue.profile()},
                "rate_limit": 0,
                "data_dir": str(root / "data" / "ehpc"),
            },
            "ServerApp": {"jpserver_extensions": {"ehpc_jupyter": False, "tests.benchmarks.metered": True}},
        }
        server = Server(root, root / "data", config=config)
        after.callback(server.stop)
        server.wait()

        def stall():
            return server.session.get(f"{server.url}ehpc/stall", timeout=30).json()["stall_s"] * 1000

        server.call("ListJobs", ClusterId=CLUSTER)
        queue.wait_asked()
        queue.wait_asked()
        churn = Churn(queue)
        after.callback(churn.close)
        rows = []
        for watchers in WATCHERS:
            argv = [sys.executable, "-c", POLLER, server.url, server.token, CLUSTER, str(watchers)]
            poller = subprocess.Popen(argv)
            after.callback(poller.kill)
            queue.wait_asked()
            stall()
            before, begun = queue.asked(), time.monotonic()
            idle = idle_stall(WINDOW_S)
            asked, took = queue.asked() - before, time.monotonic() - begun
            longest = stall()
            assert poller.poll() is None, "a watcher was refused"
            poller.terminate()
            poller.wait()
            own_asked, own_bytes = each_for_itself(queue, watchers, WINDOW_S / 2)
            rate = asked * 60 / took
            limit = 60 / INTERVAL_S * 1.2
            who = f"{watchers} watcher{'s' * (watchers > 1)}"
            rows += [
                (f"{who}: questions a minute", rate, own_asked, "", f"<= {limit:.0f}", rate <= limit),
                (f"{who}: read a minute", rate * queue.size / 1e6, own_bytes / 1e6, "MB", "", True),
                (f"{who}: the loop's longest stall", longest, idle, "ms", "< 20 ms more", longest < idle + 20),
            ]
        show(
            f"{JOBS:,} jobs, {queue.size / 1000:,.0f} kB an answer; reference: each asks for itself; a loop without work",
            rows,
        )
        waits = told(server, queue, churn)
        limit = INTERVAL_S + 0.5
        rows = [
            ("a job's end to its event, median", statistics.median(waits), INTERVAL_S, "s", f"<= {limit} s", True),
            ("the longest", max(waits), INTERVAL_S, "s", f"<= {limit} s", max(waits) <= limit),
        ]
        show(f"{ENDS} ends among {JOBS:,} jobs; reference: the interval", rows)
        stalls = outage(server, queue, stall)
        rows = [
            (f"the scheduler {what}: longest stall", ms, idle, "ms", "< 20 ms more", ms < idle + 20)
            for what, ms in stalls.items()
        ]
        show(f"all of {JOBS:,} jobs become stale, and fresh again; reference: a loop without work", rows)


def outage(server, queue, stall):
    """The loop's longest stall while squeue fails and while it answers again and somebody listens, ms."""
    stalls, ear = {}, Ear(server)
    working = queue.replace("squeue", "echo 'squeue: error: down' >&2; exit 1")
    for what, status in (("goes", "exception"), ("comes back", "running")):
        if status == "running":
            queue.replace("squeue", working)
        stall()
        server.call("RefreshJobs", ClusterId=CLUSTER)
        wait_for(
            lambda: len({event["RequestId"] for event in list(ear.heard)}) >= JOBS - ENDS,
            limit_s=60,
            what="the events of all jobs",
        )
        stalls[what] = stall()
        ear.heard.clear()
    ear.close()
    return stalls


def told(server, queue, churn):
    """How long after their ends the events of some jobs came, seconds."""
    ear, waits = Ear(server), []
    try:
        server.call("ListJobs", ClusterId=CLUSTER)
        for number in range(JOBS - ENDS, JOBS):
            when, name = churn.end_job(number), f"{number:032x}"
            event = wait_for(
                lambda name=name: next(
                    (e for e in ear.heard if e["RequestId"] == name and e["State"] == "FINISHED"), None
                ),
                limit_s=60,
                what="the event of a job's end",
            )
            waits.append(event["heard"] - when)
    finally:
        ear.close()
    return waits
