"""A real queue in a folder of the test's own, through its command line; whatever it started is gone afterwards."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ehpc_jupyter.localq import cli
from tests.conftest import wait_for

PROGRAM = (sys.executable, "-I", "-S", "-X", "utf8", str(Path(cli.__file__).with_name("__main__.py")))
ENDED = {"FINISHED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAILED"}


class Queue:
    """The commands of one queue, as a user would give them."""

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

    def wait(self, job, state=None, *, task=None):
        """The entry of a job or task once it is in a state, in any final one if none is given."""

        def found():
            return [
                entry
                for entry in self.entries(job)
                if entry.get("tasks") == task
                and (entry["state"] == state or (state is None and entry["state"] in ENDED))
            ]

        return wait_for(found, what=f"job {job} task {task} {state or 'ended'}, now {self.entries(job)}")[0]

    def wait_all(self, job):
        """The entries of a job once all of it has ended."""
        wait_for(
            lambda: {entry["state"] for entry in self.entries(job)} <= ENDED, what=f"the end of {self.entries(job)}"
        )
        return self.entries(job)

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
        found = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdecimal() and mark in (entry / "environ").read_bytes().split(b"\0"):
                    argv = (entry / "cmdline").read_bytes()
                    if argv and word.encode() in argv.split(b"\0" if word else b"\xff\xff"):
                        found.append(int(entry.name))
            except OSError:
                continue
        return found

    def manager(self):
        """The pid of the one manager."""
        return wait_for(lambda: self.processes("_manager"), what="a manager")[0]

    def kill(self, *pids):
        for pid in pids:
            os.kill(pid, signal.SIGKILL)

    def clear(self):
        """Kill all there is, until nothing is left."""

        def gone():
            pids = self.processes()
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            return not pids

        wait_for(gone, what="the end of the queue's processes")


@pytest.fixture
def queue(tmp_path):
    made = Queue(tmp_path)
    yield made
    made.clear()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in made.home.iterdir()} if made.home.exists() else set()
    assert modes <= {0o600}, "everything in the queue's folder is for its owner only"
