"""openapi.json is what it says: valid, complete, and kept by the server whatever is sent."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import requests
from openapi_spec_validator import OpenAPIV31SpecValidator

from ehpc_jupyter.errors import ERRORS
from ehpc_jupyter.jobs.actions_table import ACTIONS
from tests.api.conftest import start


def get(server, path):
    answer = requests.get(f"{server.url}ehpc/{path}", headers={"Authorization": f"token {server.token}"}, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer


def test_it_is_valid_and_whole(fake_server):
    document = get(fake_server, "openapi.json").json()
    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"] == "3.1.0"
    assert set(document["paths"]) == {f"/{name}" for name in ACTIONS}
    assert set(document["paths"]["/ListUsers"]) == {"post", "get"}
    body = document["paths"]["/CreateJob"]["post"]["requestBody"]["content"]["application/json"]
    assert body["example"]["JobSpec"]["CommandLine"] == "/home/xxx/test.job"
    named = {
        code
        for answer in document["components"]["responses"].values()
        for code in answer["content"]["application/json"]["examples"]
    }
    assert named == {error.code for error in ERRORS}
    assert "x-ehpc" not in str(document)


def test_the_page_needs_nothing_from_elsewhere(fake_server):
    answer = get(fake_server, "docs")
    assert answer.headers["Content-Type"].startswith("text/html")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sha256-" in policy
    assert "unsafe" not in policy
    page = answer.text
    assert not re.search(r"<script|<link|<img|src=|url\(|@import", page)
    for name in ACTIONS:
        assert f'id="{name}"' in page
    for error in ERRORS:
        assert f"<code>{error.code}</code>" in page


#: What a valid request may be refused for is judged by a check of our own, in place of a list of statuses.
SETTINGS = """
hooks = "tests.api.refusals"
[checks.positive_data_acceptance]
enabled = false
"""


def test_schemathesis_finds_nothing(tmp_path):
    """Over clusters in memory: what it makes up is submitted, and nothing runs."""
    server = start(
        tmp_path,
        {"fake": {"scheduler": "slurm"}},
        server={"jpserver_extensions": {"ehpc_jupyter": False, "tests.api.fake": True}, "log_level": "INFO"},
    )
    settings = tmp_path / "schemathesis.toml"
    settings.write_text(SETTINGS)
    argv = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(settings)]
    argv += ["run", f"{server.url}ehpc/openapi.json", "--header", f"Authorization: token {server.token}"]
    # A fixed seed: a run that finds nothing today finds nothing tomorrow. ignored_auth is a test of its own elsewhere.
    argv += ["--max-examples", "15", "--seed", "1", "--continue-on-failure", "--no-color"]
    path = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=240, check=False, cwd=tmp_path, env=path)
    finally:
        server.stop()
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    log = server.log.read_text()
    assert "Traceback" not in log
    for action in ACTIONS:
        # It makes up no ids of jobs that are in the state for it, nor of an array.
        taken = "job_ids" in ACTIONS[action].request.model_fields or action == "ListTasks"
        assert f" {action} 200 " in log or taken, f"{action} never succeeded"
