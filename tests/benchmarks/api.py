"""What the API costs through the official SDK while 20 clients poll, with 10,000 jobs known; and the event loop's longest stall.

Over a cluster in memory: the server's own share, without a scheduler's. Server and clients share this machine's cores; the 20
clients are one process, each lists jobs and clusters twice a second, as a panel does. An idle loop in a process of its own tells
how long the machine itself keeps any loop waiting.
"""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import requests
from alibabacloud_ehpc20240730 import models

from ehpc_jupyter.jobs.store import JobStore, StoredJob
from ehpc_jupyter.models.job import JobDetail, JobState
from tests.api.conftest import start
from tests.api.sdk import PathClient, Sync, config

JOBS, CLIENTS, EACH, INTERVAL_S = 10_000, 20, 300, 0.5
CLUSTER = "fake"


def fill(path):
    """Put jobs into the store, as many earlier days would have."""
    store = JobStore(path)
    now = int(time.time()) - JOBS
    for number in range(JOBS):
        detail = JobDetail(
            cluster_id=CLUSTER,
            request_id=f"{number:032x}",
            job_id=str(1_000_000 + number),
            job_name=f"job {number % 100}",
            state=JobState.FINISHED,
            native_state="COMPLETED",
            user="me",
            queue="comp",
            exit_code=0,
            submit_time=now + number,
            start_time=now + number,
            end_time=now + number + 5,
            folder=f"/home/me/ehpc-jobs/{number:032x}",
            stdout_path=f"/home/me/ehpc-jobs/{number:032x}/stdout",
            stderr_path=f"/home/me/ehpc-jobs/{number:032x}/stderr",
        )
        request = {"ClusterId": CLUSTER, "JobSpec": {"CommandLine": "-- /bin/true"}}
        store.add(StoredJob(detail=detail, login_user="me", client_token=None, request=request))
    store.close()


POLLER = """
import asyncio, json, sys
import aiohttp
url, token, clients, interval = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
async def poll(session, number):
    await asyncio.sleep(number * interval / clients)
    while True:
        for action, body in (("ListJobs", {"ClusterId": "fake", "PageSize": 20}), ("ListClusters", {})):
            async with session.post(url + "ehpc/" + action, json=body) as answer:
                assert answer.status == 200, await answer.text()
                await answer.read()
        await asyncio.sleep(interval)
async def main():
    async with aiohttp.ClientSession(headers={"Authorization": "token " + token}) as session:
        await asyncio.gather(*(poll(session, number) for number in range(clients)))
asyncio.run(main())
"""

IDLE = """
import asyncio, sys, threading
from tests.api.fake import Meter
def tell():
    for _ in sys.stdin:
        print(meter.longest, flush=True)
        meter.longest = 0.0
async def main():
    threading.Thread(target=tell, daemon=True).start()
    await meter._watch()
meter = Meter()
asyncio.run(main())
"""


def timed(work):
    """Durations of ``EACH`` calls, ms."""
    times = []
    for _ in range(EACH):
        begin = time.perf_counter()
        work()
        times.append((time.perf_counter() - begin) * 1000)
    return times


def main():
    """Measure and print."""
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as after:
        root = Path(scratch)
        fill(root / "data" / "ehpc" / "jobs.sqlite")
        extensions = {"jpserver_extensions": {"ehpc_jupyter": False, "tests.api.fake": True}, "log_level": "INFO"}
        server = start(root, {CLUSTER: {"scheduler": "slurm"}}, server=extensions)
        after.callback(server.stop)
        call = Sync(PathClient(config(server), "/ehpc"))
        spec = models.CreateJobRequestJobSpec(command_line="-- /bin/true")
        ways = {
            "CreateJob": lambda: call("create_job", models.CreateJobRequest(cluster_id=CLUSTER, job_spec=spec)),
            "GetJob": lambda: call("get_job", models.GetJobRequest(cluster_id=CLUSTER, job_id="1005000")),
            "ListJobs, page 1": lambda: listed(call, "1"),
            "ListJobs, page 200": lambda: listed(call, "200"),
        }
        session = requests.Session()
        session.headers["Authorization"] = f"token {server.token}"

        def stall():
            return session.get(f"{server.url}ehpc/stall", timeout=30).json()["stall_s"] * 1000

        idle = subprocess.Popen([sys.executable, "-c", IDLE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        after.callback(idle.wait)
        after.callback(idle.terminate)

        def beside():
            print(file=idle.stdin, flush=True)
            return float(idle.stdout.readline()) * 1000

        for clients in (0, CLIENTS):
            if clients:
                argv = [sys.executable, "-c", POLLER, server.url, server.token, str(clients), str(INTERVAL_S)]
                poller = subprocess.Popen(argv)
                after.callback(poller.wait)
                after.callback(poller.terminate)
                time.sleep(2)
            print(f"\n{JOBS} jobs, {clients} clients poll, {EACH} calls each through the SDK")
            print(f"{'':24}{'p50':>9}{'p99':>9}{'longest stall of the loop':>28}{'of an idle one':>18}")
            for name, way in ways.items():
                way()
                stall()
                beside()
                times = timed(way)
                p50, p99 = statistics.median(times), statistics.quantiles(times, n=100)[98]
                print(f"{name:24}{p50:6.1f} ms{p99:6.1f} ms{stall():25.1f} ms{beside():15.1f} ms")
            if clients:
                assert poller.poll() is None, "a polling client was refused"


def listed(call, page):
    """A page of 50."""
    request = models.ListJobsRequest(cluster_id=CLUSTER, page_number=page, page_size="50")
    assert len(call("list_jobs", request).jobs) == 50


if __name__ == "__main__":
    main()
