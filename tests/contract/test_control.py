"""What every cluster promises of the actions by which jobs are checked, ordered about and looked into."""

from __future__ import annotations

import time

import pytest

from ehpc_jupyter.errors import AgentError, DeleteFailure, InvalidParams, JobNotFound, RerunFailure, SubmitFailure
from tests.conftest import wait_for

#: Of a test that measures: far more than it takes, far less than what it would take if something was expanded.
AT_ONCE_S = 1.0


def results(answer):
    return {result["JobId"]: result["Outcome"] for result in answer["Results"]}


def states(site, job):
    """The state of each of an array's tasks, from ListTasks."""
    found = {}
    for group in site.call("ListTasks", JobId=job, PageSize=100)["Tasks"]:
        for part in group["Tasks"].split(","):
            span, _, step = part.partition(":")
            first, _, last = span.partition("-")
            found.update(dict.fromkeys(range(int(first), int(last or first) + 1, int(step or 1)), group["State"]))
    return found


def wait_states(site, job, wanted):
    """Wait until the tasks are in the states given: ``{"1,3": "HELD"}``."""
    expected = {int(task): state for tasks, state in wanted.items() for task in tasks.split(",")}
    wait_for(lambda: states(site, job) == expected, what=f"the tasks of {job} in {wanted}")


def wait_reason(site, job, reason):
    wait_for(lambda: site.detail(job).get("Reason") == reason, what=f"the reason {reason} of job {job}")


def known(site):
    """The ids of all jobs that the scheduler itself knows of the account."""
    cluster = site.service.cluster(site.cluster)
    return {report.job_id for report in cluster.status([cluster.login(None, None)])}


# --- hold, release, stop


def test_several_jobs_by_one_command_each_time(site, full):
    first, second = (site.submit(CommandLine="-- /bin/true") for _ in range(2))
    assert results(site.call("HoldJobs", JobIds=[first, second])) == {first: "held", second: "held"}
    for job in (first, second):
        assert site.wait(job, until="HELD")["Reason"]
    assert results(site.call("ReleaseJobs", JobIds=[first, second])) == {first: "released", second: "released"}
    for job in (first, second):
        site.wait(job, until="QUEUED")
    assert results(site.call("StopJobs", JobIds=[first, second])) == {first: "stopping", second: "stopping"}
    for job in (first, second):
        assert site.wait(job)["State"] == "CANCELLED"
    assert [len(site.commands(order)) for order in ("hold", "release", "stop")] == [1, 1, 1]


def test_held_jobs_do_not_start_and_released_ones_do(site, full):
    held, other = (site.submit(CommandLine="-- /bin/true") for _ in range(2))
    site.call("HoldJobs", JobIds=[held])
    site.wait(held, until="HELD")
    site.call("StopJobs", JobIds=[full])
    assert site.wait(other)["State"] == "FINISHED"
    assert site.detail(held)["State"] == "HELD"
    site.call("ReleaseJobs", JobIds=[held])
    assert site.wait(held)["State"] == "FINISHED"


def test_tasks_and_ranges_by_one_command_each_time(site, full):
    array = site.submit(CommandLine="-- /bin/true", ArrayRequest="1-9")
    other = site.submit(CommandLine="-- /bin/true")
    ids = [f"{array}_2", f"{array}_[4-6,8]", other]
    assert results(site.call("HoldJobs", JobIds=ids)) == dict.fromkeys(ids, "held")
    wait_states(site, array, {"2,4,5,6,8": "HELD", "1,3,7,9": "QUEUED"})
    site.wait(other, until="HELD")
    site.call("ReleaseJobs", JobIds=[f"{array}_[4-5]"])
    wait_states(site, array, {"2,6,8": "HELD", "1,3,4,5,7,9": "QUEUED"})
    ids = [f"{array}_[1-3,9]", other]
    assert results(site.call("StopJobs", JobIds=ids)) == dict.fromkeys(ids, "stopping")
    wanted = {"HELD": 2, "QUEUED": 3, "CANCELLED": 4}
    assert [len(site.commands(order)) for order in ("hold", "release", "stop")] == [1, 1, 1]
    wait_for(lambda: site.detail(array)["Tasks"] == wanted, what="four tasks stopped")
    site.call("StopJobs", JobIds=[array])
    assert site.wait(array)["Tasks"] == {"CANCELLED": 9}


def test_a_range_means_the_tasks_that_the_array_has_in_it(site, full):
    array = site.submit(CommandLine="-- /bin/true", ArrayRequest="1-9:2")
    site.call("HoldJobs", JobIds=[f"{array}_[1-5]"])
    wait_states(site, array, {"1,3,5": "HELD", "7,9": "QUEUED"})
    site.call("StopJobs", JobIds=[array])


