"""A real queue in a folder of the test's own, through its command line; whatever it started is gone afterwards."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ehpc_jupyter.localq import cli, report
from ehpc_jupyter.localq.database import Database
from ehpc_jupyter.localq.machine import Machine
from tests.conftest import wait_for

PROGRAM = (sys.executable, "-I", "-S", "-X", "utf8", str(Path(cli.__file__).with_name("__main__.py")))
ENDED = {"FINISHED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAILED"}


def _words(pid, which):
    """The words of a process's argv or environment; none of one that is gone, or a zombie."""
    try:
        return Path(f"/proc/{pid}/{which}").read_bytes().split(b"\0")
    except OSError:
        return []


class Queue:
    """The commands of one queue, as a user would give them."""

    program = PROGRAM

    def __init__(self, folder):
        self.folder = folder
        self.home = folder / "home"
        self.work = folder / "work"
        self.work.mkdir()
        self.environ = {
            **os.environ,
            "EHPC_LOCALQ_HOME": str(self.home),
            "EHPC_LOCALQ_CORES": "2",
            "EHPC_LOCALQ_MEMORY_MB": "1000",
            "EHPC_LOCALQ_GPUS": "0",
            "EHPC_LOCALQ_KILL_WAIT_S": "0.3",
            "EHPC_LOCALQ_IDLE_S": "60",
        }
        self.scripts = 0

    def start(self, *words, **more):
        """A command, running."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "encoding": "utf-8"}
        return subprocess.Popen([*PROGRAM, *words], **{"cwd": self.work, "env": self.environ, **pipes, **more})

    def run(self, *words, **more):
        """A command and its answer."""
        with self.start(*words, **more) as process:
            out, error = process.communicate(timeout=60)
        return subprocess.CompletedProcess(words, process.returncode, out, error)

    def ok(self, *words, **more):
        """The answer of a command that must succeed in silence."""
        done = self.run(*words, **more)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def refused(self, *words):
        """The words of a command that must be refused."""
        done = self.run(*words)
        assert (done.returncode, done.stdout) == (1, "")
        return done.stderr

    def script(self, text, mode=0o755):
        self.scripts += 1
        path = self.folder / f"script{self.scripts}"
        path.write_text(text)
        path.chmod(mode)
        return str(path)

    def submit(self, text, *options, **more):
        """Submit a shell script, and get its id."""
        answer = self.ok("submit", *options, "--", self.script(f"#!/bin/sh\n{text}\n"), **more)
        assert answer.startswith("Submitted batch job ")
        return answer.split()[-1]

    def entries(self, *ids):
        """What status says, as dictionaries."""
        lines = self.ok("status", "--parsable", *ids).split("\n")[:-1]
        return [dict(field.split("=", 1) for field in line.split(cli.FIELD)) for line in lines]

    def states(self, job):
        """State by task (None for a job that is no array)."""
        return {entry.get("tasks"): entry["state"] for entry in self.entries(job)}

    def look(self):
        """What ``entries`` says, read without a process of its own: for waiting. It wakes nobody."""
        machine = Machine(int(self.environ["EHPC_LOCALQ_CORES"]), 1000, ())
        with contextlib.closing(Database(self.home)) as database:
            return report.entries(database, machine, None, int(time.time()))

    def wait(self, job, state=None, *, task=None):
        """The entry of a job or task once it is in a state, in any final one if none is given."""
        wanted = {state} if state else ENDED

        def found():
            return [e for e in self.look() if e["job"] == job and e.get("tasks") == task and e["state"] in wanted]

        return wait_for(found, what=f"job {job} task {task} {state or 'ended'}")[0]

    def wait_all(self, *jobs):
        """The entries of jobs once all of them have ended."""

        def found():
            entries = [e for e in self.look() if e["job"] in jobs]
            return {e["state"] for e in entries} <= ENDED and entries

        return wait_for(found, what=f"the end of {jobs}")

    def file(self, name):
        """A file of the working folder once it has a whole line."""
        path = self.work / name
        wait_for(lambda: path.exists() and path.read_text().endswith("\n"), what=f"{name} written")
        return path.read_text()

    def gate(self, name="gate"):
        """A FIFO: a script that reads it waits until ``open_gate``."""
        os.mkfifo(self.work / name)
        return f"read x < {name}"

    def open_gate(self, name="gate"):
        def opened():
            try:
                return os.open(self.work / name, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:  # nobody reads yet
                return None

        os.close(wait_for(opened, what="a script at the gate"))

    def processes(self, word=""):
        """pids of what lives with this queue's folder in its environment, and with a word in its argv."""
        mark = f"EHPC_LOCALQ_HOME={self.home}".encode()
        pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal())
        return [
            pid
            for pid in pids
            if mark in _words(pid, "environ") and (not word or word.encode() in _words(pid, "cmdline"))
        ]

    def manager(self):
        """The pid of the one manager."""
        # Between fork and exec a shepherd still has its parent's argv.
        return wait_for(lambda: len(found := self.processes("_manager")) == 1 and found, what="one manager")[0]

    def kill(self, *pids):
        for pid in pids:
            os.kill(pid, signal.SIGKILL)

    def clear(self):
        """Kill all there is, until nothing is left."""

        def gone():
            pids = self.processes()
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return not pids

        wait_for(gone, what="the end of the queue's processes")


@pytest.fixture
def queue(tmp_path):
    made = Queue(tmp_path)
    yield made
    made.clear()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in made.home.iterdir()} if made.home.exists() else set()
    assert modes <= {0o600}, "everything in the queue's folder is for its owner only"
