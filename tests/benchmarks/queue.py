"""A login node whose squeue prints what a benchmark wrote, at once, and counts how often it was asked."""

from __future__ import annotations

import os
import time
from pathlib import Path

from ehpc_jupyter.jobs.store import JobStore, StoredJob
from ehpc_jupyter.models.job import JobDetail, JobState
from ehpc_jupyter.schedulers import slurm
from ehpc_jupyter.schedulers.base import FIELD
from ehpc_jupyter.schedulers.slurm_site import RECORD
from tests.cluster.faults import Sshd
from tests.conftest import wait_for

CLUSTER = "slurm"


class Queue:
    """An sshd of one's own with the fake behind it; jobs ``1`` to ``count``, all waiting at first.

    Args:
        lab: whose account and host key are used.
        count: how many jobs it has.
    """

    def __init__(self, lab, count):
        self.sshd = Sshd(lab, Path("/tmp") / f"ehpc-bench-{os.getpid()}")
        place = self.sshd.place
        place.chmod(0o777)
        self.asked_file, self.answer_file = place / "asked", place / "answer"
        for name, text in (
            ("squeue", f"echo >>{self.asked_file}; exec cat {self.answer_file}"),
            ("sacct", "exit 0"),
            ("sbatch", "echo 'sbatch: error: not here' >&2; exit 1"),
        ):
            (place / name).write_text(f"#!/bin/sh\n{text}\n")
            (place / name).chmod(0o755)
        self.asked_file.touch()
        self.asked_file.chmod(0o666)
        self.known_hosts = place / "known_hosts"
        self.known_hosts.write_text(Path(lab.known_hosts).read_text().replace(f"]:{lab.port}", f"]:{self.sshd.port}"))
        self.states = ["PENDING"] * count
        self.now = int(time.time())
        self.write()

    def replace(self, name, text):
        """Put another program in the place of one of the fakes; the text of the one before."""
        path = self.sshd.place / name
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
            "%u": "ehpcuser",
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
        # In the order that the scheduler asks in: what it asks for beyond these is not known.
        return FIELD.join(str(values.get(code, "N/A")) for code in slurm._SQUEUE) + RECORD + "\n"

    @property
    def size(self):
        """Of an answer, bytes."""
        return self.answer_file.stat().st_size

    def asked(self):
        """How often."""
        return self.asked_file.stat().st_size

    def profile(self, lab, **more):
        """As a user would configure it."""
        return lab.profile(port=self.sshd.port, known_hosts=str(self.known_hosts), poll_interval_s=2, **more)

    def fill(self, path):
        """The jobs in a store, as submitted."""
        fill(path, len(self.states), state=JobState.QUEUED, native_state="PENDING", reason="Priority")

    def wait_asked(self):
        """Until it is asked the next time."""
        before = self.asked()
        wait_for(lambda: self.asked() > before, what="squeue to be asked")

    def close(self):
        """End the sshd."""
        self.sshd.close()


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
