"""A cluster in memory, which goes in by configuration; a test says what it answers and reads what it was asked."""

from __future__ import annotations

import threading
from typing import Any

from ehpc_jupyter.clusters.base import Cluster, Fate, Prepared, Preview, Verdict
from ehpc_jupyter.models.job import JobState
from ehpc_jupyter.schedulers.base import JobReport, TrialAnswer


class FakeCluster(Cluster):
    """Jobs are ``RUNNING`` until a test puts another state into ``states``."""

    scheduler_type = "FAKE"

    def __init__(self, profile: Any) -> None:
        self.profile = profile
        self.submitted: list[Prepared] = []
        self.states: dict[str, str] = {}
        self.asked = 0
        self.fail_submit: list[Exception] = []
        self.fail_status: Exception | None = None
        self.fate_is = Fate(JobState.SUBMITTING)
        self.gate = threading.Event()
        self.gate.set()

    def login(self, user, password):
        return user or "me"

    def prepare(self, request, request_id, day, user):
        folder = f"/home/me/{request_id}"
        return Prepared(request, request_id, "n", user, folder, f"{folder}/stdout", f"{folder}/stderr")

    def submit(self, job):
        self.submitted.append(job)
        if self.fail_submit:
            raise self.fail_submit.pop(0)
        return str(len(self.submitted))

    def fate(self, request_id, folder, user, *, age_s):
        return self.fate_is

    def status(self, users):
        self.asked += 1
        self.gate.wait(10)
        if self.fail_status:
            raise self.fail_status
        return [
            JobReport(str(number), JobState(self.states.get(str(number), "RUNNING")), "X", token=job.request_id)
            for number, job in enumerate(self.submitted, 1)
        ]

    def history(self, job_ids):
        return []

    def records(self, folders, user, tasks):
        return {}

    def prepare_in(self, request, request_id, folder, user):
        return Prepared(request, request_id, "n", user, folder, f"{folder}/stdout", f"{folder}/stderr")

    def found_jobs(self):
        return []

    def recheck(self, job):
        return ()

    def preview(self, job):
        return Preview("#!/bin/sh\n", "submit")

    def test(self, job):
        return Verdict(answer=TrialAnswer(valid=True))

    def stop(self, job_ids, user):
        pass

    def hold(self, job_ids, user):
        pass

    def release(self, job_ids, user):
        pass

    def parent_id(self, job_id):
        return job_id.partition("_")[0]

    def task_of(self, job_id):
        return None

    def queues(self):
        return []

    def nodes(self):
        return []

    def version(self):
        return "1"

    def remove_folders(self, folders, user):
        return {}

    def read(self, path, user, offset, size):
        return b"", 0

    def list(self, path, user):
        return []

    def close(self):
        self.gate.set()
