"""Why a job waits or did not end well, in words that a person understands."""

from __future__ import annotations

import pytest

from ehpc_jupyter.jobs.explain import explain
from ehpc_jupyter.jobs.moves import ALLOWED, may_follow
from ehpc_jupyter.models.job import JobDetail, JobState, Occupied


def job(state, **more):
    return JobDetail(cluster_id="c", request_id="r", job_id="10", job_name="n", state=JobState(state), **more)


@pytest.mark.parametrize(
    ("reason", "said", "advice"),
    [
        ("Resources", "next in line", "choose another queue"),
        ("Priority", "behind jobs with a higher priority", "choose another queue"),
        (
            "QOSMaxCpuPerUserLimit",
            "limit of cores of your quality of service (QOS) is used up",
            "when jobs under the same",
        ),
        ("AssocGrpMemLimit", "limit of memory of your account", "when jobs under the same"),
        ("QOSMaxWallDurationPerJobLimit", "lower than what it asks for", "Stop it"),
        ("AssocMaxJobsLimit", "jobs at once of your account", "when jobs"),
        ("PartitionTimeLimit", "never start", "shorter wall time"),
        ("Can Never Run: Insufficient amount of resource: ncpus", "Insufficient amount", "Stop it"),
        ("ReqNodeNotAvail, UnavailableNodes:node1", "not available", "maintenance"),
        (
            "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions",
            "down",
            "another queue",
        ),
    ],
)
def test_why_it_waits(reason, said, advice):
    words, hint = explain(job("QUEUED", reason=reason))
    assert said in words
    assert advice in hint


def test_what_it_waits_for_is_named():
    words, _ = explain(job("QUEUED", reason="Dependency", after="ok:12,any:13"))
    assert words == "It waits for job 12 to end well and job 13 to end."
    words, advice = explain(job("QUEUED", reason="DependencyNeverSatisfied", after="notok:7"))
    assert "job 7 to fail" in words
    assert advice.startswith("Stop it")
    assert explain(job("HELD", reason="JobHeldUser")) == (
        "It is held.",
        "Release it to let it wait for its turn again.",
    )


@pytest.mark.parametrize(
    ("known", "said", "advice"),
    [
        ({"state": "FAILED", "exit_code": 3}, "exit code 3", "standard error"),
        ({"state": "FAILED", "exit_code": 127}, "command in it was not found", "PATH"),
        ({"state": "FAILED", "exit_code": 139}, "signal 11 (SIGSEGV)", "small input"),
        ({"state": "FAILED", "exit_code": 137}, "signal 9 (SIGKILL)", "memory"),
        ({"state": "FAILED", "signal": 53, "reason": "RaisedSignal:53"}, "could not be started", "Check those paths"),
        (
            {"state": "FAILED", "reason": "JobLaunchFailure: JobSpec.StdoutPath: the folder /gone does not exist"},
            "could not be started: the folder /gone does not exist",
            "Mend that",
        ),
        ({"state": "FAILED"}, "not known", "standard error"),
        ({"state": "TIMEOUT", "wall_time_s": 3600}, "wall time of 1:00:00 was used up", "longer"),
        (
            {"state": "OUT_OF_MEMORY", "memory_peak_mb": 5000, "occupied": Occupied(memory_mb=4096)},
            "4096 MB",
            "more memory",
        ),
        ({"state": "OUT_OF_MEMORY", "memory_peak_mb": 5000}, "peak was 5000 MB", "more memory"),
        ({"state": "NODE_FAILED", "node_list": "n7"}, "failed (n7)", "again"),
        ({"state": "NOT_SUBMITTED", "reason": "no luck"}, "no luck", "again"),
    ],
)
def test_why_it_did_not_end_well(known, said, advice):
    words, hint = explain(job(**known))
    assert said in words
    assert advice in hint


def test_who_cancelled_it():
    assert explain(job("CANCELLED", reason="cancelled by jane")) == ("It was cancelled by jane.", None)
    assert explain(job("CANCELLED")) == ("It was cancelled.", None)


@pytest.mark.parametrize("state", ["FINISHED", "RUNNING", "SUBMITTING"])
def test_nothing_is_explained_that_needs_no_explaining(state):
    assert explain(job(state, reason="None")) == (None, None)


def test_a_reason_that_is_not_known_is_not_guessed_at():
    assert explain(job("QUEUED", reason="SomethingNew")) == (None, None)


def test_each_state_has_its_moves_and_the_end_is_the_end():
    assert set(ALLOWED) == set(JobState)
    for state in JobState:
        assert may_follow(state, state)
        if state.is_final and state is not JobState.NOT_SUBMITTED:
            assert not any(may_follow(state, other) for other in JobState if other is not state)
        else:
            assert may_follow(state, JobState.FINISHED)
    assert not may_follow(JobState.RUNNING, JobState.NOT_SUBMITTED)
    assert not may_follow(JobState.RUNNING, JobState.SUBMITTING)


def test_all_sentences_are_sentences():
    for state in JobState:
        for reason in (None, "Resources", "Dependency", "JobHeldUser", "x"):
            for part in explain(job(state, reason=reason, exit_code=1)):
                assert part is None or (part[0].isupper() and part.endswith((".", "?")))
