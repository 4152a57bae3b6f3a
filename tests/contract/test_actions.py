"""What every cluster promises of the API's other actions, and of the fields of its answers."""

from __future__ import annotations

import json
import re
import time

import pytest

from ehpc_jupyter.errors import (
    AgentError,
    DeleteFailure,
    InvalidClusterStatus,
    InvalidParams,
    JobNotFound,
    RerunFailure,
)
from ehpc_jupyter.jobs.service import JobService
from tests.conftest import wait_for

SPEC = {
    "Script": "echo x=$x; sleep 2",
    "Resources": {"Nodes": 1, "Cores": 1, "Memory": "1.5GB"},
    "Variables": '[{"Name": "x", "Value": "y z"}]',
    "Priority": "3",
    "WallTime": "1:00:00",
}
RUNNING = {"local": "RUNNING", "slurm": "RUNNING"}
ENDED = {"local": "FINISHED", "slurm": "COMPLETED"}
HOW_MUCH = {"local": {"Nodes": "1", "Cores": "1", "Memory": "1536MB"}, "slurm": {"Nodes": "1", "Cores": "1"}}


def listed(site, **wanted):
    return site.call("ListJobs", JobFilter=json.dumps(wanted))["Jobs"]


def ended(site, **spec):
    job = site.submit(**{"CommandLine": "-- /bin/true", **spec})
    site.wait(job)
    return job


def test_every_field_of_a_job_in_the_apis_own_format(site):
    before = int(time.time())
    job = site.submit(name="TestJob", **SPEC)
    site.wait(job, until="RUNNING")
    info = site.call("GetJob", JobId=job)["JobInfo"]
    detail = info.pop("Detail")
    assert info["State"] == RUNNING[site.cluster]
    assert (info["JobId"], info["JobName"], info["JobQueue"]) == (job, "TestJob", detail["Queue"])
    assert info["Resources"] == {"Nodes": "1", "Cores": "1", "Memory": "1536MB"}
    assert {name: info["ResourcesUsed"].get(name) for name in HOW_MUCH[site.cluster]} == HOW_MUCH[site.cluster]
    assert "Gpus" not in info["ResourcesUsed"]
    assert (info["Priority"], info["Variables"]) == ("3", [{"Name": "x", "Value": "y z"}])
    for name in ("CreateTime", "StartTime", "LastModifyTime"):
        assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d", info[name])
    assert (info["OutputLog"], info["ErrorLog"]) == (detail["StdoutPath"], detail["StderrPath"])
    assert (info["NodeList"], info["RunasUser"], info["ExtraInfo"]) == (detail["NodeList"], detail["User"], "{}")
    assert not {"ArrayJobId", "ArrayJobSubId", "ArrayRequest", "CommandLine"} & set(info)
    site.wait(job)
    (row,) = listed(site)
    spec = row["JobSpec"]
    assert (row["JobName"], spec["Id"], spec["State"]) == ("TestJob", job, ENDED[site.cluster])
    assert spec["Comment"] == detail["RequestId"]
    assert json.loads(spec["Variables"]) == {"x": "y z"}
    assert spec["Resources"] == {"Nodes": "1", "Cores": "1", "Memory": "1536MB"}
    assert spec["ResourcesActualOccupied"].items() >= HOW_MUCH[site.cluster].items()
    assert before - 1 <= int(spec["SubmitTime"]) <= int(spec["StartTime"]) <= int(spec["LastModifyTime"])
    texts = [value for name, value in spec.items() if not name.startswith("Resources")]
    assert all(isinstance(value, str) for value in (*texts, *spec["Resources"].values()))
    info = site.call("GetJob", JobId=job)["JobInfo"]
    assert json.loads(info["ExtraInfo"])["ExitCode"] == 0


def test_the_id_as_documented_is_taken_everywhere(site):
    job = ended(site, CommandLine="-- /bin/echo hi")
    written = f"Submitted batch job {job}\n"
    assert site.call("GetJob", JobId=written)["JobInfo"]["JobId"] == job
    assert site.log(written) == "hi\n"
    site.call("StopJobs", JobIds=json.dumps([written]))
    (again,) = site.call("RerunJobs", JobIds=[written])["JobIds"]
    site.wait(again)
    site.call("DeleteJobs", JobIds=json.dumps([written, f"Submitted batch job {again}\\n"]))
    assert listed(site) == []


