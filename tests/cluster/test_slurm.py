"""What only a real Slurm behind a real sshd can show: that the job itself has what was asked for."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest

from ehpc_jupyter.errors import AgentError, InvalidParams, ServiceUnavailable, StopFailure
from ehpc_jupyter.jobs.service import JobService
from ehpc_jupyter.models.cluster import ClusterProfile
from tests.conftest import wait_for
from tests.contract.conftest import Site

SHOW = """#!/bin/bash
echo nodes=$SLURM_JOB_NUM_NODES cpus=$SLURM_CPUS_PER_TASK mem=$SLURM_MEM_PER_NODE gpus=$CUDA_VISIBLE_DEVICES
echo queue=$SLURM_JOB_PARTITION name=$SLURM_JOB_NAME user=$(id -un) x=$x task=$SLURM_ARRAY_TASK_ID
"""


def make(lab, tmp_path, **profile):
    made = ClusterProfile.from_wire({"name": "slurm", **lab.profile(**profile)})
    return Site("slurm", JobService({"slurm": made}, tmp_path / "jobs.sqlite"), lab.users["ehpcuser"]["home"], lab)


@pytest.fixture
def slurm(lab, tmp_path):
    site = make(lab, tmp_path)
    yield site
    site.service.close()


def test_the_page_s_whole_example_shows_in_the_job_itself(slurm, lab):
    """Every parameter of the API's page at once, read off ``scontrol show job`` and off the job's environment."""
    folder = slurm.folder()
    script = slurm.file(SHOW)
    job = slurm.submit(
        name="TestJob",
        CommandLine=f"{slurm.home}/{script}",
        Priority="1",
        StdoutPath=f"{folder}/job.out",
        StderrPath=f"{folder}/job.err",
        JobQueue="comp",
        ArrayRequest="1-5:2",
        Variables='[{"Name":"x", "Value":"y"}]',
        PostCmdLine="/bin/echo post $EHPC_EXIT_CODE",
        WallTime="360:48:50",
        Resources={"Nodes": 2, "Cores": 2, "Memory": "4gb", "Gpus": 1},
    )
    detail = slurm.wait(job)
    shown = lab.run("scontrol", "show", "job", f"{job}_3")
    for text in (
        "JobName=TestJob",
        "UserId=ehpcuser",
        "ArrayTaskId=3",
        "Nice=800",
        "TimeLimit=15-00:49:00",
        "Partition=comp",
        "NumNodes=2",
        "CPUs/Task=2",
        "MinMemoryNode=4G",
        f"StdOut={folder}/job.out.3",
        f"StdErr={folder}/job.err.3",
        f"Comment={detail['RequestId']}",
    ):
        assert text in shown, text
    assert "gres:gpu:1" in shown
    assert (detail["State"], detail["Tasks"], detail["WallTimeS"]) == ("FINISHED", {"FINISHED": 3}, 1298940)
    assert sorted(path.name for path in folder.iterdir()) == [
        f"job.{end}.{n}" for end in ("err", "out") for n in (1, 3, 5)
    ]
    text = slurm.log(f"{job}_3")
    assert text.startswith("nodes=2 cpus=2 mem=4096 gpus=")
    assert "queue=comp name=TestJob user=ehpcuser x=y task=3\npost 0\n" in text


def test_an_ordinary_ping(slurm):
    job = slurm.submit(CommandLine="-- /bin/ping -c 1 localhost")
    assert slurm.wait(job)["ExitCode"] == 0
    assert "1 packets transmitted" in slurm.log(job)


def test_priority_orders_own_jobs(slurm, lab):
    low = slurm.submit(CommandLine="-- /bin/true", Priority="0", Resources={"Nodes": 4, "Cores": 16})
    high = slurm.submit(CommandLine="-- /bin/true", Priority="9", Resources={"Nodes": 4, "Cores": 16})
    assert "Nice=900" in lab.run("scontrol", "show", "job", low)
    assert "Nice=0 " in lab.run("scontrol", "show", "job", high)
    slurm.wait(low)
    slurm.wait(high)


def test_run_as_another_user_with_the_password(slurm, lab):
    other = lab.users["ehpcother"]
    spec = {"RunasUser": "ehpcother", "RunasUserPassword": other["password"]}
    job = slurm.submit(Script="id -un; pwd", **spec)
    detail = slurm.wait(job)
    assert (detail["State"], detail["User"]) == ("FINISHED", "ehpcother")
    assert slurm.log(job) == f"ehpcother\n{other['home']}\n"
    assert detail["Folder"].startswith(other["home"])
    running = slurm.submit(Script="sleep 300", **spec)
    slurm.wait(running, until="RUNNING")
    slurm.call("StopJobs", JobIds=[running])
    assert slurm.wait(running)["State"] == "CANCELLED"


def test_run_as_another_user_with_a_wrong_password(slurm):
    with pytest.raises(InvalidParams) as failure:
        slurm.submit(Script="id", RunasUser="ehpcother", RunasUserPassword="wrong")
    assert failure.value.problems[0].field == "JobSpec.RunasUserPassword"
    assert "wrong" not in str(failure.value)


def test_stopping_is_refused_in_slurms_words(slurm, lab):
    job = slurm.submit(Script="sleep 300")
    slurm.wait(job, until="RUNNING")
    cluster = slurm.service.cluster("slurm")
    other = lab.users["ehpcother"]
    from pydantic import SecretStr

    cluster.login("ehpcother", SecretStr(other["password"]))
    with pytest.raises(StopFailure, match="Access/permission denied"):
        cluster.stop([job], "ehpcother")
    slurm.call("StopJobs", JobIds=[job])
    slurm.wait(job)


def test_directives_of_a_script_are_used(slurm, lab):
    name = slurm.file("#!/bin/bash\n#SBATCH --cpus-per-task=3\n#SBATCH --time=7\necho $SLURM_CPUS_PER_TASK\n")
    job = slurm.submit(CommandLine=name)
    detail = slurm.wait(job)
    assert (slurm.log(job), detail["WallTimeS"]) == ("3\n", 420)


def test_a_job_that_the_queue_forgot_is_in_the_accounting_and_in_its_folder(slurm, lab):
    cluster = slurm.service.cluster("slurm")
    job = slurm.submit(Script="exit 9")
    detail = slurm.wait(job)
    wait_for(lambda: cluster.history([job]), what="the job in the accounting")
    (report,) = cluster.history([job])
    assert report.state.value == "FAILED"
    (record,) = cluster.records({"k": detail["Folder"]}, "", {})["k"]
    assert record.exit_code == 9


@pytest.mark.parametrize(
    "key", ["", "[127.0.0.1]:{port} ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGdUcm9uZ1dyb25nV3JvbmdXcm9uZ1dyb25nV3JvbmdX"]
)
def test_a_host_that_is_not_known_is_refused(lab, tmp_path, key):
    known = tmp_path / "known_hosts"
    known.write_text(key.format(port=lab.port) + "\n")
    site = make(lab, tmp_path, known_hosts=str(known))
    with pytest.raises(AgentError, match="host key"):
        site.submit(CommandLine="-- /bin/true")
    assert site.call("ListJobs")["TotalCount"] == 0
    site.service.close()


def test_an_alias_of_ssh_config_brings_all_it_says(lab, tmp_path):
    user = lab.users["ehpcuser"]
    config = tmp_path / "ssh_config"
    config.write_text(
        f"Host jump\n  HostName {lab.host}\n  Port {lab.port}\n  User ehpcother\n  IdentityFile {lab.users['ehpcother']['key']}\n"
        f"  UserKnownHostsFile {lab.known_hosts}\n"
        f"Host my-hpc\n  HostName {lab.host}\n  Port {lab.port}\n  User ehpcuser\n  IdentityFile {user['key']}\n"
        f"  UserKnownHostsFile {lab.known_hosts}\n  ProxyJump jump\n"
    )
    profile = ClusterProfile(name="slurm", host="my-hpc", ssh_config=str(config))
    site = Site("slurm", JobService({"slurm": profile}, tmp_path / "jobs.sqlite"), user["home"], lab)
    job = site.submit(Script="id -un; echo $SSH_CONNECTION")
    site.wait(job)
    assert site.log(job).startswith("ehpcuser\n")
    site.service.close()


def test_the_scheduler_is_found_out(lab, tmp_path):
    site = make(lab, tmp_path, scheduler="auto")
    site.call("ListQueues")
    (cluster,) = site.service.call("ListClusters", {"ClusterIds": ["slurm"]})["Clusters"]
    assert cluster["ClusterStatus"] == "running"
    assert cluster["Manager"]["Scheduler"] == {"Type": "SLURM", "Version": lab.state["slurm_version"]}
    site.service.close()


def test_a_closed_port_is_told_and_nothing_is_left(lab, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        site = make(lab, tmp_path, port=free.getsockname()[1])
        with pytest.raises(ServiceUnavailable, match="cannot be reached"):
            site.submit(CommandLine="-- /bin/true")
    assert site.call("ListJobs")["TotalCount"] == 0
    site.service.close()


class Proxy:
    """A TCP relay to the sshd that a test can cut."""

    def __init__(self, host, port):
        self.target = (host, port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.pairs = []
        self.mute = threading.Event()
        self.armed = 0
        self.back = 0
        """Bytes from the sshd."""
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(self.target)
            self.pairs += [client, server]
            for source, sink, back in ((client, server, False), (server, client, True)):
                threading.Thread(target=self._relay, args=(source, sink, back), daemon=True).start()

    def _relay(self, source, sink, back):
        try:
            while data := source.recv(65536):
                self.back += len(data) * back
                if not (back and self.mute.is_set()):
                    sink.sendall(data)
                if not back and self.armed:
                    self.armed = max(0, self.armed - len(data))
                    if not self.armed:
                        self.mute.set()
        except OSError:
            pass
        finally:
            for end in (source, sink):
                end.close()

    def mute_after(self, size):
        """Pass nothing back once the client has sent so many bytes more: the command is there, its answer is lost."""
        self.armed = size

    def cut(self):
        for end in self.pairs:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                end.close()
        self.pairs.clear()

    def close(self):
        self.listener.close()
        self.cut()


@pytest.fixture
def proxied(lab, tmp_path):
    proxy = Proxy(lab.host, lab.port)
    known = tmp_path / "known_hosts"
    line = Path(lab.known_hosts).read_text()
    known.write_text(line.replace(f"[127.0.0.1]:{lab.port}", f"[127.0.0.1]:{proxy.port}"))
    site = make(lab, tmp_path, port=proxy.port, known_hosts=str(known), command_timeout_s=20)
    yield site, proxy
    site.service.close()
    proxy.close()


def test_a_connection_that_dropped_is_opened_again(proxied):
    site, proxy = proxied
    first = site.submit(CommandLine="-- /bin/true")
    proxy.cut()
    second = site.submit(CommandLine="-- /bin/true")
    assert second != first
    assert site.wait(first)["State"] == site.wait(second)["State"] == "FINISHED"
    proxy.cut()
    assert site.log(second) == ""


def test_an_answer_lost_on_its_way_is_found_and_nothing_is_submitted_twice(proxied, lab):
    site, proxy = proxied
    site.submit(CommandLine="-- /bin/true")
    proxy.mute_after(2000)
    marker = f"lost-{time.time_ns()}"
    found = {}

    def submit():
        try:
            found["id"] = site.submit(name=marker, CommandLine="-- /bin/true")
        except Exception as error:
            found["error"] = error

    thread = threading.Thread(target=submit)
    thread.start()
    wait_for(
        lambda: lab.run("squeue", "-h", "-t", "all", "-n", marker, "-o", "%i").split(), what="the job in the queue"
    )
    proxy.cut()
    proxy.mute.clear()
    thread.join(60)
    ids = lab.run("squeue", "-h", "-t", "all", "-n", marker, "-o", "%i").split()
    assert len(ids) == 1
    assert found == {"id": ids[0]}
    assert site.wait(ids[0])["State"] == "FINISHED"


def test_a_scheduler_that_does_not_answer_makes_jobs_stale_and_not_finished(slurm, lab):
    job = slurm.submit(Script="sleep 300")
    slurm.wait(job, until="RUNNING")
    cluster = slurm.service.cluster("slurm")
    working = cluster.scheduler.status_command
    cluster.scheduler.status_command = lambda users: ("/bin/sh", "-c", "echo 'squeue: error: no luck' >&2; exit 1")
    stale = wait_for(lambda: slurm.detail(job).get("StaleReason"), what="the job to be stale")
    assert (stale, slurm.detail(job)["State"]) == ("squeue: error: no luck", "RUNNING")
    cluster.scheduler.status_command = working
    wait_for(lambda: "StaleReason" not in slurm.detail(job), what="the job to be fresh again")
    slurm.call("StopJobs", JobIds=[job])
    slurm.wait(job)
