"""Waiting for one job and for many: how many questions it takes, what is shown, what an interrupt leaves alone."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import io
import threading
import time
import weakref
from contextlib import redirect_stderr

import pytest

from ehpc_jupyter import Client, as_completed, wait
from ehpc_jupyter.errors import InternalError, JobNotFound, ServiceUnavailable
from ehpc_jupyter.models.actions import TaskGroup
from ehpc_jupyter.models.job import JobState
from ehpc_jupyter.notebook.progress import Progress, summary
from ehpc_jupyter.notebook.tasks import covers
from tests.conftest import wait_for

PLAN = [JobState.QUEUED, JobState.RUNNING, JobState.FINISHED]


def many(client, backend, count, plan=PLAN):
    for number in range(count):
        backend.add(str(number + 1), plan=list(plan))
    return [client.job(number + 1) for number in range(count)]


def questions(backend):
    return [action for action, _ in backend.calls]


# --- one question for all


def test_fifty_awaited_jobs_are_one_question_a_look(client, backend):
    jobs = many(client, backend, 50)

    async def gather():
        return await asyncio.gather(*jobs)

    assert asyncio.run(gather()) == jobs
    assert all(job.known().state is JobState.FINISHED for job in jobs)
    assert questions(backend) == ["ListJobs"] * 3, "one look for each state that the jobs went through"
    assert len(backend.bodies("ListJobs")[0]["JobFilter"]["JobIds"]) == 50


def test_fifty_jobs_are_one_question_a_look_without_a_loop_too(client, backend):
    jobs = many(client, backend, 50)
    assert wait(jobs) == jobs
    assert questions(backend) == ["ListJobs"] * 3


def test_more_jobs_than_a_page_holds(client, backend):
    jobs = many(client, backend, 120, [JobState.FINISHED])
    wait(jobs)
    assert questions(backend) == ["ListJobs"] * 3
    assert all(job.known().is_final for job in jobs)


def test_each_cluster_is_asked_for_its_own(client, backend):
    backend.add("1", plan=list(PLAN))
    backend.add("2", plan=list(PLAN))
    backend.add("3", plan=list(PLAN), cluster_id="big")
    wait([client.job(1), client.job(2), client.job(3, "big")])
    assert questions(backend) == ["ListJobs", "GetJob"] * 3


def test_those_that_ended_are_not_asked_for_again(client, backend):
    backend.add("1", plan=[JobState.FINISHED])
    backend.add("2", plan=list(PLAN))
    backend.add("3", plan=list(PLAN))
    wait([client.job(n) for n in (1, 2, 3)])
    assert [len(b["JobFilter"]["JobIds"]) for b in backend.bodies("ListJobs")] == [3, 2, 2]


def test_a_job_that_joins_shares_the_question(client, backend, fake_time):
    backend.add("1", plan=[JobState.RUNNING] * 4 + [JobState.FINISHED])
    backend.add("2", plan=[JobState.RUNNING, JobState.FINISHED])

    async def later():
        first = asyncio.ensure_future(client.job(1)._wait_async())
        await asyncio.sleep(0)
        await asyncio.gather(client.job(2), first)

    asyncio.run(later())
    assert "ListJobs" in questions(backend)


def test_nobody_asks_when_nobody_waits_any_more(client, backend):
    backend.add("1", state=JobState.RUNNING)

    async def cancelled():
        task = asyncio.ensure_future(client.job(1)._wait_async())
        await asyncio.to_thread(wait_for, lambda: backend.calls)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)
        count = len(backend.calls)
        for _ in range(100):
            await asyncio.sleep(0)
        return count

    assert asyncio.run(cancelled()) == len(backend.calls)
    assert backend.bodies("StopJobs") == []


def test_a_job_is_awaited_again_while_the_first_question_still_hangs(backend):
    """The answer to a question that nobody waits for any more must not be taken from the one who asks next."""
    backend.add("1", state=JobState.RUNNING)
    hangs, go = threading.Event(), threading.Event()
    answer = backend._GetJob

    def slow(body):
        if not hangs.is_set():
            hangs.set()
            assert go.wait(30)
            backend.jobs["1"].plan = [JobState.FINISHED]
        return answer(body)

    backend._GetJob = slow

    async def twice():
        job = Client(backend=backend).job(1)
        first = asyncio.ensure_future(job._wait_async())
        await asyncio.to_thread(hangs.wait, 30)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        second = asyncio.ensure_future(job._wait_async())
        await asyncio.sleep(0)
        go.set()
        return await asyncio.wait_for(second, 30)

    assert asyncio.run(twice()).known().is_final


def test_no_event_loop_is_kept_alive(client, backend):
    """A program may make many."""
    loops = []

    async def once(job):
        loops.append(weakref.ref(asyncio.get_running_loop()))
        await job

    for job in many(client, backend, 3):
        asyncio.run(once(job))
    gc.collect()
    assert [loop() for loop in loops] == [None, None, None]


def test_the_loop_is_free_while_jobs_are_awaited(backend):
    """The question is asked in a thread: other coroutines go on while it hangs."""
    backend.add("1", state=JobState.RUNNING)
    hangs, go = threading.Event(), threading.Event()
    answer = backend._GetJob

    def slow(body):
        hangs.set()
        assert go.wait(30)
        backend.jobs["1"].plan = [JobState.FINISHED]
        return answer(body)

    backend._GetJob = slow

    async def both():
        task = asyncio.ensure_future(Client(backend=backend).job(1)._wait_async())
        await asyncio.to_thread(hangs.wait, 30)
        for _ in range(1000):
            await asyncio.sleep(0)
        assert not task.done()
        go.set()
        return await task

    assert asyncio.run(both()).known().is_final


def test_tasks_of_an_array_are_asked_for_together(client, backend):
    backend.add("1", state=JobState.RUNNING, array_request="1-40")
    for index in range(1, 41):
        backend.add(f"1_{index}", state=JobState.FINISHED)
    answer, looks = backend._ListTasks, []

    def groups(body):
        looks.append(body)
        ended = TaskGroup(tasks="1-20", count=20, state=JobState.FINISHED)
        others = TaskGroup(tasks="21-40", count=20, state=JobState.RUNNING if len(looks) < 3 else JobState.FINISHED)
        backend.task_groups["1"] = [ended, others]
        return answer(body)

    backend._ListTasks = groups
    array = client.job(1)
    wait([array.task(index) for index in range(1, 41)])
    assert len(looks) == 3
    assert len(backend.bodies("GetJob")) == 40, "each is asked for once, when it has ended"
    assert backend.bodies("ListJobs") == []


@pytest.mark.parametrize(
    ("indices", "index", "expected"),
    [("3", 3, True), ("1-5,7", 6, False), ("1-5,7", 7, True), ("2-1000000:2", 500_000, True), ("2-10:2", 3, False)],
)
def test_a_group_covers_its_tasks(indices, index, expected):
    assert covers(indices, index) is expected


# --- what goes wrong while one waits


def test_one_that_is_not_there_does_not_disturb_the_others(client, backend):
    jobs = [*many(client, backend, 3), client.job("77")]

    async def gather():
        return await asyncio.gather(*jobs, return_exceptions=True)

    *well, missing = asyncio.run(gather())
    assert well == jobs[:3]
    assert isinstance(missing, JobNotFound)


def test_many_bear_a_server_that_restarts(client, backend):
    jobs = many(client, backend, 3)
    backend.before["ListJobs"] = [ServiceUnavailable("restarting")] * 5
    assert all(job.known().is_final for job in wait(jobs))


def test_but_not_for_ever_and_other_clusters_are_not_held_up(client, backend, fake_time):
    backend.add("1", state=JobState.RUNNING)
    backend.add("2", plan=list(PLAN), cluster_id="big")
    answer = backend._GetJob

    def half(body):
        if body["ClusterId"] == "local":
            raise ServiceUnavailable("gone")
        return answer(body)

    backend._GetJob = half
    found = iter(as_completed([client.job(1), client.job(2, "big")]))
    assert next(found).job_id == "2"
    with pytest.raises(ServiceUnavailable, match="gone"):
        next(found)
    assert sum(fake_time.slept) == pytest.approx(60, abs=3)


@pytest.mark.parametrize("error", [InternalError("bug"), RuntimeError("a bug of ours")])
def test_whoever_awaits_hears_of_what_waiting_cannot_cure(client, backend, error):
    jobs = many(client, backend, 2)
    backend.before["ListJobs"] = [error]

    async def gather():
        return await asyncio.gather(*jobs, return_exceptions=True)

    assert asyncio.run(gather()) == [error, error]


def test_a_job_that_came_to_nothing_ends_the_waiting(client, backend):
    """It has no id: it is asked for by its request, and the list tells of it although it was refused."""
    fake = backend.add("7", state=JobState.SUBMITTING, plan=[JobState.NOT_SUBMITTED])
    fake.detail = fake.detail.model_copy(update={"job_id": None})
    (job,) = client.jobs()
    assert job.wait().state is JobState.NOT_SUBMITTED
    assert backend.bodies("ListJobs")[-1]["JobFilter"]["JobIds"] == ["r7"]


# --- as_completed


def test_jobs_come_as_they_end(client, backend):
    for number, looks in ((1, 5), (2, 1), (3, 3)):
        backend.add(str(number), plan=[JobState.RUNNING] * looks + [JobState.FINISHED])
    jobs = [client.job(n) for n in (1, 2, 3)]
    assert [job.job_id for job in as_completed([*jobs, jobs[0]])] == ["2", "3", "1"]


def test_jobs_come_as_they_end_without_blocking_the_kernel(client, backend):
    for number, looks in ((1, 5), (2, 1), (3, 3)):
        backend.add(str(number), plan=[JobState.RUNNING] * looks + [JobState.FINISHED])

    async def collect():
        return [job.job_id async for job in as_completed([client.job(n) for n in (1, 2, 3)])]

    assert asyncio.run(collect()) == ["2", "3", "1"]
    assert "GetJobs" not in questions(backend)


def test_what_is_no_result_yet_says_how_to_get_it(client, backend):
    backend.add("1")
    job = client.job(1)
    assert repr(as_completed([job])) == "<0 of 1 jobs ended: for job in … gives each as it ends>"
    assert repr(job.follow()) == "<stdout of Job 1 on local: for text in … gives it as it comes>"


def test_none_are_none(client):
    async def collect():
        return [job async for job in as_completed([])]

    assert (list(as_completed([])), wait([]), asyncio.run(collect())) == ([], [], [])


def test_the_time_is_over_and_the_jobs_go_on(client, backend, fake_time):
    backend.add("1", plan=[JobState.FINISHED])
    backend.add("2", state=JobState.RUNNING)
    backend.add("3", state=JobState.RUNNING)
    found = iter(as_completed([client.job(n) for n in (1, 2, 3)], timeout=5))
    assert next(found).job_id == "1"
    with pytest.raises(TimeoutError, match="2 of 3 jobs have not ended after 5 s"):
        next(found)
    assert backend.bodies("StopJobs") == []


def test_the_time_is_over_in_a_coroutine_too(backend):
    backend.add("1", state=JobState.RUNNING)

    async def collect():
        async for _ in as_completed([Client(backend=backend).job(1)], timeout=0.1):
            pass

    with pytest.raises(TimeoutError, match=r"1 job has not ended after 0.1 s"):
        asyncio.run(collect())


def test_an_interrupt_leaves_all_jobs_alone(client, backend, fake_time):
    jobs = many(client, backend, 3, [JobState.RUNNING])

    def interrupt(seconds):
        raise KeyboardInterrupt

    fake_time.on_sleep = interrupt
    with pytest.raises(KeyboardInterrupt, match="3 jobs have not ended and go on"):
        wait(jobs)
    assert backend.bodies("StopJobs") == []


# --- the bar


def test_nothing_is_shown_where_nobody_looks(client, backend, capsys):
    backend.plan = [JobState.RUNNING] * 30 + [JobState.FINISHED]
    client.submit(script="x").wait()
    wait(many(client, backend, 3))
    assert capsys.readouterr() == ("", "")


def bar_of(jobs, clock, where, looks=3):
    with Progress(jobs, clock, where=where) as progress:
        for _ in range(looks):
            progress.show()
            clock.sleep(1)
            for job in jobs:
                job.refresh()
        progress.show()


def test_a_terminal_has_one_line_that_is_written_over(client, backend, fake_time):
    jobs = many(client, backend, 4)
    backend.jobs["4"].plan = [JobState.QUEUED, JobState.RUNNING, JobState.FAILED]
    out = io.StringIO()
    with redirect_stderr(out):
        bar_of(jobs, fake_time.clock, "terminal")
    text = out.getvalue()
    assert text.count("\n") == 1
    last = text.strip().rpartition("\r")[2]
    assert last.startswith("jobs: 3 finished, 1 failed")
    assert "4/4" in last


def test_a_short_wait_shows_nothing(client, backend, fake_time):
    jobs = many(client, backend, 2)
    out = io.StringIO()
    clock = dataclasses.replace(fake_time.clock, sleep=lambda seconds: fake_time.sleep(0.1))
    with redirect_stderr(out):
        bar_of(jobs, clock, "terminal")
    assert out.getvalue() == ""


def test_a_notebook_keeps_one_output_with_the_last_state(client, backend, fake_time, shell):
    from IPython.utils.capture import capture_output

    jobs = many(client, backend, 3)
    with capture_output() as captured:
        bar_of(jobs, fake_time.clock, "notebook")
    ids = {output.transient["display_id"] for output in captured.outputs}
    assert len(ids) == 1, "the first is replaced by the others"
    assert [output.update for output in captured.outputs] == [False] + [True] * (len(captured.outputs) - 1)
    last = captured.outputs[-1].data
    assert "jobs: 3 finished" in last["text/plain"]
    assert "3/3" in last["text/html"]
    assert captured.stderr == ""


def test_quiet_is_quiet(client, backend, fake_time):
    out = io.StringIO()
    with redirect_stderr(out), Progress(many(client, backend, 2), fake_time.clock, quiet=True, where=None) as progress:
        fake_time.now += 10
        progress.show()
    assert out.getvalue() == ""


def test_an_arrays_tasks_are_counted(client, backend):
    backend.add("1", state=JobState.RUNNING, array_request="1-10", tasks={"FINISHED": 3, "FAILED": 1, "RUNNING": 6})
    job = client.job(1).refresh()
    assert summary([job]) == (4, 10, "Job 1 'hello' on local: 6 running, 3 finished, 1 failed")


def test_why_a_job_waits_is_said_while_one_waits_for_it(client, backend):
    backend.add("1", explanation="It waits for job 7.")
    assert summary([client.job(1).refresh()])[2].endswith("waiting in the queue. It waits for job 7.")


def test_one_job_has_no_bar_but_its_state(client, backend, fake_time):
    backend.add("1", plan=list(PLAN))
    out = io.StringIO()
    with redirect_stderr(out):
        bar_of([client.job(1)], fake_time.clock, "terminal")
    assert "%" not in out.getvalue()
    assert "Job 1 'hello' on local: finished" in out.getvalue()


# --- with real time


def test_a_real_interrupt_ends_a_real_wait(backend):
    """As the kernel's ■ does it: SIGINT in the main thread while it waits."""
    import signal

    backend.add("1", state=JobState.RUNNING)
    job = Client(backend=backend).job(1)

    def interrupt():
        wait_for(lambda: backend.calls)
        signal.raise_signal(signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt, match="goes on"):
        job.wait(timeout=30)
    assert time.monotonic() - begin < 20
    assert backend.bodies("StopJobs") == []
