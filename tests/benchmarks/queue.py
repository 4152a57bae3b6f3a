"""A login node whose squeue prints what a benchmark wrote, at once, and counts how often it was asked."""

from __future__ import annotations

import getpass
import os
import re
import socket
import subprocess
import time
from pathlib import Path

from ehpc_jupyter.jobs.store import JobStore, StoredJob
from ehpc_jupyter.models.job import JobDetail, JobState
from ehpc_jupyter.schedulers.slurm_jobs import SQUEUE
from tests.conftest import wait_for
from tools.server import free_port

CLUSTER = "slurm"
SFTP = "/usr/lib/openssh/sftp-server"
LOGIN = """case $SSH_ORIGINAL_COMMAND in {sftp}) exec {sftp} ;; esac
PATH={place}:$PATH
exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"
"""


class Queue:
    """An sshd of one's own, for one's own account, with the fake behind it; jobs ``1`` to ``count``, all waiting at first.

    Args:
        place: an empty folder.
        count: how many jobs it has.
    """

    def __init__(self, place, count):
        self.place, self.user = place, getpass.getuser()
        self.asked_file, self.answer_file = place / "asked", place / "answer"
        self.known_hosts, self.key = place / "known_hosts", place / "key"
        for name, text in (
            ("squeue", f"echo >>{self.asked_file}; exec cat {self.answer_file}"),
            ("sacct", "exit 0"),
            ("sbatch", "echo 'sbatch: error: not here' >&2; exit 1"),
            ("login", LOGIN.format(sftp=SFTP, place=place)),
        ):
            (place / name).write_text(f"#!/bin/sh\n{text}\n")
            (place / name).chmod(0o755)
        self.asked_file.touch()
        for name in ("key", "host_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", place / name], check=True)
        self.port = free_port()
        kind, key = (place / "host_key.pub").read_text().split()[:2]
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {kind} {key}\n")
        settings = {
            "ListenAddress": "127.0.0.1",
            "Port": self.port,
            "HostKey": place / "host_key",
            "AuthorizedKeysFile": place / "key.pub",
            "StrictModes": "no",
            "PermitRootLogin": "yes",
            "PidFile": "none",
            "UsePAM": "no",
            "Subsystem": f"sftp {SFTP}",
            "ForceCommand": place / "login",
        }
        (place / "config").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self.sshd = subprocess.Popen(["/usr/sbin/sshd", "-D", "-E", place / "log", "-f", place / "config"])
        wait_for(self._listens, what="the sshd")
        self.states = ["PENDING"] * count
        self.now = int(time.time())
        self.write()

    def replace(self, name, text):
        """Put another program in the place of one of the fakes; the text of the one before."""
        path = self.place / name
        before = path.read_text().partition("\n")[2].rstrip()
        draft = path.with_suffix(".new")
        draft.write_text(f"#!/bin/sh\n{text}\n")
        draft.chmod(0o755)
        draft.replace(path)
        return before

    def write(self):
        """Make the answer what ``states`` says."""
        draft = self.answer_file.with_suffix(".new")
        draft.write_text("".join(self._record(number, state) for number, state in enumerate(self.states)))
        draft.replace(self.answer_file)

    def _record(self, number, state):
        started = state != "PENDING"
        values = {
            "%F": number + 1,
            "%K": "N/A",
            "%T": state,
            "%r": "None" if started else "Priority",
            "%P": "comp",
            "%u": self.user,
            "%N": f"node{number % 4 + 1}" if started else "",
            "%V": self.now,
            "%S": self.now if started else "N/A",
            "%e": self.now + 60 if started else "N/A",
            "%l": "1:00:00",
            "%D": 1,
            "%C": 1,
            "%b": "N/A",
            "%k": f"{number:032x}",
            "%j": f"job {number}",
        }
        # What is asked for beyond these is not known.
        return re.sub(r"%[A-Za-z]", lambda code: str(values.get(code[0], "N/A")), SQUEUE) + "\n"

    @property
    def size(self):
        """Of an answer, bytes."""
        return self.answer_file.stat().st_size

    def asked(self):
        """How often."""
        return self.asked_file.stat().st_size

    def profile(self):
        """As a user would configure it."""
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "user": self.user,
            "identity_file": str(self.key),
            "known_hosts": str(self.known_hosts),
            "scheduler": "slurm",
            "poll_interval_s": 2,
        }

    def _listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def fill(self, path):
        """The jobs in a store, as submitted."""
        fill(path, len(self.states), state=JobState.QUEUED, native_state="PENDING", reason="Priority")

    def wait_asked(self):
        """Until it is asked the next time."""
        before = self.asked()
        wait_for(lambda: self.asked() > before, what="squeue to be asked")

    def close(self):
        """End the sshd."""
        self.sshd.terminate()
        self.sshd.wait(10)


def fill(path, count, **values):
    """Put jobs into a store, ids from 1."""
    store = JobStore(path)
    store._db.execute("PRAGMA synchronous = OFF")
    now = int(time.time()) - count
    for number in range(count):
        folder = f"/home/ehpcuser/ehpc-jobs/2030-01-01-job-{number:032x}"
        detail = JobDetail(
            cluster_id=CLUSTER,
            request_id=f"{number:032x}",
            job_id=str(number + 1),
            job_name=f"job {number}",
            user="ehpcuser",
            queue="comp",
            submit_time=now + number,
            folder=folder,
            stdout_path=f"{folder}/stdout",
            stderr_path=f"{folder}/stderr",
            **values,
        )
        request = {"ClusterId": CLUSTER, "JobSpec": {"CommandLine": "-- /bin/true", "WallTime": "1:00:00"}}
        store.add(StoredJob(detail, request, None, ""))
    store.close()
