"""How the tasks of an array ended: learnt once, kept as ranges, never expanded."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ehpc_jupyter.jobs.arrays import EndedTasks, Ending
from ehpc_jupyter.localq.indices import Indices
from ehpc_jupyter.models.job import JobState
from ehpc_jupyter.schedulers.base import JobReport
from ehpc_jupyter.schedulers.script import TaskRecord


def report(state, tasks, **more):
    return JobReport(job_id="10", state=JobState(state), native_state=state, tasks=tasks, **more)


def record(task, code=0):
    return TaskRecord(task=task, host="n1", start_time=1, exit_time=2, exit_code=code)


@pytest.mark.parametrize(
    ("array", "text", "numbers"),
    [
        ("1-10", "3", [3]),
        ("1-10", "1,3,5", [1, 3, 5]),
        ("1-10", "[2-4%2]", [2, 3, 4]),
        # Slurm writes what is left of an array without a step with one.
        ("1-10", "1-9:4", [1, 5, 9]),
        ("0-9:3", "0-9:3", [0, 3, 6, 9]),
        ("0-9:3", "3-9", [3, 6, 9]),
        ("0-9:3", "0-6:6", [0, 6]),
        ("5-6", "1-100", [5, 6]),
        ("5-6", "1-4", []),
        ("1-3", "N/A", []),
        ("1-3", None, []),
    ],
)
def test_lists_of_tasks_as_schedulers_write_them(array, text, numbers):
    ended = EndedTasks(array)
    assert [ended.array.number(index) for index in ended.read(text).lowest(99)] == numbers


@given(st.integers(0, 30), st.integers(1, 40), st.integers(1, 5), st.sets(st.integers(0, 60)))
def test_what_is_written_is_read_again(first, length, step, wanted):
    ended = EndedTasks(f"{first}-{first + length}:{step}")
    chosen = Indices(*((i, i) for i in wanted if i < ended.array.size))
    assert ended.read(ended.array.write(chosen)) == chosen


def test_what_ended_is_remembered_when_the_queue_forgot_it():
    ended = EndedTasks("1-5")
    ended.learn([report("FINISHED", "1"), report("FAILED", "2"), report("RUNNING", "3-5")])
    ended.learn([report("RUNNING", "3-5")])
    assert ended.counts() == {JobState.FINISHED: 1, JobState.FAILED: 1}
    assert len(ended.missing([report("RUNNING", "3-5")])) == 0
    again = EndedTasks("1-5", str(ended))
    assert (again.counts(), str(again)) == (ended.counts(), str(ended))


def test_an_exit_code_comes_from_the_record_and_is_not_asked_for_twice():
    ended = EndedTasks("1-5")
    ended.learn([report("FAILED", "2-4")])
    assert ended.numbers(ended.without_exit_code(), 10) == [2, 3, 4]
    ended.asked(ended.without_exit_code())
    ended.learn([report("FAILED", "2-4")], [], {2: record(2, 7), 3: record(3, 7)})
    assert ended.ending(1) == Ending(JobState.FAILED, 7)
    assert ended.ending(3) == Ending(JobState.FAILED)
    assert not ended.without_exit_code()
    # A later look that says less takes nothing away.
    ended.learn([report("FAILED", "2-4")])
    assert ended.exit_codes() == [7]


def test_a_task_that_runs_once_more_has_not_ended():
    ended = EndedTasks("1-2")
    ended.learn([report("NODE_FAILED", "1-2")])
    ended.learn([report("QUEUED", "1")])
    assert ended.counts() == {JobState.NODE_FAILED: 1}


def test_the_queue_goes_before_the_accounting_and_that_before_the_record():
    ended = EndedTasks("1-3")
    ended.learn(
        [report("RUNNING", "1")],
        [report("CANCELLED", "1"), report("TIMEOUT", "2")],
        {1: record(1), 2: record(2, 143), 3: record(3, 5)},
    )
    assert ended.ending(0) is None
    assert ended.ending(1) == Ending(JobState.TIMEOUT, 143)
    assert ended.ending(2) == Ending(JobState.FAILED, 5)


def test_groups_show_what_is_common_in_the_order_of_tasks():
    ended = EndedTasks("1-9")
    queue = [
        report("RUNNING", "6", node_list="n1", start_time=5),
        report("RUNNING", "7", node_list="n2", start_time=6),
        report("QUEUED", "[8-9]", reason="Resources"),
        report("FINISHED", "1"),
    ]
    ended.learn(queue, [], {3: record(3, 4), 4: record(4, 4)})
    shown = [(g.tasks, g.count, g.state.value, g.exit_code, g.reason, g.node_list) for g in ended.groups(queue)]
    assert shown == [
        ("1", 1, "FINISHED", 0, None, None),
        ("2,5", 2, "UNKNOWN", None, None, None),
        ("3-4", 2, "FAILED", 4, None, None),
        ("6-7", 2, "RUNNING", None, None, None),
        ("8-9", 2, "QUEUED", None, "Resources", None),
    ]
    (alone, *_) = EndedTasks("6-6").groups(queue[:1])
    assert (alone.node_list, alone.start_time) == ("n1", 5)


def test_a_hundred_thousand_tasks_are_a_few_spans():
    ended = EndedTasks("0-99999")
    begun = time.monotonic()
    ended.learn(
        [report("FINISHED", "0-49999"), report("RUNNING", "50000-50099"), report("QUEUED", "[50100-99999%100]")]
    )
    assert ended.counts() == {JobState.FINISHED: 50_000}
    assert len(str(ended)) < 100
    # Orders of magnitude below what a list of them would take.
    assert time.monotonic() - begun < 1
