"""A job in the user's hands: states, waiting, output, failure."""

from __future__ import annotations

import asyncio

import pytest

from ehpc_jupyter import JobFailed
from ehpc_jupyter.errors import InternalError, JobNotFound, ServiceUnavailable
from ehpc_jupyter.models.job import JobState
from ehpc_jupyter.notebook.logs import PAGE_BYTES, Follower

NOW = 1_700_000_000


def looks(backend):
    return len(backend.bodies("GetJob"))


def test_a_new_job_goes_through_its_states(client, fake_time):
    job = client.submit(script="x", name="hello")
    assert (job.cluster_id, job.job_id, job.name) == ("local", "10", "hello")
    seen = []
    for _ in range(4):
        seen.append(job.state)
        fake_time.now += 1
    assert seen == [JobState.QUEUED, JobState.RUNNING, JobState.FINISHED, JobState.FINISHED]
    assert job.exit_code == 0


def test_state_asks_at_most_every_half_second(client, backend, fake_time):
    job = client.submit(script="x")
    for _ in range(100):
        _ = job.state
    assert looks(backend) == 1
    fake_time.now += 0.5
    _ = job.state
    assert looks(backend) == 2


def test_a_final_state_is_never_asked_again(client, backend, fake_time):
    backend.add("1", state=JobState.FAILED)
    job = client.job("1")
    assert job.state is JobState.FAILED
    fake_time.now += 1000
    assert job.state is JobState.FAILED
    job.wait()
    assert looks(backend) == 1


@pytest.mark.parametrize("state", [JobState.SUBMITTING, JobState.UNKNOWN])
def test_a_state_that_is_not_known_is_shown_as_that(client, backend, state):
    backend.add("1", state=state)
    job = client.job("1")
    assert job.state is state
    assert not job.state.is_final
    assert ("being submitted" if state is JobState.SUBMITTING else "not known") in str(job)


def test_wait_looks_often_first_and_seldom_later(client, backend, fake_time):
    backend.plan = [JobState.RUNNING] * 30 + [JobState.FINISHED]
    job = client.submit(script="x")
    assert job.wait() is job
    assert fake_time.slept[0] == pytest.approx(0.1)
    assert fake_time.slept == sorted(fake_time.slept)
    assert fake_time.slept[-1] == 2
    assert job.state is JobState.FINISHED


def test_wait_gives_up_in_time(client, backend, fake_time):
    backend.add("1", state=JobState.RUNNING)
    start = fake_time.now
    with pytest.raises(TimeoutError, match=r"Job 1 .* has not ended after 5 s; it goes on"):
        client.job("1").wait(timeout=5)
    assert fake_time.now - start == pytest.approx(5)


def test_an_interrupt_leaves_the_job_alone_and_says_so(client, backend, fake_time):
    job = client.submit(script="x")

    def interrupt(seconds):
        raise KeyboardInterrupt

    fake_time.on_sleep = interrupt
    with pytest.raises(KeyboardInterrupt, match=r"Job 10 .*goes on; \.stop\(\) ends it") as caught:
        job.wait()
    assert backend.bodies("StopJobs") == []
    assert caught.value._render_traceback_() == [str(caught.value)]


def test_wait_bears_a_server_that_restarts(client, backend):
    job = client.submit(script="x")
    backend.before["GetJob"] = [ServiceUnavailable("restarting")] * 5
    assert job.wait().state is JobState.FINISHED


def test_wait_does_not_bear_it_for_ever(client, backend, fake_time):
    job = client.submit(script="x")
    backend.before["GetJob"] = [ServiceUnavailable("gone")] * 500
    with pytest.raises(ServiceUnavailable):
        job.wait()
    assert sum(fake_time.slept) == pytest.approx(60, abs=3)


@pytest.mark.parametrize("error", [JobNotFound("no"), InternalError("bug")])
def test_wait_does_not_bear_what_waiting_cannot_cure(client, backend, fake_time, error):
    job = client.submit(script="x")
    backend.before["GetJob"] = [error]
    with pytest.raises(type(error)):
        job.wait()
    assert fake_time.slept == []


def test_a_job_can_be_awaited_beside_others(client, fake_time):
    async def both():
        first, second = client.submit(script="x"), client.submit(script="y")
        return [job.state for job in await asyncio.gather(first, second)]

    assert asyncio.run(both()) == [JobState.FINISHED, JobState.FINISHED]


def test_stop_is_seen_at_once(client, backend):
    job = client.submit(script="x")
    assert job.state is JobState.QUEUED
    assert job.stop().state is JobState.CANCELLED
    assert backend.bodies("StopJobs") == [{"ClusterId": "local", "JobIds": ["10"]}]


def test_a_job_without_an_id_gets_it_from_the_list(client, backend):
    fake = backend.add("7", state=JobState.SUBMITTING)
    fake.detail = fake.detail.model_copy(update={"job_id": None})
    (job,) = client.jobs()
    assert job.job_id is None
    with pytest.raises(ValueError, match="no id yet"):
        job.stdout()
    fake.detail = fake.detail.model_copy(update={"job_id": "7", "state": JobState.RUNNING})
    assert job.refresh().job_id == "7"
    assert job.state is JobState.RUNNING


