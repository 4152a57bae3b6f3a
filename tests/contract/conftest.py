"""One suite, every kind of cluster: a ``site`` is a job service with one cluster, and how a test talks to it."""

from __future__ import annotations

import base64
import uuid
from pathlib import Path

import pytest

from ehpc_jupyter.jobs.service import JobService
from ehpc_jupyter.models.cluster import ClusterProfile
from tests.conftest import wait_for

KINDS = ("local", "slurm")


class Site:
    """A cluster under test.

    Attributes:
        cluster: its name.
        service: the job service.
        home: the account's home there.
        lab: the real cluster behind it, or None.
    """

    def __init__(self, cluster, service, home, lab=None):
        self.cluster = cluster
        self.service = service
        self.home = Path(home)
        self.lab = lab
        self.events = []
        service.subscribe(self.events.append)

    def call(self, action, **fields):
        return self.service.call(action, {"ClusterId": self.cluster, **fields})

    def submit(self, name=None, token=None, **spec):
        body = {"JobSpec": spec}
        if name:
            body["JobName"] = name
        if token:
            body["ClientToken"] = token
        return self.call("CreateJob", **body)["JobId"]

    def detail(self, job_id):
        return self.call("GetJob", JobId=job_id)["JobInfo"]["Detail"]

    def wait(self, job_id, *, limit_s=60, until=None):
        final = {"FINISHED", "FAILED", "CANCELLED", "TIMEOUT", "OUT_OF_MEMORY", "NODE_FAILED"}
        wanted = {until} if until else final

        def reached():
            detail = self.detail(job_id)
            return detail if detail["State"] in wanted else None

        return wait_for(reached, limit_s=limit_s, what=f"job {job_id} in {sorted(wanted)}")

    def log(self, job_id, kind="stdout", **more):
        answer = self.call("GetJobLog", JobId=job_id, LogType=kind, Size=1_000_000, **more)
        text = answer.get("StdoutLog" if kind == "stdout" else "StderrLog")
        return None if text is None else base64.b64decode(text).decode()

    def file(self, text, mode=0o755, name=None):
        """Put a file into the account's home; returns its name there."""
        path = self.home / (name or f"file-{uuid.uuid4().hex[:8]}")
        path.write_text(text)
        path.chmod(mode)
        if self.lab:
            self.lab.run("chown", "ehpcuser:", str(path))
        return path.name

    def folder(self):
        path = self.home / f"out-{uuid.uuid4().hex[:8]}"
        path.mkdir()
        if self.lab:
            self.lab.run("chown", "ehpcuser:", str(path))
        return path


@pytest.fixture(params=KINDS)
def site(request, tmp_path):
    """Every kind of cluster in turn."""
    kind = request.param
    lab = request.getfixturevalue("lab") if kind == "slurm" else None
    if lab:
        profile = ClusterProfile.from_wire({"name": kind, **lab.profile()})
        home = lab.users["ehpcuser"]["home"]
    else:
        profile = ClusterProfile(name=kind, scheduler="local", poll_interval_s=0.2)
        home = Path.home()
    service = JobService({kind: profile}, tmp_path / "store" / "jobs.sqlite")
    yield Site(kind, service, home, lab)
    service.close()
