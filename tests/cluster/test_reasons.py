"""Why jobs of a real Slurm wait and why they failed, as a person reads it."""

from __future__ import annotations

import shutil
import time

import pytest

from tests.cluster.test_slurm import make
from tests.conftest import wait_for


@pytest.fixture
def slurm(lab, tmp_path):
    site = make(lab, tmp_path)
    yield site
    site.service.close()


def explained(site, job, text):
    """Wait until the job's explanation has the text; what the accounting knows comes a second or two later."""

    def told():
        detail = site.detail(job)
        return detail if text in detail.get("Explanation", "") else None

    return wait_for(told, what=f"{text!r} in the explanation of job {job}")


@pytest.fixture(scope="module")
def out_of_time(lab, tmp_path_factory):
    """Slurm counts wall time in minutes: this one runs beside the other tests."""
    site = make(lab, tmp_path_factory.mktemp("out-of-time"))
    yield site, site.submit(Script="echo begun; sleep 300", WallTime="0:01:00", JobQueue="debug")
    site.service.close()


def test_a_folder_that_went_away_before_the_start_is_named(slurm, lab, out_of_time):
    folder = slurm.folder()
    blocker = slurm.submit(Script="sleep 300")
    job = slurm.submit(Script="true", StdoutPath=f"{folder}/out", After=f"any:{blocker}")
    shutil.rmtree(folder)
    slurm.call("StopJobs", JobIds=[blocker])
    assert slurm.wait(job)["State"] == "FAILED"
    detail = explained(slurm, job, f"the folder {folder} does not exist")
    assert detail["Explanation"].startswith("It could not be started")
    assert detail["Advice"]


def test_who_cancelled_a_job_is_told_by_name(slurm, lab, out_of_time):
    own = slurm.submit(Script="sleep 300")
    other = slurm.submit(Script="sleep 300")
    for job in (own, other):
        slurm.wait(job, until="RUNNING")
    slurm.call("StopJobs", JobIds=[own])
    lab.run("scancel", other)
    explained(slurm, own, "cancelled by ehpcuser")
    explained(slurm, other, "cancelled by root")


def test_why_a_job_waits(slurm, lab, out_of_time):
    # The first node has the job that runs out of time.
    blocker = slurm.submit(Script="sleep 300", Resources={"Nodes": 3, "Cores": 16}, WallTime="0:30:00")
    slurm.wait(blocker, until="RUNNING")
    first = slurm.submit(Script="true", Resources={"Nodes": 4, "Cores": 16})
    after = slurm.submit(Script="true", After=f"ok:{blocker}")
    explained(slurm, after, f"It waits for job {blocker} to end well.")
    waiting = explained(slurm, first, "free")
    assert waiting["Reason"] == "Resources"
    # The backfill scheduler's forecast: when the blocker's wall time is over.
    expected = wait_for(lambda: slurm.detail(first).get("ExpectedStartTime"), what="a forecast")
    assert abs(expected - time.time() - 1800) < 300
    slurm.call("StopJobs", JobIds=[blocker])
    explained(slurm, after, "can never happen any more")
    slurm.call("StopJobs", JobIds=[first, after])


@pytest.mark.parametrize(("script", "words"), [("exit 127", "not found"), ("kill -SEGV $$", "SIGSEGV")])
def test_how_a_command_failed(slurm, script, words, out_of_time):
    job = slurm.submit(Script=script)
    assert slurm.wait(job)["State"] == "FAILED"
    explained(slurm, job, words)


def test_a_job_whose_wall_time_is_used_up(out_of_time):
    site, job = out_of_time
    detail = site.wait(job, limit_s=150)
    assert detail["State"] == "TIMEOUT"
    assert detail["Explanation"] == "Its wall time of 0:01:00 was used up, so it was stopped."
    assert site.log(job) == "begun\n"
