"""What is done to jobs, one and several; what they depend on; their tasks, their story, and what a cluster would say."""

from __future__ import annotations

import asyncio
import sys
from html.parser import HTMLParser

import pandas as pd
import pytest

from ehpc_jupyter import JobFailed
from ehpc_jupyter.errors import (
    AgentError,
    DeleteFailure,
    InvalidParams,
    JobNotFound,
    RerunFailure,
    ServiceUnavailable,
)
from ehpc_jupyter.models.actions import JobEvent, TaskGroup
from ehpc_jupyter.models.job import JobState

NOW = 1_700_000_000


def tags(text):
    """The tags in a piece of HTML; each is closed."""
    found, inside = set(), []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            found.add(tag)
            inside.append(tag)

        def handle_endtag(self, tag):
            assert inside.pop() == tag

    reader = Reader()
    reader.feed(text)
    reader.close()
    assert inside == []
    return found


# --- one job


def test_hold_and_release(client, backend):
    backend.add("1")
    job = client.job(1)
    assert job.hold().state is JobState.HELD
    assert job.release() is job
    assert job.state is JobState.QUEUED
    assert [backend.bodies(action)[0]["JobIds"] for action in ("HoldJobs", "ReleaseJobs")] == [["1"], ["1"]]


def test_what_has_ended_cannot_be_held(client, backend):
    backend.add("1", state=JobState.FINISHED)
    with pytest.raises(AgentError, match="ended already"):
        client.job(1).hold()


def test_rerun_is_a_new_job(client, backend):
    backend.add("1", state=JobState.FAILED)
    new = client.job(1).rerun()
    assert (new.job_id, new.cluster_id, new.detail.rerun_of) == ("100", "local", "1")
    assert "runs again" in str(new)


def test_rerun_of_one_that_runs_is_refused(client, backend):
    backend.add("1")
    with pytest.raises(RerunFailure, match="has not ended"):
        client.job(1).rerun()


@pytest.mark.parametrize("folder", [False, True])
def test_delete(client, backend, folder):
    backend.add("1", state=JobState.FAILED)
    client.job(1).delete(folder=folder)
    assert backend.bodies("DeleteJobs")[0]["DeleteFolder"] is folder
    assert client.jobs() == []


# --- several at once


def test_each_of_several_has_its_result(client, backend):
    backend.add("1", job_name="one")
    backend.add("2", job_name="two", state=JobState.FINISHED)
    backend.add("3", cluster_id="big")
    done = client.stop(client.job(1).refresh(), "2", client.job(3, "big"))
    assert [(o.job.job_id, o.outcome, o.ok) for o in done] == [
        ("1", "stopping", True),
        ("2", "ended already", True),
        ("3", "stopping", True),
    ]
    assert len(backend.bodies("StopJobs")) == 2, "one for each cluster"
    assert done.ok
    assert done.check() is done
    assert "stopping" in repr(done)
    assert "one" in repr(done)


def test_one_that_is_refused_does_not_refuse_the_others(client, backend):
    backend.add("1")
    backend.add("2", state=JobState.FINISHED)
    done = client.hold(1, 2, 77)
    assert [o.ok for o in done] == [True, False, False]
    assert isinstance(done[2].error, JobNotFound)
    assert client.job(1).state is JobState.HELD
    assert done.heading == "3 jobs, 2 failed"
    assert "ended already" in repr(done)
    with pytest.raises(AgentError, match="ended already"):
        done.check()


def test_no_job_runs_twice_more(client, backend):
    for number in "123":
        backend.add(number, state=JobState.FINISHED)
    backend.jobs["2"].detail = backend.jobs["2"].detail.model_copy(update={"state": JobState.RUNNING})
    done = client.rerun(1, 2, 3)
    assert [o.new.job_id if o.new else None for o in done] == ["100", None, "300"]
    assert len({body["ClientToken"] for body in backend.bodies("RerunJobs")}) == 1
    assert "100" in done._repr_html_()


def test_what_was_deleted_by_the_first_question_is_deleted(client, backend):
    """The service removes what it can and then says which folder stayed."""
    for number in "12":
        backend.add(number, state=JobState.FINISHED)

    def half(body):
        answer = type(backend)._DeleteJobs
        if body["JobIds"] == ["1", "2"]:
            del backend.jobs["1"]
            raise DeleteFailure("job 2 stays, since its folder was not removed")
        if body["JobIds"] == ["2"]:
            raise DeleteFailure("job 2 stays, since its folder was not removed")
        return answer(backend, body)

    backend._DeleteJobs = half
    done = client.delete(1, 2, folder=True)
    assert [(o.outcome, o.ok) for o in done] == [("deleted", True), ("", False)]


