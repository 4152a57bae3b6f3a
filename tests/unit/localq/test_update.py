"""A queue that an earlier version of the program made, in use while the program is updated."""

import contextlib
import os
import sqlite3
import time

from ehpc_jupyter.localq.database import Database
from tests.conftest import wait_for

#: As version 1 made it.
BEFORE = """
PRAGMA journal_mode = WAL;
CREATE TABLE jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT NOT NULL, name TEXT NOT NULL, user TEXT NOT NULL,
  script TEXT NOT NULL, work_dir TEXT NOT NULL, stdout TEXT NOT NULL, stderr TEXT NOT NULL,
  umask INTEGER NOT NULL, environment BLOB,
  priority INTEGER NOT NULL, cores INTEGER NOT NULL, memory_mb INTEGER NOT NULL, gpus INTEGER NOT NULL,
  wall_time_s INTEGER, first INTEGER, last INTEGER, step INTEGER,
  submitted INTEGER NOT NULL, started INTEGER, ended INTEGER, misstarts INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX jobs_ended ON jobs (ended);
CREATE TABLE sets (
  job INTEGER NOT NULL, state TEXT NOT NULL, members TEXT NOT NULL, started INTEGER, ended INTEGER,
  PRIMARY KEY (job, state)
) WITHOUT ROWID;
CREATE INDEX sets_state ON sets (state);
CREATE TABLE tasks (
  job INTEGER NOT NULL, task INTEGER NOT NULL, state TEXT NOT NULL, stop INTEGER NOT NULL DEFAULT 0,
  gpus TEXT NOT NULL DEFAULT '', leader INTEGER, leader_start TEXT, boot TEXT,
  started INTEGER, ended INTEGER, exit_code INTEGER, signal INTEGER, reason TEXT,
  PRIMARY KEY (job, task)
) WITHOUT ROWID;
CREATE INDEX tasks_state ON tasks (state);
PRAGMA user_version = 1;
"""
_JOB = (
    "INSERT INTO jobs (id, token, name, user, script, work_dir, stdout, stderr, umask, environment, priority, cores,"
    " memory_mb, gpus, first, last, step, submitted) VALUES (?, 't', 'n', 'me', ?, ?, ?, ?, 18, x'', 5, 1, 0, 0, ?, ?, ?, ?)"
)


def old_queue(queue, *jobs):
    """Make the file with jobs: id, script, range, and what stands of them in the other tables."""
    queue.home.mkdir(mode=0o700)
    path = queue.home / "queue.sqlite3"
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as old:
        old.executescript(BEFORE)
        for number, text, span, rows in jobs:
            out = str(queue.work / f"{number}.out")
            script = queue.script(f"#!/bin/sh\n{text}\n")
            old.execute(_JOB, (number, script, str(queue.work), out, out, *span, int(time.time())))
            for query in rows:
                old.execute(query)
    return path


def test_nothing_is_lost(queue):
    ended = int(time.time()) - 60
    old_queue(
        queue,
        (1, "exit 5", (None,) * 3, ["INSERT INTO sets (job, state, members) VALUES (1, 'QUEUED', '0')"]),
        (2, "true", (1, 9, 2), ["INSERT INTO sets (job, state, members) VALUES (2, 'HELD', '0-4')"]),
        (
            3,
            "true",
            (None,) * 3,
            [
                f"INSERT INTO tasks (job, task, state, ended, exit_code) VALUES (3, 0, 'FAILED', {ended}, 4)",
                f"UPDATE jobs SET ended = {ended} WHERE id = 3",
            ],
        ),
    )
    after = queue.submit("true", "--after=notok:1,notok:3")
    assert after == "4"
    assert queue.wait("1")["exit_code"] == "5"
    queue.wait(after, "FINISHED")
    assert queue.states("2") == {"1-9:2": "HELD"}
    assert queue.entries("3")[0]["exit_code"] == "4"
    queue.ok("release", "2")
    queue.wait("2", "FINISHED", task="1-9:2")


def test_what_runs_since_before_goes_on(queue):
    """A shepherd comes back to the file when its task ends, whatever became of the file meanwhile."""
    path = old_queue(
        queue,
        (
            1,
            "true",
            (None,) * 3,
            ["INSERT INTO tasks (job, task, state, started) VALUES (1, 0, 'RUNNING', 1)"],
        ),
    )
    with contextlib.closing(Database(queue.home)):
        pass
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as old:
        assert old.execute("PRAGMA user_version").fetchone()[0] == 1, "or it would be refused"
        old.execute("BEGIN IMMEDIATE")
        old.execute(
            "UPDATE tasks SET state = ?, exit_code = ?, signal = ?, reason = ?, ended = ? WHERE job = ? AND task = ?",
            ("FINISHED", 0, None, None, 2, 1, 0),
        )
        old.execute("UPDATE jobs SET ended = ? WHERE id = ?", (int(time.time()), 1))
        old.execute("INSERT INTO sets (job, state, members) VALUES (2, 'CANCELLED', '0')")
        old.execute("COMMIT")
    assert queue.entries("1")[0]["state"] == "FINISHED"


def test_twenty_at_once_update_it_once(queue):
    old_queue(queue, (1, "true", (None,) * 3, ["INSERT INTO sets (job, state, members) VALUES (1, 'HELD', '0')"]))
    questions = [queue.start(verb, "--parsable") for verb in ("status", "queues") for _ in range(10)]
    assert {question.communicate(timeout=60)[1] for question in questions} == {""}
    queue.ok("release", "1")
    queue.wait("1", "FINISHED")


def test_another_version_is_refused_in_words(queue):
    path = old_queue(queue)
    with contextlib.closing(sqlite3.connect(path)) as old:
        old.execute("PRAGMA user_version = 9")
    words = f"localq: {path} was written by another version of this program (9, not 1)\n"
    assert queue.refused("submit", queue.script("")) == words
    assert queue.run("submit", "--test-only").stderr == words
    wait_for(lambda: not queue.processes(), what="the end of the queue's processes")
