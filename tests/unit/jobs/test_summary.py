"""What is shown of a job, from what the queue, the accounting and its own records say."""

from __future__ import annotations

import pytest

from ehpc_jupyter.jobs.arrays import EndedTasks
from ehpc_jupyter.jobs.summary import is_open, summarise, with_job_id
from ehpc_jupyter.models.job import JobDetail, JobState
from ehpc_jupyter.schedulers.base import JobReport
from ehpc_jupyter.schedulers.script import TaskRecord, parse_record

JOB = JobDetail(cluster_id="c", request_id="r", job_name="n", job_id="10", state=JobState.QUEUED)
ARRAY = JOB.model_copy(update={"array_request": "1-5:2"})


def report(state="RUNNING", **more):
    return JobReport(job_id="10", state=JobState(state), native_state=state, **more)


def ended(queue):
    found = EndedTasks("1-5:2")
    found.learn(queue)
    return found


def record(task=None, code=0, **more):
    return TaskRecord(task=task, host="n1", start_time=100, exit_time=200, exit_code=code, **more)


def test_the_queue_knows_a_running_job():
    detail, source = summarise(JOB, [report(node_list="n7", start_time=5, wall_time_s=60)])
    assert (detail.state, detail.node_list, detail.start_time, source) == (JobState.RUNNING, "n7", 5, "queue")
    assert not is_open([report()], None)
    assert is_open([report("FAILED")], None)
    assert is_open([], None)


def test_exit_code_of_the_record_goes_before_the_schedulers():
    # Slurm shows an exit code of 137 as signal 9.
    detail, _ = summarise(JOB, [report("FAILED", exit_code=9)], [], [record(code=137)])
    assert (detail.state, detail.exit_code) == (JobState.FAILED, 137)


def test_a_record_alone_is_enough_when_everybody_forgot():
    detail, source = summarise(JOB, [], [], [record(code=3)])
    assert (detail.state, detail.exit_code, detail.end_time, source) == (JobState.FAILED, 3, 200, "folder")
    assert summarise(JOB, [], [], [record()])[0].state is JobState.FINISHED


def test_the_accounting_goes_before_the_record():
    detail, source = summarise(JOB, [], [report("TIMEOUT")], [record(code=143, terminated=True)])
    assert (detail.state, detail.exit_code, source) == (JobState.TIMEOUT, 143, "history")


@pytest.mark.parametrize("records", [[], [TaskRecord(task=None, host="n1", start_time=1)]])
def test_what_nobody_knows_is_unknown_and_not_finished(records):
    detail, _ = summarise(JOB, [], [], records)
    assert detail.state is JobState.UNKNOWN
    assert not detail.is_final
    assert detail.reason


def test_an_accounting_that_lags_sets_no_job_back():
    running = JOB.model_copy(update={"state": JobState.RUNNING})
    assert summarise(running, [], [report("QUEUED")])[0].state is JobState.RUNNING
    assert (
        summarise(JOB.model_copy(update={"state": JobState.UNKNOWN}), [], [report("QUEUED")])[0].state
        is JobState.QUEUED
    )


def test_a_stale_job_is_fresh_again_with_the_next_answer():
    stale = JOB.model_copy(update={"stale_reason": "no luck"})
    assert summarise(stale, [report()])[0].stale_reason is None


def test_an_array_in_the_middle():
    queue = [report("QUEUED", tasks="5", count=1), report("RUNNING", tasks="3"), report("FINISHED", tasks="1")]
    detail, _ = summarise(ARRAY, queue)
    assert (detail.state, detail.tasks) == (JobState.RUNNING, {"QUEUED": 1, "RUNNING": 1, "FINISHED": 1})
    assert not is_open(queue, ended(queue))


def test_an_array_whose_first_tasks_the_queue_forgot():
    queue = [report("RUNNING", tasks="5")]
    assert is_open(queue, ended(queue))
    detail, source = summarise(ARRAY, queue, [], [record(1), record(3, code=4)])
    assert (detail.state, detail.tasks, source) == (
        JobState.RUNNING,
        {"RUNNING": 1, "FINISHED": 1, "FAILED": 1},
        "folder",
    )
    assert detail.exit_code is None


def test_an_array_that_ended_badly():
    queue = [report("FINISHED", tasks="1"), report("FAILED", tasks="3", exit_code=7), report("TIMEOUT", tasks="5")]
    detail, _ = summarise(ARRAY, queue, [], [record(1), record(3, code=7)])
    assert (detail.state, detail.exit_code) == (JobState.FAILED, 7)
    assert detail.tasks == {"FINISHED": 1, "FAILED": 1, "TIMEOUT": 1}


def test_tasks_that_nobody_knows_are_unknown():
    detail, _ = summarise(ARRAY, [], [report("FINISHED", tasks="1")], [record(3)])
    assert detail.tasks == {"FINISHED": 2, "UNKNOWN": 1}
    assert detail.state is JobState.UNKNOWN


def test_a_task_is_counted_once_whoever_speaks_of_it():
    detail, _ = summarise(
        ARRAY, [report("FINISHED", tasks="1,3")], [report("FINISHED", tasks="1")], [record(1), record(5)]
    )
    assert detail.tasks == {"FINISHED": 3}


def test_output_paths_get_the_id():
    detail = with_job_id(JOB.model_copy(update={"stdout_path": "/a/%j-%%", "stderr_path": "/b"}), "77")
    assert (detail.stdout_path, detail.stderr_path, detail.state) == ("/a/77-%", "/b", JobState.QUEUED)
    assert with_job_id(ARRAY.model_copy(update={"stdout_path": "/a/%j.%a"}), "77").stdout_path == "/a/%j.%a"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", None),
        ("start 1 n", None),
        ("start 1 n\n", (1, None, None, False)),
        ("start 1 n\nexit 2 ", (1, None, None, False)),
        ("start 1 n\nexit 2 7\n", (1, 2, 7, False)),
        ("start 1 n\nsignal 2 TERM\nexit 3 143\npost 4 0\n", (1, 3, 143, True)),
        ("garbage\nstart x y\n", None),
    ],
)
def test_records(text, wanted):
    found = parse_record(text)
    assert (found and (found.start_time, found.exit_time, found.exit_code, found.terminated)) == wanted
