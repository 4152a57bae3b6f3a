"""Fixtures that all groups of tests share: a condition to wait for, the real cluster, isolation from the user's own files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LAB = HERE / "cluster" / "lab"
LAB_STATE = Path("/tmp/ehpc-lab/lab.json")
IN_CI = os.environ.get("CI") == "true"
_never = threading.Event()


def wait_for(condition, *, limit_s=30.0, what="the condition"):
    """Return the condition's first true value; fails after ``limit_s`` seconds."""
    deadline = time.monotonic() + limit_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not come true within {limit_s:g} s (last: {value!r})")
        _never.wait(0.05)


def pytest_collection_modifyitems(config, items):
    """The groups that need this machine's help go last and are left out aloud where they cannot run; never in CI."""
    # Playwright keeps an event loop running in this thread until the end: whatever has one of its own goes first.
    items.sort(key=lambda item: item.path.relative_to(HERE).parts[0] == "ui")
    missing = _missing_for_cluster()
    browser = shutil.which("chromium")
    for item in items:
        parts = item.path.relative_to(HERE).parts
        if "slurm" in getattr(item, "fixturenames", ()) or parts[0] in ("cluster", "ui"):
            item.add_marker(pytest.mark.cluster)
        if parts[0] == "ui":
            item.add_marker(pytest.mark.ui)
        callspec = getattr(item, "callspec", None)
        if callspec is not None and callspec.params.get("site") == "slurm":
            item.add_marker(pytest.mark.cluster)
        if IN_CI:
            continue
        if missing and item.get_closest_marker("cluster"):
            item.add_marker(pytest.mark.skip(reason=f"the real cluster: {missing}"))
        if not browser and item.get_closest_marker("ui"):
            item.add_marker(pytest.mark.skip(reason="the browser: chromium is not installed"))


def _missing_for_cluster():
    if os.geteuid() != 0:
        return "it needs root (two accounts, munge, slurmd)"
    programs = ("sbatch", "slurmctld", "slurmdbd", "munged", "sshd", "mariadbd", "ping", "tcsh", "fish")
    absent = [name for name in programs if not _program(name)]
    return f"not installed: {', '.join(absent)}" if absent else ""


def _program(name):
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


class Lab:
    """The running test cluster, as ``tests/cluster/lab/start`` described it."""

    def __init__(self, state):
        self._take(state)

    def reload(self):
        """After a new start: its ports, keys and passwords are others."""
        self._take(json.loads(LAB_STATE.read_text()))

    def _take(self, state):
        self.state = state
        self.host = state["host"]
        self.port = state["port"]
        self.known_hosts = state["known_hosts"]
        self.users = state["users"]

    def profile(self, user="ehpcuser", **more):
        """A cluster profile's values, as a user would configure them."""
        return {
            "host": self.host,
            "port": self.port,
            "user": user,
            "identity_file": self.users[user]["key"],
            "known_hosts": self.known_hosts,
            "scheduler": "slurm",
            "poll_interval_s": 0.5,
            **more,
        }

    def run(self, *argv, user=None, check=True):
        """Run a command on the cluster's machine, as one of its users if named."""
        command = ["runuser", "-u", user, "--", *argv] if user else list(argv)
        cwd = self.users[user]["home"] if user else "/"
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=cwd, check=False)
        assert done.returncode == 0 or not check, done
        return done.stdout


@pytest.fixture(scope="session")
def lab():
    """A real Slurm with an sshd in front. One that already runs is used and left running."""
    started = not LAB_STATE.exists()
    done = subprocess.run([LAB / "start"], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"the test cluster does not start:\n{done.stdout}\n{done.stderr}"
    lab = Lab(json.loads(LAB_STATE.read_text()))
    if not started:
        # What an earlier run left behind would take the nodes that a test counts on.
        for user in lab.users:
            lab.run("scancel", f"--user={user}")
    yield lab
    if started:
        subprocess.run([LAB / "stop"], capture_output=True, timeout=120, check=True)


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory, monkeypatch):
    """No test reads or writes the developer's own configuration, jobs or keys."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    for name in ("JPY_PARENT_PID", "SSH_AUTH_SOCK", "JUPYTERHUB_SERVICE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("EHPC_LOCALQ_HOME", str(home / "localq"))
    monkeypatch.setenv("EHPC_LOCALQ_IDLE_S", "3")
