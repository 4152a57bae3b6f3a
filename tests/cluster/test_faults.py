"""Whatever breaks and whenever: each job runs once, and what is said of it is true. ``make faults`` runs it at length."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.cluster.faults import Crowd, Front, Trouble
from tests.conftest import wait_for

JOBS = int(os.environ.get("EHPC_FAULT_JOBS", "40"))
SEED = int(os.environ.get("EHPC_FAULT_SEED", time.time_ns() % 1_000_000))
#: The mean time between two jobs; a fault lasts seconds.
PACE_S = 0.6 if JOBS < 100 else 0.5
#: For all of it; most is the pace, and a request that nobody can settle is given up after three minutes.
LIMIT_S = 240 + 4 * PACE_S * JOBS


def every(front, **fields):
    """All pages of ListJobs, by request id."""
    found, number = {}, 1
    while True:
        page = front.server.call("ListJobs", ClusterId="slurm", PageNumber=number, PageSize=50, **fields)
        found |= {job["Detail"]["RequestId"]: job["Detail"] for job in page["Jobs"]}
        if number * 50 >= page["TotalCount"]:
            return found
        number += 1


def expected(number):
    """State and exit code of a job."""
    return ("FAILED", 3) if number % 5 == 0 else ("FINISHED", 0)


@pytest.mark.timeout(LIMIT_S + 120)
def test_each_job_runs_once_whatever_breaks(lab, tmp_path, capsys):
    with capsys.disabled():
        print(f"\nfaults: {JOBS} jobs, EHPC_FAULT_SEED={SEED}", flush=True)
    begun = time.monotonic()
    front = Front(lab, tmp_path)
    name = f"faults-{time.time_ns()}"
    ran = Path(lab.users["ehpcuser"]["home"]) / name

    def body(number, token):
        script = f"printf '%s\\n' {token} >>{ran}; exit {expected(number)[1]}"
        return {"ClusterId": "slurm", "JobName": name, "JobSpec": {"Script": script}, "ClientToken": token}

    trouble, crowd = Trouble(front, SEED), Crowd(front, JOBS, PACE_S, body, SEED)
    comments = {}

    def slurms_own():
        """Slurm's record of all of them, gathered before it forgets."""
        for line in lab.run("squeue", "-h", "-t", "all", "-n", name, "-o", "%i %k %T").splitlines():
            job_id, comment, state = line.split()
            assert comments.setdefault(job_id, (comment, state))[0] == comment
            comments[job_id] = (comment, state)
        return comments

    last = 0.0
    try:
        trouble.start()
        crowd.start()

        def submitted():
            nonlocal last
            if time.monotonic() - last > 20:
                slurms_own()
                last = time.monotonic()
            return trouble.fault or crowd.is_done()

        wait_for(submitted, limit_s=LIMIT_S, what=f"seed {SEED}: all jobs to be submitted")
        trouble.ended.set()
        trouble.join(60)
        assert (trouble.fault, crowd.faults) == (None, [])

        final = {"FINISHED", "FAILED"}
        wait_for(
            lambda: all(detail["State"] in final for detail in every(front).values()),
            limit_s=60,
            what=f"seed {SEED}: all jobs to be shown as ended",
        )
        wait_for(
            lambda: all(state in ("COMPLETED", "FAILED") for _, state in slurms_own().values()),
            what="Slurm's jobs to end",
        )
        shown = every(front)
        tokens = Counter(ran.read_text().split())

        # Slurm's own record and the file that the jobs themselves wrote.
        assert tokens == Counter(list(crowd.ids)), (
            f"seed {SEED}: twice {[t for t, n in tokens.items() if n > 1]}, lost {crowd.ids.keys() - tokens.keys()}, "
            f"not to be { ({t: crowd.refused.get(t) for t in tokens.keys() - crowd.ids.keys()}) }"
        )
        assert sorted(crowd.numbers[token] for token in crowd.ids) == list(range(JOBS))
        assert set(comments) == set(crowd.ids.values())
        assert len({comment for comment, _ in comments.values()}) == JOBS
        wait_for(lambda: len(_accounted(lab, name)) >= JOBS, what="the jobs in the accounting")
        assert _accounted(lab, name) == set(crowd.ids.values())
        # And what the server shows.
        assert {job["JobId"] for job in shown.values()} == set(crowd.ids.values())
        for token, job_id in crowd.ids.items():
            detail = front.server.call("GetJob", ClusterId="slurm", JobId=job_id)["JobInfo"]["Detail"]
            state = expected(crowd.numbers[token])
            assert (detail["State"], detail["ExitCode"]) == state, f"seed {SEED}: {detail}"
            assert detail["RequestId"] == comments[job_id][0]
    finally:
        crowd.close()
        trouble.ended.set()
        trouble.join(60)
        lost = front.server.log.read_text().count("answer lost")
        front.close()
        ran.unlink(missing_ok=True)
        lines = (
            f"  {time.monotonic() - begun:.0f} s; broken: {dict(trouble.done)}, cuts that met something: {front.wire.hits}",
            f"  answers: {dict(crowd.answers)}; lost on the way: {lost}; submitted anew: {len(crowd.refused)}",
        )
        with capsys.disabled():
            print(*lines, sep="\n", flush=True)


def _accounted(lab, name):
    lines = lab.run("sacct", "-X", "-n", "-P", f"--name={name}", "--format=JobID", "--starttime=now-2hours")
    return set(lines.split())