def test_tasks_of_an_array_by_their_ids(site):
    job = site.submit(Script="t=$EHPC_ARRAY_TASK_ID; echo $t; [ $t != 3 ] || exit 5; sleep 300", ArrayRequest="1-5:2")
    wait_for(lambda: "FAILED" in site.detail(job).get("Tasks", {}), what="the end of task 3")
    wait_for(lambda: site.log(f"{job}_1") == "1\n", what="the output of task 1")
    info = site.call("GetJob", JobId=f"{job}_1")["JobInfo"]
    assert (info["ArrayJobId"], info["ArrayJobSubId"], info["ArrayRequest"]) == (job, "1", "1-5:2")
    assert (info["State"], info["JobId"], info["Detail"]["State"]) == ("RUNNING", f"{job}_1", "RUNNING")
    assert info["OutputLog"].endswith(".1")
    failed = site.call("GetJob", JobId=f"{job}_3")["JobInfo"]
    assert (failed["State"], failed["Detail"]["ExitCode"]) == ("FAILED", 5)
    assert json.loads(failed["ExtraInfo"])["ExitCode"] == 5
    site.call("StopJobs", JobIds=[f"{job}_5"])
    wait_for(lambda: site.detail(f"{job}_5")["State"] == "CANCELLED", what="the end of task 5")
    assert site.detail(f"{job}_1")["State"] == "RUNNING"
    site.call("StopJobs", JobIds=[f"Submitted batch job {job}\n"])
    assert site.wait(job)["Tasks"] == {"FAILED": 1, "CANCELLED": 2}
    assert site.call("GetJob", JobId=job)["JobInfo"]["ArrayJobId"] == job
    with pytest.raises(InvalidParams, match="no task 2"):
        site.detail(f"{job}_2")
    with pytest.raises(InvalidParams, match="no single task"):
        site.detail(f"{job}_[1-3]")
    whole = listed(site)[0]["JobSpec"]
    assert (whole["ArrayJobId"], whole["ArrayRequest"]) == (job, "1-5:2")
    # A new server remembers no queue: what it says of a task is from the job's folder and the accounting.
    profiles, path = site.service.profiles, site.service.store.path
    site.service.close()
    site.service = JobService(profiles, path)
    assert (site.detail(f"{job}_3")["State"], site.detail(f"{job}_3")["ExitCode"]) == ("FAILED", 5)
    wait_for(lambda: site.detail(f"{job}_5")["State"] == "CANCELLED", what="the accounting's word of task 5")


def test_a_job_that_is_no_array_has_no_tasks(site):
    job = ended(site)
    for action in ("GetJob", "GetJobLog"):
        with pytest.raises(InvalidParams, match="is no array"):
            site.call(action, JobId=f"{job}_3")


def test_filters_know_what_the_scheduler_said(site):
    job = ended(site)
    detail = site.detail(job)
    own = {
        "Users": [detail["User"]],
        "Nodes": [detail["NodeList"]],
        "Queues": [detail["Queue"]],
        "JobStatus": "finished",
    }
    assert [row["JobSpec"]["Id"] for row in listed(site, **own, Diagnosis=[])] == [job]
    for field in ("Users", "Nodes", "Queues"):
        assert listed(site, **{**own, field: ["nosuch"]}) == []
    assert listed(site, JobStatus="notfinish") == []


def test_a_job_runs_again_as_a_new_one(site):
    first = site.submit(name="again", Script="echo $x; exit 3", Variables={"x": "y"})
    site.wait(first)
    (second,) = site.call("RerunJobs", JobIds=[first], ClientToken="t")["JobIds"]
    assert site.call("RerunJobs", JobIds=[first], ClientToken="t")["JobIds"] == [second]
    detail = site.wait(second)
    assert second != first
    assert (detail["RerunOf"], detail["JobName"], detail["ExitCode"]) == (first, "again", 3)
    assert site.log(second) == "y\n"
    assert json.loads(site.call("GetJob", JobId=second)["JobInfo"]["ExtraInfo"])["RerunOf"] == first
    assert site.call("ListJobs")["TotalCount"] == 2


def test_what_cannot_be_run_again_or_deleted_is_left_alone(site):
    done = ended(site, ArrayRequest="1-2")
    runs = site.submit(Script="sleep 300")
    site.wait(runs, until="RUNNING")
    for action, failure in (("RerunJobs", RerunFailure), ("DeleteJobs", DeleteFailure)):
        with pytest.raises(failure, match=f"job {runs} has not ended, it is RUNNING"):
            site.call(action, JobIds=[done, runs])
        with pytest.raises(failure, match=f"{done}_1 is a part of job {done}"):
            site.call(action, JobIds=[f"{done}_1"])
        with pytest.raises(JobNotFound):
            site.call(action, JobIds=["999999"])
    assert site.call("ListJobs")["TotalCount"] == 2
    site.call("StopJobs", JobIds=[runs])


def test_what_made_a_job_is_gone_when_it_runs_again(site):
    name = site.file("#!/bin/sh\ntrue\n")
    job = ended(site, CommandLine=name)
    (site.home / name).unlink()
    with pytest.raises(RerunFailure, match="there is no file"):
        site.call("RerunJobs", JobIds=[job])


def test_a_deleted_job_is_forgotten_and_its_token_stays_spent(site):
    job = site.submit(token="once", CommandLine="-- /bin/echo x")
    folder = site.wait(job)["Folder"]
    site.call("DeleteJobs", JobIds=[job])
    with pytest.raises(JobNotFound):
        site.detail(job)
    with pytest.raises(InvalidParams, match=f"job {job}, which was deleted"):
        site.submit(token="once", CommandLine="-- /bin/echo x")
    assert (site.home / folder / "request.json").is_file()


