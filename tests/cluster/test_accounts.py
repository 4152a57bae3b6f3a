"""Jobs of other accounts on a real Slurm: who may stop, run again and delete them, and what a restart takes away."""

from __future__ import annotations

from pathlib import Path

import pytest

from ehpc_jupyter.errors import DeleteFailure, RerunFailure, ServiceUnavailable, StopFailure
from ehpc_jupyter.jobs.service import JobService
from ehpc_jupyter.models.cluster import ClusterProfile
from tests.contract.conftest import Site


class Front:
    """Servers that follow each other with one store."""

    def __init__(self, lab, path):
        self.lab = lab
        self.path = path
        self.service = None

    def start(self, user="ehpcuser", **profile):
        if self.service:
            self.service.close()
        made = ClusterProfile.from_wire({"name": "slurm", **self.lab.profile(user, **profile)})
        self.service = JobService({"slurm": made}, self.path)
        return Site("slurm", self.service, self.lab.users[user]["home"], self.lab)


@pytest.fixture
def front(lab, tmp_path):
    made = Front(lab, tmp_path / "jobs.sqlite")
    yield made
    made.service.close()


def test_somebody_elses_job_is_not_stopped(front, lab):
    site = front.start()
    job = site.submit(Script="sleep 300")
    # The profile now logs in as another account, who may not stop the first one's jobs.
    other = front.start("ehpcother")
    with pytest.raises(StopFailure, match="Access/permission denied"):
        other.call("StopJobs", JobIds=[job])
    assert lab.run("squeue", "-h", "-j", job, "-o", "%u").strip() == "ehpcuser"
    site = front.start()
    site.call("StopJobs", JobIds=[job])
    assert site.wait(job)["State"] == "CANCELLED"


def test_a_job_of_another_account_runs_again_with_its_password_and_its_folder_goes(front, lab):
    site = front.start()
    account = {"RunasUser": "ehpcother", "RunasUserPassword": lab.users["ehpcother"]["password"]}
    first = site.submit(Script="id -un", **account)
    folder = Path(site.wait(first)["Folder"])
    (second,) = site.call("RerunJobs", JobIds=[first])["JobIds"]
    assert (site.wait(second)["User"], site.log(second)) == ("ehpcother", "ehpcother\n")
    assert [user["UserName"] for user in site.call("ListUsers")["Users"]["UserInfo"]] == ["ehpcuser", "ehpcother"]
    site = front.start()
    with pytest.raises(RerunFailure, match=f"job {first} ran as ehpcother, .* give RunasUserPassword"):
        site.call("RerunJobs", JobIds=[first])
    (third,) = site.call("RerunJobs", JobIds=[first], RunasUserPassword=account["RunasUserPassword"])["JobIds"]
    assert site.wait(third)["RerunOf"] == first
    assert lab.run("ls", str(folder), user="ehpcother")
    site.call("DeleteJobs", JobIds=[first], DeleteFolder=True)
    assert not folder.exists()
    assert account["RunasUserPassword"].encode() not in front.path.read_bytes()


def test_a_folder_is_looked_for_only_where_folders_are_made(front):
    site = front.start()
    job = site.submit(CommandLine="-- /bin/true")
    folder = Path(site.wait(job)["Folder"])
    site = front.start(jobs_folder="~/elsewhere")
    with pytest.raises(DeleteFailure, match="does not lie in /home/ehpcuser/elsewhere"):
        site.call("DeleteJobs", JobIds=[job], DeleteFolder=True)
    assert (folder / "receipt").is_file()


def test_a_cluster_that_is_down(front):
    site = front.start(port=1)
    for action in ("ListQueues", "ListNodes"):
        with pytest.raises(ServiceUnavailable):
            site.call(action)
    assert site.call("GetCluster")["ClusterStatus"] == "exception"
