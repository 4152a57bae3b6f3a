"""Jobs that wait for other jobs."""

import contextlib

import pytest

from ehpc_jupyter.localq import Refused, dependencies
from ehpc_jupyter.localq.database import Database
from tests.conftest import wait_for

NEVER = "DependencyNeverSatisfied"


def reason(queue, job):
    (entry,) = queue.entries(job)
    return entry["state"], entry.get("reason")


@pytest.mark.parametrize(
    ("text", "runs", "never"),
    [("exit 0", ["ok", "any"], ["notok"]), ("exit 3", ["any", "notok"], ["ok"]), ("kill -9 $$", ["notok"], ["ok"])],
)
def test_each_condition_while_the_other_runs_and_after_it(queue, text, runs, never):
    first = queue.submit(f"{queue.gate()}; {text}")
    early = {condition: queue.submit("exit 0", f"--after={condition}:{first}") for condition in runs + never}
    assert {reason(queue, job) for job in early.values()} == {("QUEUED", "Dependency")}
    queue.open_gate()
    queue.wait(first)
    late = {condition: queue.submit("exit 0", f"--after={condition}:{first}") for condition in runs + never}
    for condition in runs:
        assert [queue.wait(jobs[condition])["state"] for jobs in (early, late)] == ["FINISHED"] * 2
    for condition in never:
        assert [reason(queue, jobs[condition]) for jobs in (early, late)] == [("QUEUED", NEVER)] * 2
        queue.ok("stop", early[condition], late[condition])
        assert queue.wait(early[condition])["state"] == "CANCELLED"
    assert reason(queue, late[never[0]])[0] == "CANCELLED"


def test_all_must_hold(queue):
    gates = [queue.gate("gate1"), queue.gate("gate2")]
    first, second = (queue.submit(f"{gate}; echo {number} >> order") for number, gate in enumerate(gates, 1))
    last = queue.submit("echo last >> order", f"--after=ok:{first},any:{second}")
    queue.open_gate("gate1")
    queue.wait(first, "FINISHED")
    assert reason(queue, last) == ("QUEUED", "Dependency")
    queue.open_gate("gate2")
    queue.wait(last, "FINISHED")
    assert queue.file("order").split() == ["1", "2", "last"]


def test_it_takes_nothing_and_holds_up_nobody(queue):
    first = queue.submit(f"{queue.gate()}; exit 0")
    queue.wait(first, "RUNNING")
    waits = queue.submit("true", "--cores=2", "--priority=9", f"--after=ok:{first}")
    queue.wait(queue.submit("true", "--priority=0"), "FINISHED")
    assert reason(queue, waits) == ("QUEUED", "Dependency")
    queue.open_gate()
    queue.wait(waits, "FINISHED")


def test_a_chain_runs_in_its_order_and_a_break_in_it_stays(queue):
    jobs = [queue.submit(f"{queue.gate()}; exit 0")]
    for number in range(5):
        jobs.append(queue.submit(f"echo {number} >> order; exit $(({number} == 3))", f"--after=ok:{jobs[-1]}"))
    queue.open_gate()
    queue.wait(jobs[4], "FAILED")
    assert queue.file("order").split() == ["0", "1", "2", "3"]
    assert reason(queue, jobs[5]) == ("QUEUED", NEVER)
    wait_for(lambda: not queue.processes("_shepherd"), what="the end of all that runs")


def test_a_job_that_never_ran_counts_as_not_well(queue):
    first = queue.submit("true", "--hold")
    ok, notok = (queue.submit("true", f"--after={condition}:{first}") for condition in ("ok", "notok"))
    assert queue.processes() == [], "what waits for a job that is held needs no manager"
    queue.ok("stop", first)
    queue.wait(notok, "FINISHED")
    assert reason(queue, ok) == ("QUEUED", NEVER)


def test_all_tasks_of_an_array_or_some(queue):
    text = f"[ $EHPC_ARRAY_TASK_ID != 2 ] || {queue.gate()}; exit $((EHPC_ARRAY_TASK_ID == 3))"
    array = queue.submit(text, "--array=1-3")
    queue.wait(array, "FAILED", task="3")
    wanted = {
        f"any:{array}": "Dependency",
        f"ok:{array}": NEVER,  # whatever becomes of task 2
        f"ok:{array}_2": "Dependency",
        f"notok:{array}": "Dependency",
        f"notok:{array}_1": NEVER,
        f"ok:{array}_[1-2]": "Dependency",
    }
    jobs = {text: queue.submit("true", f"--after={text}") for text in wanted}
    assert {text: reason(queue, job)[1] for text, job in jobs.items()} == wanted
    queue.wait(queue.submit("true", f"--after=ok:{array}_1,notok:{array}_3"), "FINISHED")
    queue.open_gate()
    for text, job in jobs.items():
        if wanted[text] == "Dependency":
            queue.wait(job, "FINISHED")
    assert reason(queue, jobs[f"ok:{array}"]) == ("QUEUED", NEVER)