def test_what_ended_is_not_ordered_about(site):
    ended = site.submit(CommandLine="-- /bin/true")
    site.wait(ended)
    runs = site.submit(Script="sleep 300")
    site.wait(runs, until="RUNNING")
    for action in ("HoldJobs", "ReleaseJobs"):
        with pytest.raises(AgentError, match=f"{ended} ended already; nothing was done"):
            site.call(action, JobIds=[runs, ended])
    assert not site.commands("hold") + site.commands("release")
    assert results(site.call("StopJobs", JobIds=[ended])) == {ended: "ended already"}
    assert site.commands("stop") == []
    assert results(site.call("StopJobs", JobIds=[ended, runs])) == {ended: "ended already", runs: "stopping"}
    assert ended not in site.commands("stop")[0]
    assert site.wait(runs)["State"] == "CANCELLED"


def test_a_job_that_runs_cannot_be_held(site):
    job = site.submit(Script="sleep 300")
    site.wait(job, until="RUNNING")
    with pytest.raises(AgentError, match=f"{job} .*runs"):
        site.call("HoldJobs", JobIds=[job])
    assert site.detail(job)["State"] == "RUNNING"
    site.call("StopJobs", JobIds=[job])
    site.wait(job)


@pytest.mark.parametrize("action", ["HoldJobs", "ReleaseJobs", "StopJobs"])
def test_ids_that_name_nothing(site, action):
    job = site.submit(Script="sleep 300")
    for wrong in ("999999", f"{job}_[1", f"{job}_1,2", f"{job}_x", f"{job} 1"):
        with pytest.raises((JobNotFound, InvalidParams)):
            site.call(action, JobIds=[job, wrong])
    with pytest.raises(InvalidParams, match=f"job {job} is no array"):
        site.call(action, JobIds=[f"{job}_1"])
    assert not site.commands("hold") + site.commands("release") + site.commands("stop")
    site.call("StopJobs", JobIds=[job])
    site.wait(job)


@pytest.mark.parametrize("action", ["HoldJobs", "ReleaseJobs", "StopJobs"])
@pytest.mark.parametrize("tasks", ["[1-3000000]", "[2,1-3000000]", "[0-2999999:3]"])
def test_three_million_tasks_are_refused_at_once(site, full, action, tasks):
    array = site.submit(CommandLine="-- /bin/true", ArrayRequest="1-5")
    before = time.monotonic()
    with pytest.raises(InvalidParams, match="the array 1-5 has no"):
        site.call(action, JobIds=[f"{array}_{tasks}"])
    assert time.monotonic() - before < AT_ONCE_S
    assert not site.commands("hold") + site.commands("release") + site.commands("stop")
    site.call("StopJobs", JobIds=[array])
    site.wait(array)


# --- after


def test_jobs_wait_for_others(site):
    well = site.submit(Script="sleep 1")
    badly = site.submit(Script="sleep 1; exit 3")
    runs = {
        text: site.submit(CommandLine="-- /bin/true", After=text)
        for text in (f"ok:{well}", well, f"any:{well},any:{badly}", f"notok:{badly}")
    }
    never = {text: site.submit(CommandLine="-- /bin/true", After=text) for text in (f"ok:{badly}", f"notok:{well}")}
    assert site.detail(runs[well])["After"] == f"ok:{well}"
    for job in runs.values():
        detail = site.wait(job)
        assert detail["State"] == "FINISHED"
        assert detail["StartTime"] >= site.detail(well)["EndTime"]
    for job in never.values():
        wait_reason(site, job, "DependencyNeverSatisfied")
        assert site.detail(job)["State"] == "QUEUED"
    site.call("StopJobs", JobIds=list(never.values()))
    for job in never.values():
        assert site.wait(job)["State"] == "CANCELLED"


def test_a_job_waits_for_a_whole_array_or_for_a_task(site):
    array = site.submit(Script="[ $EHPC_ARRAY_TASK_ID = 1 ] || sleep 300", ArrayRequest="1-2")
    whole = site.submit(CommandLine="-- /bin/true", After=f"any:{array}")
    assert site.wait(site.submit(CommandLine="-- /bin/true", After=f"ok:{array}_1"))["State"] == "FINISHED"
    wait_reason(site, whole, "Dependency")
    site.call("StopJobs", JobIds=[array])
    assert site.wait(whole)["State"] == "FINISHED"


