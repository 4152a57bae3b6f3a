"""Events of changed jobs: the loop is never held up by many, and none is lost but for a newer one."""

from __future__ import annotations

import threading

from ehpc_jupyter.models.job import JobDetail, JobState
from ehpc_jupyter.server.events import Publisher


class Loop:
    """An event loop that a test turns."""

    def __init__(self):
        self.soon, self.later = [], []

    def add_callback(self, work):
        self.soon.append(work)

    def call_later(self, delay_s, work):
        self.later.append(work)

    def turn(self):
        turns = 0
        while self.soon or self.later:
            turns += 1
            (self.soon or self.later).pop(0)()
        return turns


def job(name, state="RUNNING"):
    return JobDetail(cluster_id="c", request_id=name, job_name=name, state=JobState(state))


def test_each_job_goes_out_and_of_two_changes_the_last():
    loop, out = Loop(), []
    publisher = Publisher(lambda: loop, out.append)
    for name in "abc":
        publisher.publish(job(name))
    publisher.publish(job("a", "FINISHED"))
    loop.turn()
    assert [(data["RequestId"], data["State"]) for data in out] == [
        ("a", "FINISHED"),
        ("b", "RUNNING"),
        ("c", "RUNNING"),
    ]
    publisher.publish(job("a", "FAILED"))
    loop.turn()
    assert out[-1]["State"] == "FAILED"


def test_many_are_handed_on_in_slices():
    loop, out = Loop(), []
    publisher = Publisher(lambda: loop, out.append)
    for number in range(5000):
        publisher.publish(job(str(number)))
    assert loop.turn() > 2
    assert len(out) == 5000


def test_a_change_while_others_go_out_is_not_lost():
    loop, out = Loop(), []

    def emit(data):
        out.append((data["RequestId"], data["State"]))
        if len(out) == 1:
            publisher.publish(job("a", "FINISHED"))

    publisher = Publisher(lambda: loop, emit)
    publisher.publish(job("a"))
    loop.turn()
    assert out == [("a", "RUNNING"), ("a", "FINISHED")]


def test_one_that_is_refused_keeps_no_other():
    loop, out = Loop(), []

    def emit(data):
        if data["RequestId"] == "a":
            raise ValueError("no")
        out.append(data["RequestId"])

    publisher = Publisher(lambda: loop, emit)
    threads = [threading.Thread(target=publisher.publish, args=(job(name),)) for name in "ab"]
    for thread in threads:
        thread.start()
        thread.join()
    loop.turn()
    assert out == ["b"]
