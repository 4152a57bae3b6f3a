"""The official SDK and nothing else, in every way it can call: on the embedded queue and on the real Slurm over SSH."""

from __future__ import annotations

import base64
import json
import re

import pytest
from alibabacloud_ehpc20240730 import models

from tests.api.sdk import WAYS
from tests.conftest import wait_for

#: The schedulers' own words.
STATES = {"done": {"FINISHED", "COMPLETED"}, "running": {"RUNNING"}, "stopped": {"CANCELLED"}}


class Program:
    """What a user's program does with the SDK."""

    def __init__(self, call, cluster):
        self.call = call
        self.cluster = cluster

    def submit(self, command, name=None, **spec):
        request = models.CreateJobRequest(
            cluster_id=self.cluster,
            job_name=name,
            job_spec=models.CreateJobRequestJobSpec(command_line=f"-- {command}", **spec),
        )
        answer = self.call("create_job", request)
        assert re.fullmatch("[0-9A-F-]{36}", answer.request_id)
        return answer.job_id

    def info(self, job_id):
        return self.call("get_job", models.GetJobRequest(cluster_id=self.cluster, job_id=job_id)).job_info

    def wait(self, job_id, state):
        def reached():
            info = self.info(job_id)
            return info if info.state in STATES[state] else None

        return wait_for(reached, limit_s=60, what=f"job {job_id} in {state}")

    def log(self, job_id, **more):
        return self.call("get_job_log", models.GetJobLogRequest(cluster_id=self.cluster, job_id=job_id, **more))

    def listed(self, name):
        job_filter = models.ListJobsRequestJobFilter(job_name=name, job_status="all")
        request = models.ListJobsRequest(
            cluster_id=self.cluster, page_number="1", page_size="50", job_filter=job_filter
        )
        return self.call("list_jobs", request)


def life(program):
    """One job from its beginning to its end, and every question about it."""
    job = program.submit(
        "/bin/echo a+b '&é%41'",
        name=f"life {program.cluster}",
        variables=json.dumps([{"Name": "x", "Value": "ü=&"}]),
        wall_time="0:10:00",
        resources=models.CreateJobRequestJobSpecResources(cores=1, nodes=1),
    )
    info = program.wait(job, "done")
    assert (info.job_id, info.job_name) == (job, f"life {program.cluster}")
    assert info.output_log.startswith("/")
    log = program.log(f"Submitted batch job {job}\n", log_type="stdout", offset="2", size="100")
    assert base64.b64decode(log.stdout_log).decode() == "b &é%41\n"
    assert (log.stderr_log, log.stdout_log_size) == (None, len("a+b &é%41\n".encode()))
    page = program.listed("life")
    assert job in [item.job_spec.id for item in page.jobs]
    assert page.success is True
    item = next(item for item in page.jobs if item.job_spec.id == job)
    assert item.job_spec.submit_time.isdecimal()


def stop_rerun_delete(program):
    """Stop one that runs, run it again, forget it."""
    job = program.submit("/bin/sleep 300", name="long")
    program.wait(job, "running")
    program.call("stop_jobs", models.StopJobsRequest(cluster_id=program.cluster, job_ids=[job]))
    program.wait(job, "stopped")
    again = program.call.other("RerunJobs", ClusterId=program.cluster, JobIds=json.dumps([job]))["JobIds"][0]
    assert again != job
    program.wait(again, "running")
    program.call("stop_jobs", models.StopJobsRequest(cluster_id=program.cluster, job_ids=[again]))
    program.wait(again, "stopped")
    program.call.other("DeleteJobs", ClusterId=program.cluster, JobIds=json.dumps([job, again]))
    assert not {job, again} & {item.job_spec.id for item in program.listed("long").jobs}


def look_around(program, user):
    """Clusters, queues, nodes, accounts."""
    cluster = program.cluster
    clusters = program.call("list_clusters", models.ListClustersRequest(cluster_ids=[cluster]))
    assert [item.cluster_id for item in clusters.clusters] == [cluster]
    queues = program.call("list_queues", models.ListQueuesRequest(cluster_id=cluster)).queues
    assert queues[0].queue_name
    one = program.call("get_cluster", models.GetClusterRequest(cluster_id=cluster))
    assert (one.cluster_id, one.cluster_status) == (cluster, "running")
    assert one.manager.scheduler.type == cluster.upper()
    nodes = program.call("list_nodes", models.ListNodesRequest(cluster_id=cluster, page_number=1, page_size=10))
    assert nodes.nodes[0].hostname
    assert nodes.nodes[0].total_resources.cpu >= 1
    users = program.call("list_users", models.ListUsersRequest(cluster_id=cluster)).users.user_info
    assert user in [item.user_name for item in users]


def everything(program, user):
    """All that the SDK can ask."""
    life(program)
    stop_rerun_delete(program)
    look_around(program, user)


def test_all_actions_in_every_way(way):
    everything(Program(way, "local"), "root")


@pytest.mark.cluster
@pytest.mark.parametrize("name", WAYS)
def test_all_actions_in_every_way_on_slurm(slurm_server, name):
    everything(Program(WAYS[name](slurm_server), "slurm"), "ehpcuser")


def test_the_same_token_gives_the_same_job(server):
    call = WAYS["path"](server)
    query = {"ClusterId": "local", "JobSpec": '{"CommandLine": "-- /bin/true"}', "ClientToken": "once"}
    first, second = call.other("CreateJob", **query), call.other("CreateJob", **query)
    assert first["JobId"] == second["JobId"]
    assert first["RequestId"] != second["RequestId"]


def test_a_task_of_an_array(server):
    program = Program(WAYS["path"](server), "local")
    job = program.submit(
        '/bin/sh -c "echo $EHPC_TASK_ID$SLURM_ARRAY_TASK_ID$EHPC_ARRAY_TASK_ID"', array_request="1-3:2"
    )
    program.wait(job, "done")
    for task in ("1", "3"):
        assert program.log(f"{job}_{task}", log_type="stdout").stdout_log
