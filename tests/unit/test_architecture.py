"""The rooms and their doors: who may import whom. The imports are read, not run."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "ehpc_jupyter"

#: Room → rooms it may import from. ``errors``, ``tracebacks``, ``settings`` and the package itself are rooms of one file.
DOORS = {
    "tracebacks": set(),
    "errors": {"tracebacks"},
    "models": {"errors"},
    "schedulers": {"models", "errors"},
    # What a job may inherit of Jupyter's environment is one rule, and the embedded queue may import nothing of ours.
    "transport": {"models", "errors", "localq"},
    "clusters": {"schedulers", "transport", "models", "errors"},
    "localq": set(),
    "settings": {"models", "errors"},
    # Sets of array tasks that cost what their gaps cost are the embedded queue's.
    "jobs": {"clusters", "schedulers", "transport", "models", "errors", "settings", "localq"},
    "server": {"jobs", "clusters", "schedulers", "transport", "models", "errors", "settings"},
    "notebook": {"jobs", "models", "errors", "tracebacks", ""},
}
#: Libraries that do I/O or know a screen: only these rooms may use them.
LIBRARIES = {
    "fabric": {"transport/login.py", "transport/ssh.py"},
    "paramiko": {"transport/login.py", "transport/ssh.py"},
    "tornado": {"server"},
    "jupyter_server": {"server", "notebook"},
    "ipywidgets": {"notebook"},
    "IPython": {"notebook", "__init__.py"},
}
FILES = sorted(path for path in PACKAGE.rglob("*.py") if "labextension" not in path.parts)


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield node.module


def room(path):
    parts = path.relative_to(PACKAGE).parts
    return parts[0].removesuffix(".py") if parts[0] != "__init__.py" else ""


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_arrows_point_one_way(path):
    own = room(path)
    for name in imported(path):
        first, _, rest = name.partition(".")
        if first == "ehpc_jupyter" and own:
            other = rest.partition(".")[0]
            assert other == own or other in DOORS[own], f"{own} may not import {name}"
        if first in LIBRARIES:
            place = str(path.relative_to(PACKAGE))
            assert any(place == allowed or place.startswith(f"{allowed}/") for allowed in LIBRARIES[first]), (
                f"{place}: {name}"
            )


@pytest.mark.parametrize("path", [p for p in FILES if room(p) in ("schedulers", "models")], ids=lambda p: p.name)
def test_text_apart_from_io(path):
    banned = {"os", "subprocess", "socket", "time", "random", "threading", "asyncio", "sqlite3", "shutil"}
    assert not banned & {name.partition(".")[0] for name in imported(path)}


def test_every_room_is_known():
    assert {room(path) for path in FILES} - {""} == set(DOORS)