def test_when_nobody_answers_nothing_is_pretended(client, backend):
    backend.add("1")
    backend.add("2")
    backend.before["StopJobs"] = [ServiceUnavailable("gone")]
    with pytest.raises(ServiceUnavailable):
        client.stop(1, 2)


def test_none_at_all(client, backend):
    assert repr(client.stop()) == "No jobs"
    assert backend.calls == []


# --- after


def test_a_job_after_others(client, backend):
    first, second = client.submit(script="x"), client.submit(script="y")
    client.submit(script="z", after=first)
    client.submit(script="z", after=[first, ("any", second)])
    client.submit(script="z", after="notok:12")
    assert [b["JobSpec"].get("After") for b in backend.bodies("CreateJob")[2:]] == ["ok:10", "ok:10,any:11", "notok:12"]


def test_a_job_cannot_wait_for_one_of_another_cluster(client, backend):
    other = client.submit(script="x", cluster="big", name="there")
    with pytest.raises(InvalidParams, match=r"JobSpec.After .*Job 10 'there' on big is on another cluster.*local"):
        client.submit(script="y", after=[("any", other)])
    assert len(backend.bodies("CreateJob")) == 1


def test_after_nonsense_names_its_field(client):
    with pytest.raises(InvalidParams, match=r"JobSpec\.After"):
        client.submit(script="y", after="soon:12")


# --- tasks


GROUPS = [
    TaskGroup(tasks="1-5,7", count=6, state=JobState.FINISHED, exit_code=0, start_time=NOW, end_time=NOW + 60),
    TaskGroup(
        tasks="6", count=1, state=JobState.FAILED, exit_code=3, reason="NonZeroExitCode", explanation="It broke."
    ),
    TaskGroup(tasks="8-10", count=3, state=JobState.QUEUED),
]


@pytest.fixture
def array(client, backend):
    backend.add("1", job_name="sweep", state=JobState.FAILED, array_request="1-10", tasks={"FINISHED": 6, "FAILED": 1})
    backend.add("1_6", job_name="sweep", state=JobState.FAILED, exit_code=3, stdout=b"six\n", stderr=b"boom\n")
    backend.task_groups["1"] = list(GROUPS)
    return client.job(1).refresh()


def test_tasks_are_a_table_of_groups(array):
    head, titles, first, second, third = repr(array.tasks).splitlines()
    assert head == "Tasks of Job 1 'sweep' on local: 10"
    assert titles.split() == ["tasks", "count", "state", "exit", "started", "ended", "took", "reason"]
    assert first.startswith("1-5,7  6      ✓ finished")
    assert "It broke." in second
    assert third.startswith("8-10")
    assert array.tasks[1].exit_code == 3


def test_all_pages_of_groups_are_fetched(client, backend):
    backend.add("1")
    backend.task_groups["1"] = [TaskGroup(tasks=str(n), count=1, state=JobState.FINISHED) for n in range(250)]
    assert len(client.job(1).tasks) == 250
    assert len(backend.bodies("ListTasks")) == 3


def test_a_job_without_tasks_says_so(client, backend):
    backend.add("1")
    with pytest.raises(InvalidParams, match="no array"):
        _ = client.job(1).tasks


def test_one_task_is_a_job_of_its_own(array, backend):
    task = array.task(6)
    assert (task.index, task.array, task.state, task.exit_code) == (6, array, JobState.FAILED, 3)
    assert task.stdout() == "six\n"
    assert repr(task) == "<Task 6 of Job 1 'sweep' on local: failed, exit code 3>"
    backend.jobs["1_6"].detail = backend.jobs["1_6"].detail.model_copy(update={"state": JobState.RUNNING})
    array.task(6).stop()
    assert backend.bodies("StopJobs")[-1]["JobIds"] == ["1_6"]
    with pytest.raises(JobFailed, match=r"Task|exit code 3"):
        task.check()


def test_an_array_that_failed_says_which_tasks(array):
    with pytest.raises(JobFailed) as caught:
        array.check()
    text = str(caught.value)
    assert "Task 6 failed with exit code 3 (NonZeroExitCode). It broke." in text
    assert text.endswith("The last lines of its standard error of task 6:\nboom")
    assert [group.tasks for group in caught.value.failed_tasks] == ["6"]