def test_a_job_that_waits_for_others_is_held_and_released(site):
    first = site.submit(Script="sleep 300")
    job = site.submit(CommandLine="-- /bin/true", After=f"any:{first}")
    site.call("HoldJobs", JobIds=[job])
    site.call("StopJobs", JobIds=[first])
    site.wait(first)
    site.wait(job, until="HELD")
    site.call("ReleaseJobs", JobIds=[job])
    assert site.wait(job)["State"] == "FINISHED"


def test_a_job_waits_for_none_that_nobody_knows(site):
    with pytest.raises((InvalidParams, SubmitFailure), match=r"wait for ok:999999"):
        site.submit(CommandLine="-- /bin/true", After="999999")
    assert site.call("ListJobs")["TotalCount"] == 0
    checked = site.call("CheckJob", JobSpec={"CommandLine": "-- /bin/true", "After": "999999"})
    assert not checked["Valid"]


def test_what_is_known_of_a_job_that_ended_decides(site):
    """Whether or not the scheduler still remembers it."""
    bad = site.submit(Script="exit 3")
    assert site.wait(bad)["State"] == "FAILED"
    with pytest.raises(InvalidParams, match=f"ok:{bad} can never hold: job {bad} failed"):
        site.submit(CommandLine="-- /bin/true", After=f"any:{bad},ok:{bad}")
    job = site.submit(CommandLine="-- /bin/true", After=f"notok:{bad},any:{bad}")
    assert site.wait(job)["State"] == "FINISHED"
    assert site.detail(job)["After"] == f"notok:{bad},any:{bad}"


# --- check


def test_a_job_that_is_only_checked(site):
    before, folder = known(site), site.home / "ehpc-jobs"
    folders = set(folder.iterdir()) if folder.exists() else set()
    now = int(time.time())

    def check(**spec):
        return site.call("CheckJob", JobSpec=spec)

    good = check(Script="echo hi", Resources={"Nodes": 1, "Cores": 1}, WallTime="0:10:00")
    assert (good["Valid"], good["Problems"]) == (True, [])
    assert now - 5 <= good["StartTime"]
    # Slurm makes a plan; the embedded queue only knows what starts at once.
    assert site.lab or good["StartTime"] <= time.time()
    assert good["NodeList"]
    assert good["Script"].startswith("#!/bin/sh\n")
    assert good["Command"]
    wrong = check(CommandLine="no-such-script.sh", WorkDir="/no/such/folder")
    assert not wrong["Valid"]
    assert {problem["Field"] for problem in wrong["Problems"]} == {"JobSpec.CommandLine", "JobSpec.WorkDir"}
    refused = check(CommandLine="-- /bin/true", Resources={"Nodes": 99})
    assert (refused["Valid"], refused["Problems"], bool(refused["Message"])) == (False, [], True)
    assert "StartTime" not in refused
    site.call("ListQueues")
    limited = check(CommandLine="-- /bin/true", Resources={"Nodes": 99})
    assert [problem["Field"] for problem in limited["Problems"]] == ["JobSpec.Resources.Nodes"]
    with pytest.raises(InvalidParams):
        check(CommandLine="-- /bin/true", WallTime="soon")
    assert site.call("ListJobs")["TotalCount"] == 0
    assert known(site) == before
    assert (set(folder.iterdir()) if folder.exists() else set()) == folders


def test_when_a_job_would_start_is_not_guessed(site, full):
    job = site.submit(CommandLine="-- /bin/true")
    answer = site.call("CheckJob", JobSpec={"CommandLine": "-- /bin/true", "After": f"any:{job}"})
    assert answer["Valid"]
    if not site.lab:
        assert "StartTime" not in answer
    site.call("StopJobs", JobIds=[job])


# --- look


def test_tasks_that_share_a_fate_are_told_of_together(site):
    array = site.submit(
        Script="t=$EHPC_ARRAY_TASK_ID; [ $t != 3 ] || exit 5; [ $t = 1 ] || sleep 300", ArrayRequest="1-4"
    )
    wait_for(lambda: site.detail(array).get("Tasks", {}).get("FAILED") == 1, what="the end of task 3")
    answer = site.call("ListTasks", JobId=array)
    groups = answer["Tasks"]
    assert answer["TotalCount"] == len(groups)
    assert sum(group["Count"] for group in groups) == 4
    firsts = [int(group["Tasks"].replace("-", ",").split(",")[0]) for group in groups]
    assert firsts == sorted(firsts)
    (failed,) = site.call("ListTasks", JobId=array, States=["FAILED"])["Tasks"]
    assert (failed["Tasks"], failed["Count"], failed["ExitCode"]) == ("3", 1, 5)
    assert site.call("ListTasks", JobId=array, States=["TIMEOUT"])["Tasks"] == []
    (first,) = site.call("ListTasks", JobId=array, PageSize=1)["Tasks"]
    assert first == groups[0]
    site.call("StopJobs", JobIds=[array])
    site.wait(array)
    after = states(site, array)
    assert (after[1], after[2], after[3], after[4]) == ("FINISHED", "CANCELLED", "FAILED", "CANCELLED")


