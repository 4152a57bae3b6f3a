"""One connection an account: who waits for whom, and what a refused login says."""

from __future__ import annotations

import threading

import pytest
from pydantic import SecretStr

from ehpc_jupyter.clusters.batch import BatchCluster
from ehpc_jupyter.errors import InvalidParams
from ehpc_jupyter.models.cluster import ClusterProfile
from ehpc_jupyter.models.job import JobState
from ehpc_jupyter.schedulers.base import FIELD
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


QUEUED = FIELD.join(
    ("12", "N/A", "PENDING", "Priority", "comp", "me", "", "1", "N/A", "N/A", "1:00", "1", "1", "N/A", "{}", "n")
)


class Told(Way):
    """An account whose job folder and queue say what a test wants."""

    def __init__(self, state, queue):
        super().__init__(None, None, {}, "")
        self.state, self.queue = state, queue

    def run(self, argv, **_):
        answer = self.queue if "squeue" in argv else f"\x1estate\x1f{self.state}\n"
        return Completed(tuple(argv), 0, answer.encode(), b"")


def fate(state, age_s, *, queue=""):
    cluster = BatchCluster(PROFILE, lambda *_: Told(state, queue))
    return cluster.fate("a" * 32, "/home/me/ehpc-jobs/x", "", age_s=age_s)


def test_a_folder_that_was_tidied_away_says_nothing_of_the_job():
    """The server died with the answer on its way; the user removed the folder; the job runs."""
    assert fate("void", 60.0, queue=QUEUED.format("a" * 32) + "\x1e\n").job_id == "12"
    assert fate("void", 60.0, queue=QUEUED.format("b" * 32) + "\x1e\n").state is JobState.NOT_SUBMITTED


@pytest.mark.parametrize(
    ("state", "age_s", "decided"),
    [
        ("void", 0.0, JobState.NOT_SUBMITTED),
        ("broken", 60.0, JobState.SUBMITTING),
        ("broken", 200.0, JobState.NOT_SUBMITTED),
        ("unseen", 60.0, JobState.SUBMITTING),
        ("unseen", 200.0, JobState.NOT_SUBMITTED),
        # sbatch waits for a controller that hangs, and may get through a moment after the queue was asked.
        ("running", 200.0, JobState.SUBMITTING),
        ("running", 4000.0, JobState.NOT_SUBMITTED),
    ],
)
def test_what_is_still_at_work_is_not_given_up(state, age_s, decided):
    assert fate(state, age_s).state is decided
