"""The code in docs/api.md runs as it stands, with this server's address and token in it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from ehpc_jupyter.errors import ERRORS
from ehpc_jupyter.jobs.actions_table import ACTIONS
from ehpc_jupyter.server.options import ServerOptions

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
BLOCKS = re.findall(r"<!-- test: (\w+) -->\n```\w+\n(.*?)```", PAGE, re.DOTALL)


def run(server, kind):
    outputs = []
    for text in [text for name, text in BLOCKS if name == kind]:
        code = text.replace("127.0.0.1:8888", urlsplit(server.url).netloc).replace('"TOKEN"', repr(server.token))
        argv = ["bash", "-euo", "pipefail", "-c", code] if kind == "curl" else [sys.executable, "-c", code]
        environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "JUPYTER_TOKEN": server.token}
        environment["HOME"] = str(server.home)
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, env=environment, check=False)
        assert done.returncode == 0, done.stderr
        outputs.append(done.stdout)
    assert outputs, kind
    return outputs


def test_below_a_path(server):
    (output,) = run(server, "path")
    assert re.fullmatch(r"hello [A-Z]+\n", output)


def test_at_the_root(server):
    (output,) = run(server, "root")
    assert output.startswith("local ")


def test_asynchronous(server):
    (output,) = run(server, "async")
    assert output == "LOCAL ['default']\n"


def test_curl(server):
    created, _ = run(server, "curl")
    assert json.loads(created)["Success"] == "true"
    again, _ = run(server, "curl")
    assert json.loads(again)["JobId"] == json.loads(created)["JobId"]


def test_the_page_names_everything():
    for action in ACTIONS:
        assert action in PAGE
    for error in ERRORS:
        assert error.code.removeprefix("AgentError.Job") in PAGE, error.code
    for name in ServerOptions.class_trait_names(config=True):
        assert name == "threads" or f"c.EhpcExtension.{name}" in PAGE, name