def test_a_job_without_tasks_and_one_that_is_unknown(site):
    job = site.submit(CommandLine="-- /bin/true")
    with pytest.raises(InvalidParams, match=f"job {job} is no array"):
        site.call("ListTasks", JobId=job)
    for action in ("ListTasks", "ListJobEvents"):
        with pytest.raises(JobNotFound, match="no job 999999"):
            site.call(action, JobId="999999")
    site.wait(job)


def test_what_became_of_a_job_step_by_step(site):
    before = int(time.time())
    job = site.submit(Script="sleep 1; exit 3")
    site.wait(job, until="RUNNING")
    site.wait(job)
    events = site.call("ListJobEvents", JobId=job)["Events"]
    assert [event["State"] for event in events] == ["SUBMITTING", "QUEUED", "RUNNING", "FAILED"]
    assert [event["Source"] for event in events][:3] == ["request", "submit", "queue"]
    assert events[-1]["Source"] in ("queue", "history", "folder")
    times = [event["Time"] for event in events]
    assert times == sorted(times)
    assert before <= times[0] <= times[-1] <= time.time()


def test_memory_of_a_job_that_ended(site):
    job = site.submit(Script="#!/usr/bin/env python3\nb = bytearray(300 * 1024**2)\n")
    detail = site.wait(job)
    # Slurm measures where the site has it do so; what is shown is measured.
    if not site.lab:
        assert 300 <= detail["MemoryPeakMb"] < 400


def test_what_kept_a_job_from_starting_is_named(site):
    folder = site.folder()
    first = site.submit(Script="sleep 300")
    job = site.submit(CommandLine="-- /bin/true", StdoutPath=f"{folder}/out", After=f"any:{first}")
    folder.rmdir()
    site.call("StopJobs", JobIds=[first])
    assert site.wait(job)["State"] == "FAILED"
    said = wait_for(
        lambda: (e := site.detail(job).get("Explanation", "")).count(str(folder)) and e, what="the path at fault"
    )
    assert said.startswith("It could not be started: ")


def test_who_stopped_a_job_is_told(site):
    job = site.submit(Script="sleep 300")
    site.wait(job, until="RUNNING")
    site.call("StopJobs", JobIds=[job])
    site.wait(job)
    wait_for(lambda: "cancelled by" in site.detail(job).get("Explanation", ""), what="who stopped it")


# --- again, and away


def test_again_and_away(site):
    jobs = [site.submit(name=f"n{number}", Script=f"exit {number}") for number in range(2)]
    for job in jobs:
        site.wait(job)
    answer = site.call("RerunJobs", JobIds=jobs)
    new = answer["JobIds"]
    assert [(r["JobId"], r["Outcome"], r["NewJobId"]) for r in answer["Results"]] == [
        (old, "submitted again", again) for old, again in zip(jobs, new, strict=True)
    ]
    for old, again in zip(jobs, new, strict=True):
        assert site.wait(again)["RerunOf"] == old
    folders = [site.home / site.detail(job)["Folder"] for job in jobs]
    assert results(site.call("DeleteJobs", JobIds=jobs, DeleteFolder=True)) == dict.fromkeys(jobs, "deleted")
    assert [folder.exists() for folder in folders] == [False, False]
    for action, more in (("GetJob", jobs[0]), ("ListJobEvents", jobs[0])):
        with pytest.raises(JobNotFound):
            site.call(action, JobId=more)
    assert site.detail(new[0])["RerunOf"] == jobs[0], "also when that one is forgotten"


def test_what_has_not_ended_is_neither_run_again_nor_deleted(site):
    array = site.submit(Script="sleep 300", ArrayRequest="1-2")
    for action, failure in (("RerunJobs", RerunFailure), ("DeleteJobs", DeleteFailure)):
        with pytest.raises(failure, match=f"job {array} has not ended"):
            site.call(action, JobIds=[array])
        with pytest.raises(failure, match=f"{array}_1 is a part of job {array}"):
            site.call(action, JobIds=[f"{array}_1"])
    site.call("StopJobs", JobIds=[array])
    site.wait(array)