def test_a_jobs_folder_goes_and_nothing_else(site):
    outside = site.folder()
    job = site.submit(name="it's a $(name)", Script="echo x", StdoutPath=f"{outside}/out")
    other = site.submit(CommandLine="-- /bin/true")
    folder, others = (site.home / site.wait(j)["Folder"] for j in (job, other))
    assert (folder / "job.sh").is_file()
    site.call("DeleteJobs", JobIds=[job], DeleteFolder=True)
    assert (folder.exists(), others.exists(), (outside / "out").read_text()) == (False, True, "x\n")


def test_a_folder_that_shows_no_job_is_left(site):
    job = ended(site)
    folder = site.home / site.detail(job)["Folder"]
    for name in ("receipt", "request.json"):
        (folder / name).unlink()
    with pytest.raises(DeleteFailure, match="nothing in it shows that it was made for a job"):
        site.call("DeleteJobs", JobIds=[job], DeleteFolder=True)
    assert (folder / "job.sh").is_file()
    assert site.detail(job)["JobId"] == job


def test_nodes(site):
    answer = site.call("ListNodes", PageSize="2")
    nodes = answer["Nodes"]
    assert answer["TotalCount"] >= len(nodes) >= 1
    assert (answer["PageNumber"], answer["PageSize"]) == (1, 2)
    for node in nodes:
        assert node["TotalResources"]["Cpu"] >= 1
        assert node["TotalResources"]["Memory"] >= 0
        assert (node["Status"], bool(node["StateInSched"]), bool(node["QueueName"])) == ("running", True, True)
    name = nodes[-1]["Hostname"]
    queue = nodes[-1]["QueueName"].split(",")[0]
    (found,) = site.call("ListNodes", Hostnames=json.dumps([name]), QueueNames=[queue])["Nodes"]
    assert found == nodes[-1]
    assert site.call("ListNodes", QueueNames=["nosuch"])["TotalCount"] == 0
    names = [node["Hostname"] for node in site.call("ListNodes", Sequence="Backward")["Nodes"]]
    assert names == sorted(names, reverse=True)


def test_users(site):
    job = ended(site)
    answer = site.call("ListUsers")
    assert answer["Users"] == {"UserInfo": [{"UserName": site.detail(job)["User"]}]}
    assert (answer["TotalCount"], answer["PageNumber"]) == (1, 1)


def test_one_cluster(site):
    site.call("ListQueues")
    one = site.call("GetCluster")
    (same,) = site.service.call("ListClusters", {"ClusterIds": json.dumps([site.cluster])})["Clusters"]
    assert {name: value for name, value in one.items() if name != "RequestId"} == same
    assert (one["ClusterStatus"], one["Manager"]["Scheduler"]["Type"]) == ("running", site.cluster.upper())
    assert one["RequestId"]


def test_an_output_that_may_not_be_read(site):
    job = ended(site, CommandLine="-- /bin/echo x")
    path = site.home / site.detail(job)["StdoutPath"]
    path.unlink()
    path.mkdir()
    with pytest.raises(AgentError, match="it is a folder"):
        site.log(job)


def test_a_cluster_that_is_disabled_shows_what_is_known_and_is_asked_nothing(site):
    job = ended(site)
    runs = site.submit(Script="sleep 300")
    site.wait(runs, until="RUNNING")
    profiles, path = site.service.profiles, site.service.store.path
    disabled = {site.cluster: profiles[site.cluster].model_copy(update={"enabled": False})}
    service = JobService(disabled, path, make_cluster=_Silent)
    service.start()

    def call(action, **fields):
        return service.call(action, {"ClusterId": site.cluster, **fields})

    assert call("GetJob", JobId=job)["JobInfo"]["JobId"] == job
    assert call("GetJob", JobId=runs)["JobInfo"]["State"] == "RUNNING"
    assert call("ListJobs")["TotalCount"] == 2
    assert call("GetCluster")["ClusterStatus"] == "stopped"
    refused = {
        **{action: {"JobSpec": {"Script": "x"}} for action in ("CreateJob", "CheckJob")},
        **{action: {"JobIds": [job]} for action in ("StopJobs", "HoldJobs", "ReleaseJobs", "RerunJobs", "DeleteJobs")},
        "GetJobLog": {"JobId": job},
        **{action: {} for action in ("ListQueues", "ListNodes", "ListUsers", "RefreshJobs")},
    }
    for action, fields in refused.items():
        with pytest.raises(InvalidClusterStatus, match="disabled in the configuration"):
            call(action, **fields)
    service.close()
    site.call("StopJobs", JobIds=[runs])


class _Silent:
    """A cluster of which nothing may be asked."""

    scheduler_type = None

    def __init__(self, profile):
        self.profile = profile

    def word(self, state):
        return state.value

    def close(self):
        pass
