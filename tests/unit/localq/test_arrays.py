"""Arrays: their tasks one by one, and what they cost together."""

from ehpc_jupyter.localq import progress
from ehpc_jupyter.localq.database import Database


def test_an_array(queue):
    text = "echo $EHPC_JOB_ID $EHPC_ARRAY_TASK_ID; exit $((EHPC_ARRAY_TASK_ID == 3))"
    job = queue.submit(text, "--array=1-5:2", "--output=%A-%a.out")
    entries = queue.wait_all(job)
    found = [(e["tasks"], e["count"], e["state"], e["exit_code"]) for e in entries]
    assert found == [("1", "1", "FINISHED", "0"), ("3", "1", "FAILED", "1"), ("5", "1", "FINISHED", "0")] or found == [
        ("1,5", "2", "FINISHED", "0"),
        ("3", "1", "FAILED", "1"),
    ]
    assert [queue.file(f"{job}-{task}.out") for task in (1, 3, 5)] == [f"{job} {task}\n" for task in (1, 3, 5)]


def test_stop_one_task_and_let_the_others_run(queue):
    queue.environ["EHPC_LOCALQ_CORES"] = "3"
    job = queue.submit("exec sleep 60", "--array=1-5")
    for task in ("1", "2", "3"):
        queue.wait(job, "RUNNING", task=task)
    queue.ok("stop", f"{job}_2", f"{job}_5")
    queue.wait(job, "RUNNING", task="4")
    assert queue.states(job) == {"1": "RUNNING", "2": "CANCELLED", "3": "RUNNING", "4": "RUNNING", "5": "CANCELLED"}
    queue.ok("stop", job)
    assert {entry["state"] for entry in queue.wait_all(job)} == {"CANCELLED"}


def test_hold_and_release(queue):
    first = queue.submit(queue.gate(), "--cores=2")
    queue.wait(first, "RUNNING")
    job = queue.submit("echo $EHPC_ARRAY_TASK_ID >> order", "--array=1-3")
    queue.ok("hold", job)
    assert [(e["tasks"], e["state"], e["reason"]) for e in queue.entries(job)] == [("1-3", "HELD", "JobHeldUser")]
    queue.ok("release", f"{job}_2")
    queue.open_gate()
    queue.wait(job, "FINISHED", task="2")
    assert queue.states(job) == {"1,3": "HELD", "2": "FINISHED"}
    assert queue.refused("hold", first) == f"localq: job {first} has ended; only what waits can be held\n"
    queue.ok("release", job)
    queue.wait_all(job)
    assert queue.file("order").split() == ["2", "1", "3"] or sorted(queue.file("order").split()) == ["1", "2", "3"]


def test_a_huge_array_costs_nothing_until_it_runs(queue):
    job = queue.submit("exec sleep 60", "--array=1-1000000")
    queue.wait(job, "RUNNING", task="2")
    assert queue.states(job) == {"1": "RUNNING", "2": "RUNNING", "3-1000000": "QUEUED"}
    queue.ok("stop", job)
    assert queue.wait(job, task="3-1000000")["count"] == "999998"
    queue.wait_all(job)
    assert sum(path.stat().st_size for path in queue.home.iterdir()) < 1_000_000
    assert "1000001 tasks; at most 1000000" in queue.refused("submit", "--array=0-1000000", queue.script(""))


def test_only_so_many_failures_are_kept_one_by_one(queue, monkeypatch):
    job = int(queue.submit("true", "--hold", "--array=1-9"))
    monkeypatch.setattr(progress, "KEPT_TASKS", 2)
    database = Database(queue.home)
    for index in range(9):
        database.execute(
            "INSERT INTO tasks (job, task, state, started) VALUES (?, ?, 'RUNNING', ?)", (job, index, 100 + index)
        )
        database.put(job, "HELD", database.members(job, "HELD") - progress.one(index))
        ending = progress.Ending("FAILED", exit_code=9) if index % 2 else progress.Ending("FINISHED", exit_code=0)
        progress.finish(database, job, index, ending, 200 + index)
    database.close()
    found = [
        (e["tasks"], e["state"], e.get("exit_code"), e["start_time"], e["end_time"]) for e in queue.entries(str(job))
    ]
    assert found == [
        ("1,3,5,7,9", "FINISHED", "0", "100", "208"),
        ("2", "FAILED", "9", "101", "201"),
        ("4", "FAILED", "9", "103", "203"),
        ("6,8", "FAILED", None, "105", "207"),
    ]
