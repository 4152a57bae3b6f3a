"""The wheel: built from the tree, it installs where there is no node, and both extensions are enabled by it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    # The bundle was built before the tests run; nothing may need node from here on.
    assert (ROOT / "ehpc_jupyter" / "labextension" / "package.json").exists()
    environment = os.environ | {"PATH": "/nowhere"}
    argv = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


def test_it_holds_the_bundle_once_and_nothing_else_of_the_tree(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert sum("remoteEntry" in name for name in names) == 1
    assert not [
        name for name in names if name.startswith(("tests/", "labextension/", "tools/")) or "node_modules" in name
    ]
    assert "ehpc_jupyter/py.typed" in names


def test_installed_without_node_it_enables_both_halves(wheel, tmp_path):
    argv = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--ignore-installed",  # else pip takes the one that the tests run in away
        f"--prefix={tmp_path}",
        str(wheel),
    ]
    subprocess.run(argv, env=os.environ | {"PATH": "/nowhere"}, check=True, timeout=120)
    config = json.loads((tmp_path / "etc/jupyter/jupyter_server_config.d/ehpc_jupyter.json").read_text())
    assert config["ServerApp"]["jpserver_extensions"] == {"ehpc_jupyter": True}
    package = json.loads((tmp_path / "share/jupyter/labextensions/ehpc-jupyter/package.json").read_text())
    assert package["name"] == "ehpc-jupyter"
    assert (tmp_path / "share/jupyter/labextensions/ehpc-jupyter" / package["jupyterlab"]["_build"]["load"]).exists()
