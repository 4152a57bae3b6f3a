"""``make bench``: what one submission costs, four ways side by side in one run; read the ratios, not the times. Then ``api.py``,
``watching.py``, ``memory.py``, ``neighbours.py`` and ``kernel.py``; ``python -m tests.benchmarks watching`` runs one of them.

Needs the real cluster (root). The jobs go into a partition that is down, so that none of them runs beside the next measurement.
"""

from __future__ import annotations

import json
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import paramiko
from fabric import Config, Connection

from tests.benchmarks import api, kernel, memory, neighbours, table, watching
from tests.conftest import LAB, LAB_STATE, Lab
from tools.server import Server

ROUNDS, EACH = 6, 10
SBATCH = ["sbatch", "--parsable", "--partition=gpu", "--job-name=bench", "--output=/dev/null", "--wrap=true"]
#: bash's own clock: the cheapest process that can run sbatch and time it.
RAW = "for i in $(seq {each}); do a=$EPOCHREALTIME; {command} >/dev/null || exit 1; echo $a $EPOCHREALTIME; done"


def raw(lab):
    """sbatch as a child process on the cluster's machine, as the user."""
    out = lab.run("bash", "-c", RAW.format(each=EACH, command=shlex.join(SBATCH)), user="ehpcuser")
    return [float(end) - float(start) for start, end in (line.split() for line in out.splitlines())]


def connect(lab):
    """A new SSH connection, host key verified."""
    client = paramiko.SSHClient()
    client.load_system_host_keys(lab.known_hosts)
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    key = lab.users["ehpcuser"]["key"]
    client.connect(lab.host, lab.port, "ehpcuser", key_filename=key, look_for_keys=False, allow_agent=False)
    return client


def timed(work):
    """How long each of ``EACH`` calls takes, seconds."""
    times = []
    for _ in range(EACH):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return times


def over_new_connection(lab):
    """Connect, sbatch, close."""
    with connect(lab) as client:
        _, out, _ = client.exec_command(shlex.join(SBATCH))
        assert out.read().strip().isdigit()


def the_lab():
    """The real cluster; started if need be, and left running."""
    subprocess.run([LAB / "start"], check=True, stdout=subprocess.DEVNULL)
    return Lab(json.loads(LAB_STATE.read_text()))


def submitting():
    """Measure and print."""
    lab = the_lab()
    lab.run("scontrol", "update", "PartitionName=gpu", "State=DOWN")
    client = connect(lab)
    fabric = Connection(lab.host, user="ehpcuser", port=lab.port, config=Config(lazy=True))
    fabric.client = client
    fabric.transport = client.get_transport()
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch)
        server = Server(data, data, config={"EhpcExtension": {"clusters": {"lab": lab.profile()}}})
        try:
            server.wait()
            body = {"ClusterId": "lab", "JobSpec": {"Script": "true", "JobQueue": "gpu"}}
            ways = {
                "raw sbatch on the machine": lambda: raw(lab),
                "sbatch over a new SSH connection": lambda: timed(lambda: over_new_connection(lab)),
                "sbatch by Fabric's run, open connection": lambda: timed(
                    lambda: fabric.run(shlex.join(SBATCH), hide=True)
                ),
                "CreateJob by HTTP, open connection": lambda: timed(lambda: server.call("CreateJob", **body)),
            }
            times = {name: [] for name in ways}
            server.call("CreateJob", **body)
            for _ in range(ROUNDS):
                for name, way in ways.items():
                    times[name] += way()
        finally:
            server.stop()
            client.close()
            lab.run("scancel", "--user=ehpcuser", check=False)
            lab.run("scontrol", "update", "PartitionName=gpu", "State=UP")
    base = statistics.median(times["raw sbatch on the machine"])
    print(f"{ROUNDS * EACH} submissions each, in turns")
    print(f"{'':42}{'median':>9}{'p95':>9}{'ratio':>8}{'over raw':>11}")
    for name, values in times.items():
        median, p95 = statistics.median(values), statistics.quantiles(values, n=20)[-1]
        print(f"{name:42}{median * 1e3:6.1f} ms{p95 * 1e3:6.1f} ms{median / base:8.1f}{(median - base) * 1e3:8.1f} ms")


PARTS = {
    "submitting": submitting,
    "api": api.main,
    "watching": watching.main,
    "memory": memory.main,
    "neighbours": neighbours.main,
    "kernel": kernel.main,
}

if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
    if table.MISSED:
        print("\nTargets missed:", *table.MISSED, sep="\n- ")
