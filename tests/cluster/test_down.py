"""A scheduler that is down, hangs or talks nonsense: jobs become stale with the reason, and right again by themselves."""

from __future__ import annotations

import os
import re
import signal
import statistics
import subprocess
import time
from pathlib import Path

import pytest

from ehpc_jupyter.errors import EhpcError
from ehpc_jupyter.models.cluster import ClusterProfile
from tests.cluster.faults import Sshd
from tests.cluster.test_slurm import make
from tests.conftest import LAB, wait_for
from tools.server import Server

HOLDS = "while [ ! -e {go} ]; do sleep 0.1; done; exit 3"
REAL = 'exec /usr/bin/squeue "$@"'


def daemon(lab, name, number):
    os.kill(int(Path(lab.state["pid_files"][name]).read_text()), number)


def repair(lab):
    done = subprocess.run([LAB / "start", "--repair"], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def whole(lab):
    """The lab, whole again afterwards whatever a test did to it."""
    yield lab
    daemon(lab, "slurmctld", signal.SIGCONT)
    repair(lab)


@pytest.fixture
def go(lab):
    """A file that the jobs wait for."""
    path = Path(lab.users["ehpcuser"]["home"]) / f"go-{time.time_ns()}"
    yield path
    path.unlink(missing_ok=True)


class Desk:
    """A server with the real Slurm as ``slurm`` and the embedded queue beside it."""

    def __init__(self, lab, root):
        clusters = {"slurm": lab.profile(command_timeout_s=5)}
        config = {"EhpcExtension": {"clusters": clusters, "local_poll_interval_s": 0.2}}
        self.server = Server(root, root / "data", config=config)
        self.server.wait()

    def submit(self, script, cluster="slurm", **more):
        return self.server.call("CreateJob", ClusterId=cluster, JobSpec={"Script": script}, **more)["JobId"]

    def detail(self, job, cluster="slurm"):
        return self.server.call("GetJob", ClusterId=cluster, JobId=job)["JobInfo"]["Detail"]

    def wait(self, job, state, limit_s=60):
        def reached():
            detail = self.detail(job)
            return detail if detail["State"] == state and "StaleReason" not in detail else None

        return wait_for(reached, limit_s=limit_s, what=f"job {job} to be {state} and fresh")

    def local_latency(self, rounds=6):
        """What submitting to and looking at the other cluster takes, seconds."""
        times = []
        for _ in range(rounds):
            begun = time.monotonic()
            self.detail(self.submit("true", "local"), "local")
            self.server.call("ListQueues", ClusterId="local")
            times.append(time.monotonic() - begun)
        return times


@pytest.fixture
def desk(whole, tmp_path):
    made = Desk(whole, tmp_path)
    yield made
    made.server.stop()


BROKEN = {
    "slurmctld stopped": ("slurmctld", signal.SIGTERM, r"squeue: error: .*(ontact|onnection)|no answer within 5 s"),
    "slurmctld hangs": ("slurmctld", signal.SIGSTOP, r"no answer within 5 s|timed out"),
    "munge stopped": ("munged", signal.SIGTERM, r"munge|authentication|no answer within 5 s"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_job_of_a_cluster_that_is_down_is_stale_and_then_right_again(desk, whole, go, what):
    name, number, words = BROKEN[what]
    job = desk.submit(HOLDS.format(go=go))
    desk.wait(job, "RUNNING")
    before = desk.local_latency()
    broken = time.time()
    daemon(whole, name, number)
    stale = wait_for(lambda: (d := desk.detail(job)).get("StaleReason") and d, what="the job to be stale")
    go.touch()
    during = desk.local_latency()
    later = desk.detail(job)
    for detail in (stale, later):
        assert detail["State"] == "RUNNING"
        assert detail["CheckedTime"] <= broken + 1
    assert re.search(words, later["StaleReason"]), later["StaleReason"]
    assert max(during) < max(1.0, 5 * statistics.median(before)), (before, during)
    (cluster,) = desk.server.call("ListClusters", ClusterIds=["slurm"])["Clusters"]
    assert cluster["ClusterStatus"] == "exception"
    if number == signal.SIGSTOP:
        daemon(whole, name, signal.SIGCONT)
    else:
        repair(whole)
    ended = desk.wait(job, "FAILED")
    assert ended["ExitCode"] == 3
    states = [e["State"] for e in desk.server.call("ListJobEvents", ClusterId="slurm", JobId=job)["Events"]]
    assert states == ["SUBMITTING", "QUEUED", "RUNNING", "FAILED"]


def test_a_submission_into_a_scheduler_that_hangs_is_found_when_it_wakes(desk, whole):
    """The controller reads the request from its socket when it wakes, long after sbatch was given up."""
    name = f"hang-{time.time_ns()}"
    body = {"JobName": name, "ClientToken": name}
    desk.submit("true")  # connected, so that it is the scheduler that is waited for
    daemon(whole, "slurmctld", signal.SIGSTOP)
    with pytest.raises(RuntimeError, match="looked for"):
        desk.submit("true", **body)
    with pytest.raises(RuntimeError, match="looked for"):
        desk.submit("true", **body)
    daemon(whole, "slurmctld", signal.SIGCONT)

    def settled():
        try:
            return desk.submit("true", **body)
        except RuntimeError as error:
            return "was not submitted" in str(error)

    answer = wait_for(settled, limit_s=240, what="the request to be settled")
    ids = whole.run("squeue", "-h", "-t", "all", "-n", name, "-o", "%i").split()
    assert ids == ([answer] if answer is not True else [])


def test_accounting_that_is_down_holds_up_nothing_that_the_queue_knows(desk, whole, go):
    job = desk.submit(HOLDS.format(go=go))
    desk.wait(job, "RUNNING")
    daemon(whole, "slurmdbd", signal.SIGTERM)
    second = desk.submit("exit 4")
    assert desk.wait(second, "FAILED")["ExitCode"] == 4
    go.touch()
    assert desk.wait(job, "FAILED")["ExitCode"] == 3


# --- a squeue that is not itself


@pytest.fixture
def odd(lab, tmp_path):
    """A cluster whose account has a folder of the test's own first on its PATH."""
    sshd = Sshd(lab, Path("/tmp") / f"ehpc-odd-{os.getpid()}-{time.time_ns()}")
    (sshd.place / "sbatch").unlink()
    known = tmp_path / "known_hosts"
    known.write_text(Path(lab.known_hosts).read_text().replace(f"]:{lab.port}", f"]:{sshd.port}"))
    site = make(lab, tmp_path, port=sshd.port, known_hosts=str(known), command_timeout_s=2)

    def replace(name, text):
        draft = sshd.place / f"{name}.new"
        draft.write_text(f"#!/bin/bash\n{text}\n")
        draft.chmod(0o755)
        draft.replace(sshd.place / name)

    site.replace = replace
    yield site
    site.service.close()
    sshd.close()


NONSENSE = {
    "hangs": ("sleep 60", "no answer within 2 s"),
    "prints garbage": ("head -c 5000 /dev/urandom", "squeue"),
    "prints half a line": ('/usr/bin/squeue "$@" | head -c 30', "not whole"),
    "prints half of it": ("printf '1\\x1f2\\x1e\\n'", "record of 2 fields"),
    "refuses": (
        "echo 'slurm_load_jobs error: Access/permission denied' >&2; exit 1",
        "slurm_load_jobs error: Access/permission denied",
    ),
    "says something first": ('echo "Dear users, maintenance on Monday"; /usr/bin/squeue "$@"', "something else before"),
    "is gone": ("exit 127", "127"),
}


@pytest.mark.parametrize("how", NONSENSE)
def test_nothing_is_concluded_from_a_squeue_that(odd, go, how):
    text, words = NONSENSE[how]
    job = odd.submit(Script=HOLDS.format(go=go))
    fresh = odd.wait(job, until="RUNNING")
    odd.replace("squeue", text)
    stale = wait_for(lambda: (d := odd.detail(job)).get("StaleReason") and d, what="the job to be stale")
    assert words in stale["StaleReason"]
    assert stale["State"] == "RUNNING"
    assert stale["CheckedTime"] >= fresh["SubmitTime"]
    go.touch()
    odd.replace("squeue", REAL)
    detail = wait_for(lambda: "StaleReason" not in (d := odd.detail(job)) and d, what="the job to be fresh again")
    assert detail["State"] in ("RUNNING", "FAILED")
    assert odd.wait(job)["ExitCode"] == 3


def test_a_squeue_that_prints_nothing_ends_no_job(odd, go):
    """The accounting still has it, though it may be a second or two behind: waiting, where the job runs."""
    job = odd.submit(Script=HOLDS.format(go=go))
    odd.wait(job, until="RUNNING")
    odd.replace("squeue", f"touch {odd.home}/asked; exit 0")
    asked = odd.home / "asked"
    for _ in range(3):
        asked.unlink(missing_ok=True)
        wait_for(lambda: odd.detail(job) and asked.exists(), what="squeue to be asked")
        assert odd.detail(job)["State"] in ("RUNNING", "QUEUED")
    asked.unlink(missing_ok=True)
    go.touch()
    odd.replace("squeue", REAL)
    assert odd.wait(job)["ExitCode"] == 3


def test_a_failing_accounting_freezes_only_the_jobs_that_need_it(odd, go):
    """With the accounting down for a day, what the queue still knows goes on."""
    lost, job = odd.submit(Script=HOLDS.format(go=go)), odd.submit(Script=HOLDS.format(go=go))
    odd.wait(lost, until="RUNNING")
    odd.wait(job, until="RUNNING")
    odd.replace("sacct", "echo 'sacct: error: Problem talking to the database: Connection refused' >&2; exit 1")
    odd.replace("squeue", f'/usr/bin/squeue "$@" | grep -v "^{lost}"$(printf "\\x1f")')
    stale = wait_for(lambda: odd.detail(lost).get("StaleReason"), what="the forgotten job to be stale")
    assert "Problem talking to the database" in stale
    go.touch()
    assert odd.wait(job, limit_s=20)["ExitCode"] == 3
    assert odd.detail(lost)["State"] == "RUNNING"
    odd.replace("sacct", 'exec /usr/bin/sacct "$@"')
    assert odd.wait(lost)["ExitCode"] == 3


# --- what users do that nobody wrote


def test_a_job_s_folder_that_is_removed_while_it_runs(odd, go):
    job = odd.submit(Script=HOLDS.format(go=go))
    folder = odd.wait(job, until="RUNNING")["Folder"]
    odd.lab.run("rm", "-r", folder, user="ehpcuser")
    go.touch()
    assert odd.wait(job)["State"] == "FAILED"
    wait_for(lambda: odd.detail(job).get("ExitCode") == 3, what="the accounting's exit code")
    assert odd.log(job) is None


def test_a_job_whose_folder_is_removed_before_its_answer_is_looked_for(odd, lab, go, tmp_path):
    """The server dies with the answer on its way, the user tidies up, the server comes again: the job still runs."""
    name = f"tidy-{time.time_ns()}"
    service = odd.service
    cluster = service.cluster("slurm")
    working = cluster.submit

    def dies(job):
        working(job)
        raise KeyboardInterrupt

    cluster.submit = dies
    with pytest.raises(KeyboardInterrupt):
        odd.submit(name=name, Script=HOLDS.format(go=go))
    cluster.submit = working
    (job,) = lab.run("squeue", "-h", "-t", "all", "-n", name, "-o", "%i").split()
    (stored,) = service.store.active("slurm")
    lab.run("rm", "-r", stored.detail.folder, user="ehpcuser")
    found = wait_for(lambda: odd.call("RefreshJobs") and service.store.by_request(stored.request_id).detail.job_id)
    assert found == job
    go.touch()
    odd.wait(job)


def test_a_home_that_cannot_be_written_is_told_and_nothing_is_left(odd, lab):
    home = odd.home
    jobs = home / f"closed-{time.time_ns()}"
    jobs.mkdir(mode=0o555)
    profile = odd.service.cluster("slurm").profile
    made = ClusterProfile.from_wire({**profile.to_wire(), "JobsFolder": str(jobs / "in")})
    odd.service.cluster("slurm").profile = made
    with pytest.raises(EhpcError, match=str(jobs)):
        odd.submit(Script="true")
    assert odd.call("ListJobs")["TotalCount"] == 0
    jobs.rmdir()


# --- a site without accounting


@pytest.fixture
def bare(lab):
    """The lab without accounting, whose Slurm forgets a job two seconds after its end; the usual one afterwards."""

    def run(*argv):
        done = subprocess.run([LAB / argv[0], *argv[1:]], capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    run("stop")
    run("start", "--no-accounting", "--min-job-age", "2")
    lab.reload()
    yield lab
    run("stop")
    run("start")
    lab.reload()


def test_without_accounting_the_folder_knows_what_slurm_forgot(bare, tmp_path):
    site = make(bare, tmp_path)
    begun = int(time.time())
    specs = {
        "FINISHED": {"Script": "true"},
        "FAILED": {"Script": "exit 9"},
    }
    jobs = {state: site.submit(**spec) for state, spec in specs.items()}
    array = site.submit(Script='exit "$EHPC_ARRAY_TASK_ID"', ArrayRequest="0-2")
    # Nobody looks until Slurm has forgotten them all: a laptop that slept.
    site.service.close()

    def forgotten():
        return not bare.run("squeue", "-h", "-t", "all", "-o", "%i", "--user=ehpcuser").split()

    wait_for(forgotten, limit_s=120, what="Slurm to forget the jobs")
    site = make(bare, tmp_path)
    site.service.start()
    for state, job in jobs.items():
        detail = site.wait(job)
        assert (detail["State"], detail["ExitCode"]) == (state, 0 if state == "FINISHED" else 9)
        assert begun <= detail["StartTime"] <= detail["EndTime"] <= time.time() + 1
    detail = site.wait(array)
    assert (detail["State"], detail["Tasks"], detail["ExitCode"]) == ("FAILED", {"FINISHED": 1, "FAILED": 2}, 2)
    site.service.close()