def test_a_job_that_was_not_submitted_says_why(client, backend):
    fake = backend.add("7", state=JobState.NOT_SUBMITTED, reason="sbatch: no such partition")
    fake.detail = fake.detail.model_copy(update={"job_id": None})
    (job,) = client.jobs()
    with pytest.raises(JobFailed, match=r"was not submitted \(sbatch: no such partition\)"):
        job.check()
    with pytest.raises(JobFailed):
        job.stdout()


# --- output


def test_output_is_the_whole_text(client, backend):
    backend.add("1", stdout="héllo\n".encode(), stderr=None)
    job = client.job("1")
    assert (job.stdout(), job.stderr()) == ("héllo\n", "")


def test_output_is_fetched_in_pages_and_put_together(client, backend):
    text = "é" * PAGE_BYTES  # two bytes each, so that a character lies across a border of pages
    backend.add("1", stdout=b"x" + text.encode())
    assert client.job("1").stdout() == "x" + text
    assert [b["Offset"] for b in backend.bodies("GetJobLog")] == [0, PAGE_BYTES, 2 * PAGE_BYTES]
    assert max(b["Size"] for b in backend.bodies("GetJobLog")) == PAGE_BYTES


def test_of_a_large_output_the_end_is_kept_and_that_is_said(client, backend):
    backend.add("1", stdout=b"a" * 5000 + b"the end")
    text = client.job("1").stdout(limit_bytes=107)
    assert text.splitlines()[0] == "[4,900 bytes before this are left out; limit_bytes= fetches more]"
    assert text.endswith("a" * 100 + "the end")
    assert len(text.splitlines()[1]) == 107


def test_an_output_that_is_cut_while_it_is_read(client, backend):
    fake = backend.add("1", stdout=b"a" * (PAGE_BYTES + 10))
    answer = backend._GetJobLog

    def cut(body):
        made = answer(body)
        fake.stdout = b""
        return made

    backend._GetJobLog = cut
    assert client.job("1").stdout() == "a" * PAGE_BYTES


def test_bytes_that_are_no_text_are_replaced(client, backend):
    backend.add("1", stdout=b"a\xff\xfeb")
    assert client.job("1").stdout() == "a��b"


def test_a_tasks_output_is_asked_for_by_its_index(client, backend):
    backend.add("1", stdout=b"x")
    client.job("1").stdout(task=3)
    assert backend.bodies("GetJobLog")[0]["TaskId"] == 3


def test_tail_is_the_last_lines_and_little_is_fetched(client, backend):
    backend.add("1", stdout="".join(f"line {n}\n" for n in range(100_000)).encode())
    assert client.job("1").tail(2) == "line 99998\nline 99999"
    assert sum(b["Size"] for b in backend.bodies("GetJobLog")) <= 2 * 65_536
    assert client.job("1").tail(0) == ""


def test_a_follower_sees_each_byte_once(client, backend):
    fake = backend.add("1", stdout=b"h" + "é".encode()[:1])
    output = Follower(client.job("1").log("stdout"))
    assert output.new() == "h"
    fake.stdout = "hé!".encode()
    assert (output.new(), output.new()) == ("é!", "")


def test_paths_are_what_the_cluster_says(client, backend):
    backend.add("1", stdout_path="/h/o", stderr_path="/h/e", folder="/h")
    job = client.job("1")
    assert (job.stdout_path, job.stderr_path, job.folder) == ("/h/o", "/h/e", "/h")


# --- failure


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RUNNING, JobState.UNKNOWN, JobState.FINISHED])
def test_check_passes_what_has_not_failed(client, backend, state):
    backend.add("1", state=state)
    job = client.job("1")
    assert job.check() is job
    assert job.raise_for_state() is job


@pytest.mark.parametrize("state", [s for s in JobState if s.is_final and s is not JobState.FINISHED])
def test_check_raises_for_every_bad_end(client, backend, state):
    backend.add("1", state=state, exit_code=3, reason="NonZeroExitCode", stderr=b"first\nboom\n")
    with pytest.raises(JobFailed, match=r"Job 1 'hello' on local .*exit code 3.*NonZeroExitCode") as caught:
        client.job("1").check()
    assert (caught.value.exit_code, caught.value.detail.state) == (3, state)
    assert caught.value.stderr_tail == "first\nboom"
    assert str(caught.value).endswith("\nfirst\nboom")


def test_a_second_failure_does_not_hide_the_first(client, backend):
    backend.add("1", state=JobState.FAILED, exit_code=1)
    backend.before["GetJobLog"] = [ServiceUnavailable("no")]
    with pytest.raises(JobFailed) as caught:
        client.job("1").check()
    assert caught.value.stderr_tail == ""
