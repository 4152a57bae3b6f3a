"""One suite, every kind of cluster: a ``site`` is a job service with one cluster, and how a test talks to it."""

from __future__ import annotations

import base64
import uuid
from pathlib import Path

import pytest

from ehpc_jupyter.clusters.batch import BatchCluster
from ehpc_jupyter.jobs.service import JobService
from ehpc_jupyter.models.cluster import ClusterProfile
from ehpc_jupyter.transport.base import Transport
from ehpc_jupyter.transport.local import LocalTransport
from ehpc_jupyter.transport.ssh import SSHTransport
from tests.conftest import wait_for

KINDS = ("local", "slurm")
#: The words by which each scheduler's commands are known.
COMMANDS = {
    "local": {"stop": "stop", "hold": "hold", "release": "release", "submit": "submit"},
    "slurm": {"stop": "scancel", "hold": "hold", "release": "release", "submit": "sbatch"},
}


class Recorder(Transport):
    """A connection that notes the commands that go through it."""

    def __init__(self, inner, noted):
        self.inner = inner
        self.noted = noted

    home = property(lambda self: self.inner.home)
    user = property(lambda self: self.inner.user)

    def run(self, argv, **more):
        self.noted.append(tuple(argv))
        return self.inner.run(argv, **more)

    def read(self, path, offset=0, size=65536):
        return self.inner.read(path, offset, size)

    def list(self, path):
        return self.inner.list(path)

    def stat(self, path):
        return self.inner.stat(path)

    def close(self):
        self.inner.close()


class Site:
    """A cluster under test.

    Attributes:
        cluster: its name.
        service: the job service.
        home: the account's home there.
        lab: the real cluster behind it, or None.
        noted: the commands that were run there.
    """

    def __init__(self, cluster, service, home, lab=None, noted=()):
        self.cluster = cluster
        self.noted = noted
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

    def commands(self, order):
        """The commands of an order (stop, hold, …) that were given until now."""
        return [argv for argv in self.noted if COMMANDS[self.cluster][order] in argv]

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
    noted = []

    def connect(profile, user, password):
        if profile.host is None:
            return Recorder(LocalTransport(command_timeout_s=profile.command_timeout_s), noted)
        return Recorder(SSHTransport(profile, user=user, password=password), noted)

    def make_cluster(profile):
        return BatchCluster(profile, connect)

    service = JobService({kind: profile}, tmp_path / "store" / "jobs.sqlite", make_cluster)
    yield Site(kind, service, home, lab, noted)
    service.close()


@pytest.fixture
def full(site):
    """The site with a job on all that it has, so that what is submitted waits for its turn; the job's id."""
    queue = next(queue for queue in site.call("ListQueues")["Queues"] if queue["IsDefault"])
    wanted = {"Nodes": queue["MaxNodes"], "Cores": queue["MaxCoresPerNode"]}
    job = site.submit(name="full", Script="sleep 300", Resources=wanted)
    site.wait(job, until="RUNNING")
    yield job
    site.call("StopJobs", JobIds=[job])
    site.wait(job)