def test_an_array_waits_and_its_tasks_are_held_and_released(queue):
    first = queue.submit(queue.gate())
    array = queue.submit("true", "--array=1-4", f"--after=any:{first}")
    queue.ok("hold", f"{array}_[2-3]")
    queue.ok("release", f"{array}_2")
    found = [(e["tasks"], e["state"], e["reason"]) for e in queue.entries(array)]
    assert found == [("1-2,4", "QUEUED", "Dependency"), ("3", "HELD", "JobHeldUser")]
    queue.open_gate()
    wait_for(lambda: queue.states(array) == {"1-2,4": "FINISHED", "3": "HELD"}, what="the end of three tasks")
    queue.ok("release", f"{array}_3")
    wait_for(lambda: queue.states(array) == {"1-4": "FINISHED"}, what="the end of the fourth")


@pytest.mark.parametrize(
    ("after", "words"),
    [
        ("ok:99", "it cannot wait for ok:99: there is no job 99"),
        ("any:{}_9", "it cannot wait for any:{}_9: job {}: there is no task 9; its tasks are 1-3"),
        ("ok:{}_[1", "it cannot wait for ok:{}_[1: job {}: '[1' is no task and no range of tasks of 1-3"),
        ("ok:x", "it cannot wait for ok:x: 'x' is no job id"),
        ("ok:{},99", "after '99': write condition:job, for instance ok:12; the conditions are ok, any, notok"),
        ("well:{}", "after 'well:{}': write condition:job, for instance ok:12; the conditions are ok, any, notok"),
        ("ok:", "after 'ok:': write condition:job, for instance ok:12; the conditions are ok, any, notok"),
    ],
)
@pytest.mark.parametrize("option", [[], ["--test-only"]])
def test_what_it_cannot_wait_for(queue, after, words, option):
    array = queue.submit("true", "--array=1-3", "--hold")
    refusal = queue.refused("submit", *option, f"--after={after.replace('{}', array)}", queue.script(""))
    assert refusal == f"localq: {words.replace('{}', array)}\n"
    assert len(queue.entries()) == 1


def test_an_end_long_ago_still_counts_until_it_is_forgotten(queue):
    first = queue.submit("exit 3")
    end = int(queue.wait(first)["end_time"])
    with contextlib.closing(Database(queue.home)) as database:
        database.execute("UPDATE jobs SET ended = ?", (end - 6 * 24 * 3600,))
    assert queue.entries() == []
    queue.wait(queue.submit("true", f"--after=notok:{first}"), "FINISHED")
    assert reason(queue, queue.submit("true", f"--after=ok:{first}")) == ("QUEUED", NEVER)


def test_what_nobody_decided_is_decided_by_the_next_question(queue):
    """A shepherd that runs since before an update notes ends as it always did."""
    jobs = [queue.submit("true", "--hold") for _ in range(2)]
    waits = [queue.submit("true", f"--after=any:{job}") for job in jobs]
    lost = queue.submit("true", f"--after=ok:{jobs[1]}")
    with contextlib.closing(Database(queue.home)) as database, database:
        database.execute("UPDATE sets SET state = 'FINISHED' WHERE job = ?", jobs[:1])
        database.execute("UPDATE jobs SET ended = submitted WHERE id = ?", jobs[:1])
        database.execute("DELETE FROM sets WHERE job = ?", jobs[1:])  # forgotten by a manager of before
        database.execute("DELETE FROM jobs WHERE id = ?", jobs[1:])
    queue.entries()
    for job in waits:
        queue.wait(job, "FINISHED")
    assert reason(queue, lost) == ("QUEUED", NEVER)


def test_a_job_that_waited_leaves_nothing_behind(queue):
    first = queue.submit("true", "--hold")
    waits = queue.submit("true", f"--after=ok:{first},any:{first}")
    queue.ok("stop", waits)
    with contextlib.closing(Database(queue.home)) as database:
        assert database.execute("SELECT * FROM needs").fetchall() == []


def test_thousands_that_wait_for_one(queue):
    """One end, one question of each kind to the database, however many wait."""
    first = queue.submit("true", "--hold")
    with contextlib.closing(Database(queue.home)) as database:
        with database:
            need = dependencies.Need("any", int(first), dependencies.Indices((0, 0)))
            for job in range(100, 2100):
                assert dependencies.add(database, job, [need])
                database.put(job, "BLOCKED", need.tasks)
        asked = []
        database.connection.set_trace_callback(asked.append)
        with database:
            dependencies.judge(database, int(first))
        assert len(asked) < 10
        database.connection.set_trace_callback(None)
        with database:
            database.execute("UPDATE sets SET state = 'FINISHED' WHERE job = ?", (first,))
            dependencies.judge(database, int(first))
        assert database.execute("SELECT count(*) FROM sets WHERE state = 'QUEUED'").fetchone()[0] == 2000


def test_conditions_are_read():
    assert dependencies.read("ok:12,any:13_4") == [("ok", "12"), ("any", "13_4")]
    for text in ("", "12", "ok:12,", ":12", "OK:12"):
        with pytest.raises(Refused, match="write condition:job"):
            dependencies.read(text)