# --- failing well


def test_a_failure_says_why_and_what_to_change(client, backend):
    backend.add(
        "1",
        state=JobState.OUT_OF_MEMORY,
        exit_code=137,
        signal=9,
        explanation="It used more than the 1GB that it had asked for.",
        advice="Ask for more memory: memory='2GB'.",
        stderr=b"\x1b[31mKilled\x1b[0m\n",
    )
    with pytest.raises(JobFailed) as caught:
        client.job(1).check()
    failed = caught.value
    assert (failed.exit_code, failed.signal) == (137, 9)
    assert failed.explanation.startswith("It used more")
    assert str(failed).splitlines() == [
        "Job 1 'hello' on local was stopped because it used more memory than it had asked for with exit code 137 "
        "by signal 9.",
        "It used more than the 1GB that it had asked for.",
        "Ask for more memory: memory='2GB'.",
        "The last lines of its standard error:",
        "Killed",
    ]


# --- the story


def test_events_are_a_timeline(client, backend):
    backend.add("1")
    backend.events = [
        JobEvent(time=NOW, state=JobState.SUBMITTING, source="request"),
        JobEvent(time=NOW + 1, state=JobState.QUEUED, source="submit"),
        JobEvent(time=NOW + 3661, state=JobState.FAILED, source="folder", reason="boom"),
    ]
    story = client.job(1).events()
    head, titles, *lines = repr(story).splitlines()
    assert head == "What became of Job 1 on local"
    assert titles.split() == ["time", "after", "state", "said", "by", "reason"]
    assert "+1:01:01" in lines[2]
    assert "the job's folder" in lines[2]
    assert [event.state for event in story] == [JobState.SUBMITTING, JobState.QUEUED, JobState.FAILED]


# --- what the cluster would say


def test_a_check_says_what_would_be(client, backend):
    backend.verdict = {
        "start_time": NOW,
        "node_list": "node1",
        "message": "sbatch: Job 5 to start",
        "command": "sbatch x",
    }
    check = client.check(script="hostname", nodes=1)
    assert check
    assert check.valid
    text = repr(check)
    assert text.startswith("✓ local would take this job\n")
    for words in ("if submitted now", "node1", "sbatch: Job 5", "sbatch x", "#!/bin/bash"):
        assert words in text
        assert words in check._repr_html_().replace("&#39;", "'")
    assert backend.bodies("CreateJob") == []
    assert check.raise_for_problems() is check


def test_a_check_shows_problems_by_field(client, backend):
    backend.verdict = {
        "valid": False,
        "problems": [
            {"field": "JobSpec.WallTime", "message": "the queue allows 1:00:00"},
            {"field": "JobSpec.Resources.Nodes", "message": "there are 4"},
        ],
    }
    check = client.check(script="x", wall_time="2:00:00")
    assert not check
    assert "would not take this job: 2 problems" in repr(check)
    assert "  JobSpec.WallTime         the queue allows 1:00:00" in repr(check)
    with pytest.raises(InvalidParams, match="WallTime"):
        check.raise_for_problems()


def test_a_request_that_is_wrong_in_itself_is_an_answer_too(client, backend):
    check = client.check(script="x", wall_time="soon")
    assert not check.valid
    assert [problem.field for problem in check.problems] == ["JobSpec.WallTime"]
    assert backend.calls == []
    backend.before["CheckJob"] = [InvalidParams(*check.problems)]
    assert [p.field for p in client.check(script="x").problems] == ["JobSpec.WallTime"]


# --- following


def test_follow_gives_the_output_as_it_comes(client, backend, fake_time):
    fake = backend.add("1", plan=[JobState.RUNNING] * 3 + [JobState.FINISHED], stdout=b"one\n")

    def more(seconds):
        fake.stdout += b"more\n"

    fake_time.on_sleep = more
    pieces = list(client.job(1).follow())
    assert "".join(pieces) == "one\nmore\nmore\nmore\n"
    assert len(pieces) == 4


def test_follow_without_blocking_the_kernel(client, backend, fake_time):
    fake = backend.add("1", plan=[JobState.RUNNING] * 3 + [JobState.FINISHED], stderr=b"one\n")
    job = client.job(1)

    async def collect():
        return [text async for text in job.follow(stream="stderr")]

    fake_time.on_sleep = lambda seconds: None
    assert "".join(asyncio.run(collect())) == "one\n"
    assert fake.detail.is_final


