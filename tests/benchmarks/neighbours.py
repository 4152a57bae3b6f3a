"""What a cluster that hangs costs the others: the embedded queue's actions while 20 clients ask a host that never answers."""

from __future__ import annotations

import contextlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.table import show
from tools.server import Server

ROUNDS, CLIENTS = 25, 20
#: Clients that ask the cluster that hangs, each again as soon as it is refused.
ASKERS = """
import asyncio, sys
import aiohttp
url, token, clients = *sys.argv[1:3], int(sys.argv[3])
async def ask(session):
    while True:
        for action in ("ListQueues", "ListNodes", "CreateJob"):
            body = {"ClusterId": "hangs", **({"JobSpec": {"Script": "true"}} if action == "CreateJob" else {})}
            async with session.post(url + "ehpc/" + action, json=body) as answer:
                await answer.read()
async def main():
    async with aiohttp.ClientSession(headers={"Authorization": "token " + token}) as session:
        await asyncio.gather(*(ask(session) for _ in range(clients)))
asyncio.run(main())
"""


def measured(server):
    """Action → its times on the embedded queue, ms."""
    times = {"CreateJob": [], "GetJob": [], "ListJobs": [], "ListQueues": []}

    def timed(action, **fields):
        begun = time.perf_counter()
        answer = server.call(action, ClusterId="local", **fields)
        times[action].append((time.perf_counter() - begun) * 1000)
        return answer

    for _ in range(ROUNDS):
        job = timed("CreateJob", JobSpec={"Script": "true"})["JobId"]
        timed("GetJob", JobId=job)
        timed("ListJobs")
        timed("ListQueues")
    return times


def main():
    """Measure and print."""
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as after:
        root = Path(scratch)
        silent = after.enter_context(socket.create_server(("127.0.0.1", 0), backlog=200))
        hangs = {"host": "127.0.0.1", "port": silent.getsockname()[1], "user": "me", "scheduler": "slurm"}
        config = {"EhpcExtension": {"clusters": {"hangs": hangs}, "rate_limit": 0}}
        environment = {"HOME": str(root), "EHPC_LOCALQ_HOME": str(root / "localq"), "EHPC_LOCALQ_IDLE_S": "3"}
        server = Server(root, root / "data", config=config, environment=environment)
        after.callback(server.stop)
        server.wait()
        measured(server)
        without = measured(server)
        askers = subprocess.Popen([sys.executable, "-c", ASKERS, server.url, server.token, str(CLIENTS)])
        after.callback(askers.wait)
        after.callback(askers.terminate)
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            server.call("ListClusters")
        beside = measured(server)
        assert askers.poll() is None
        rows = []
        for action in without:
            one, other = statistics.median(beside[action]), statistics.median(without[action])
            rows.append((f"{action}, median", one, other, "ms", "1.5 times + 10 ms", one <= 1.5 * other + 10))
            worst, its = max(beside[action]), max(without[action])
            rows.append((f"{action}, the longest", worst, its, "ms", "", True))
        show(f"the embedded queue while {CLIENTS} clients ask a host that hangs; reference: nobody does", rows)
