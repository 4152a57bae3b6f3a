"""What 100,000 jobs of before cost a server: memory, and a page of them. Reference: a server whose store is empty."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from tests.benchmarks.queue import CLUSTER, fill
from tests.benchmarks.table import show
from tools.server import Server

JOBS, EACH = 100_000, 30
PAGES = {
    "page 1": {"PageNumber": 1},
    "page 1000": {"PageNumber": 1000},
    "a part of the name": {"JobFilter": {"JobName": "job 9999"}},
    "a node's, by start": {"JobFilter": {"Nodes": ["node7"], "SortBy": {"ExecuteOrder": "desc"}}},
}


def resident(server):
    """MB."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1000


def measured(count):
    """Memory after a while of looking, MB; name of the page → its median time, ms; how long it took to start, s."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        values = {"state": "FINISHED", "exit_code": 0, "start_time": 1, "end_time": 2, "node_list": "node[1-8]"}
        if count:
            fill(root / "data" / "ehpc" / "jobs.sqlite", count, **values)
        config = {"EhpcExtension": {"clusters": {CLUSTER: {"host": "127.0.0.1", "port": 9}}, "rate_limit": 0}}
        begun = time.monotonic()
        server = Server(root, root / "data", config=config)
        try:
            server.wait()
            took, times = time.monotonic() - begun, {}
            for name, fields in PAGES.items():
                times[name] = []
                for _ in range(EACH):
                    begun = time.perf_counter()
                    answer = server.call("ListJobs", ClusterId=CLUSTER, PageSize=50, **fields)
                    times[name].append((time.perf_counter() - begun) * 1000)
                assert bool(answer["Jobs"]) == bool(count), name
            return resident(server), {name: statistics.median(each) for name, each in times.items()}, took
        finally:
            server.stop()


def main():
    """Measure and print."""
    empty, its_pages, its_start = measured(0)
    full, pages, start = measured(JOBS)
    rows = [
        ("memory of the server", full, empty, "MB", "< 200 MB", full < 200),
        ("start", start, its_start, "s", "", True),
        *(
            (f"ListJobs, 50: {name}", pages[name], its_pages[name], "ms", "< 100 ms", pages[name] < 100)
            for name in PAGES
        ),
    ]
    show(f"{JOBS:,} stored jobs; reference: none", rows)
