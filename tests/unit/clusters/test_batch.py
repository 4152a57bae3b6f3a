"""One connection an account: who waits for whom, and what a refused login says."""

from __future__ import annotations

import threading

import pytest
from pydantic import SecretStr

from ehpc_jupyter.clusters.batch import BatchCluster
from ehpc_jupyter.errors import InvalidParams
from ehpc_jupyter.models.cluster import ClusterProfile
from ehpc_jupyter.transport.base import Completed, LoginRefused

PROFILE = ClusterProfile(name="c", host="h", scheduler="slurm")


class Way:
    """An account; ``gate`` holds up its login."""

    def __init__(self, user, password, gates, good):
        self.user, self.password, self.gates, self.good = user or "me", password, gates, good

    @property
    def home(self):
        gate = self.gates.get(self.user)
        assert gate is None or gate.wait(20)
        if self.user != "me" and (self.password is None or self.password.get_secret_value() != self.good):
            raise LoginRefused(f"login as {self.user} was refused")
        return f"/home/{self.user}"

    def run(self, argv, **_):
        return Completed(tuple(argv), 0, b"slurm 22.05\n", b"")

    def close(self):
        pass


def test_a_login_that_hangs_holds_up_no_other_account():
    gate = threading.Event()
    cluster = BatchCluster(PROFILE, lambda _, user, password: Way(user, password, {"slow": gate}, "right"))
    thread = threading.Thread(target=cluster.login, args=("slow", SecretStr("right")))
    thread.start()
    answers = []
    other = threading.Thread(target=lambda: answers.append(cluster.version()))
    other.start()
    other.join(5)
    assert answers == ["22.05"]
    gate.set()
    thread.join(5)


def test_a_refused_login_names_its_field_however_often_it_is_tried():
    cluster = BatchCluster(PROFILE, lambda _, user, password: Way(user, password, {}, "right"))
    cluster._session("other")  # As the monitor does for a job of before, whose password is gone.
    for password, field in ((None, "RunasUser"), (SecretStr("wrong"), "RunasUserPassword"), (None, "RunasUser")):
        with pytest.raises(InvalidParams) as refusal:
            cluster.login("other", password)
        assert [problem.field for problem in refusal.value.problems] == [f"JobSpec.{field}"]
    assert cluster.login("other", SecretStr("right")) == "other"
    assert cluster.login("other", None) == "other"
    with pytest.raises(InvalidParams):
        cluster.login("other", SecretStr("wrong"))
    assert cluster._session("other").home == "/home/other"


def test_running_as_the_login_account_itself_is_its_own_connection():
    made = []
    cluster = BatchCluster(PROFILE, lambda _, user, password: made.append(user) or Way(user, password, {}, "right"))
    assert cluster.login("me", SecretStr("whatever")) == "me"
    assert cluster._session("me") is cluster._session("")
    assert made == [None]