def test_follow_ends_at_an_interrupt_and_leaves_the_job(client, backend, fake_time):
    backend.add("1", state=JobState.RUNNING, stdout=b"x")

    def interrupt(seconds):
        raise KeyboardInterrupt

    fake_time.on_sleep = interrupt
    with pytest.raises(KeyboardInterrupt, match="goes on"):
        list(client.job(1).follow())
    assert backend.bodies("StopJobs") == []


def test_follow_bears_a_server_that_restarts(client, backend):
    backend.add("1", plan=[JobState.RUNNING] * 2 + [JobState.FINISHED], stdout=b"all of it")
    backend.before["GetJobLog"] = [ServiceUnavailable("restarting")]
    backend.before["GetJob"] = [ServiceUnavailable("restarting")]
    assert "".join(client.job(1).follow()) == "all of it"


def test_of_an_array_one_task_is_followed(array):
    with pytest.raises(ValueError, match=r"say which task to follow, for instance follow\(task=1\)"):
        array.follow()
    assert "".join(array.follow(task=6)) == "six\n"


# --- frames


def test_a_table_is_a_frame(client, backend):
    backend.add("1", state=JobState.FAILED, exit_code=3, submit_time=NOW, wall_time_s=60, tasks={"FAILED": 1})
    backend.add("2", job_name="other", submit_time=NOW + 5)
    frame = client.jobs().to_frame()
    assert list(frame["job_id"]) == ["1", "2"]
    assert list(frame["state"]) == ["FAILED", "QUEUED"]
    assert frame["submit_time"][0] == pd.Timestamp(NOW, unit="s", tz="UTC")
    assert frame["exit_code"][0] == 3
    assert frame["exit_code"].isna()[1]
    assert str(frame["exit_code"].dtype) == "Int64"


def test_all_tables_are_frames(client, backend, array):
    backend.events = [JobEvent(time=NOW, state=JobState.QUEUED, source="submit")]
    assert list(array.tasks.to_frame()["tasks"]) == ["1-5,7", "6", "8-10"]
    assert array.events().to_frame()["time"][0].year == 2023
    assert list(client.queues().to_frame()["queue_name"]) == ["batch", "long"]
    assert list(client.clusters().to_frame()["cluster_id"]) == ["local", "big"]
    assert list(client.stop(1, 77).to_frame()["outcome"]) == ["ended already", "failed"]
    assert len(client.jobs("finished", name="nothing of that name").to_frame()) >= 0


def test_without_pandas_it_says_what_to_install(client, backend, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"needs pandas.*%pip install pandas"):
        client.jobs().to_frame()
    assert repr(client.jobs()) == "No jobs on local"


# --- nothing from outside is markup, nothing steers the terminal

NASTY = "<script>alert(1)</script>\"'><img src=x onerror=y>\x1b[31m\x1b]0;title\x07\n</td>{0}"
_PLAIN_TAGS = {
    "div",
    "strong",
    "span",
    "table",
    "caption",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "details",
    "summary",
    "pre",
}


def test_nasty_words_stay_words_everywhere(client, backend):
    backend.add("1", job_name=NASTY, state=JobState.FAILED, reason=NASTY, array_request="1-2", stderr=NASTY.encode())
    backend.add("1_1", job_name=NASTY, state=JobState.FAILED, stderr=NASTY.encode())
    backend.task_groups["1"] = [
        TaskGroup(tasks="1", count=1, state=JobState.FAILED, reason=NASTY, explanation=NASTY, node_list=NASTY)
    ]
    backend.events = [JobEvent(time=NOW, state=JobState.FAILED, source="queue", reason=NASTY)]
    backend.verdict = {
        "valid": False,
        "problems": [{"field": NASTY, "message": NASTY}],
        "message": NASTY,
        "script": NASTY,
        "command": NASTY,
        "node_list": NASTY,
    }
    job = client.job(1).refresh()
    shown = [job.tasks, job.events(), client.check(script="x"), client.hold(1, 2)]
    for thing in shown:
        assert tags(thing._repr_html_()) <= _PLAIN_TAGS
        assert "\x1b" not in repr(thing) + thing._repr_html_()
        assert "\x07" not in repr(thing) + thing._repr_html_()
    with pytest.raises(JobFailed) as caught:
        job.check()
    assert "\x1b" not in str(caught.value)
    assert "[31m" not in str(caught.value)
