"""Removing folders: only what submission made, only where it makes them."""

from __future__ import annotations

import subprocess

import pytest

from ehpc_jupyter.clusters.places import parse_removal, removal_program
from ehpc_jupyter.clusters.submission import HEAD, SHELL


def remove(folders, base):
    program = HEAD + removal_program([str(folder) for folder in folders], str(base))
    done = subprocess.run(SHELL, input=program, capture_output=True, text=True, timeout=20, check=True)
    assert done.stderr == ""
    return parse_removal(done.stdout)


@pytest.fixture
def base(tmp_path):
    made = tmp_path / 'it\'s $(touch x) "jobs"'
    made.mkdir()
    return made


def job(base, name="2024-01-01-a b'c-$(id)", mark="receipt"):
    folder = base / name
    folder.mkdir(parents=True)
    (folder / mark).touch()
    return folder


@pytest.mark.parametrize("mark", ["receipt", "void", "request.json"])
def test_a_jobs_folder_goes(base, mark):
    folder, other = job(base, mark=mark), job(base, "other")
    assert remove([folder], base) == {}
    assert (folder.exists(), other.exists()) == (False, True)


def test_what_is_gone_already_is_gone(base):
    assert remove([base / "nosuch"], base) == {}


def test_what_does_not_lie_there_or_is_not_ours_stays(base, tmp_path):
    elsewhere = job(tmp_path / "elsewhere", "j")
    deeper = job(base, "a/b")
    unmarked = job(base, "unmarked", "stdout")
    link = base / "link"
    link.symlink_to(elsewhere)
    asked = [elsewhere, deeper, unmarked, link, base, f"{base}/", f"{base}/..", f"{base}/.", f"{base}/link/", "/", ""]
    left = remove(asked, base)
    assert list(left) == [str(folder) for folder in asked]
    assert all(left.values())
    for folder in (elsewhere, deeper, unmarked, link, base):
        assert folder.exists()


def test_links_in_a_folder_are_not_followed(base, tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").touch()
    folder = job(base)
    (folder / "link").symlink_to(kept)
    assert remove([folder], base) == {}
    assert (kept / "file").exists()


def test_a_program_that_did_not_end_says_nothing(base):
    assert parse_removal("") is None
    assert parse_removal("motd\x1e/f\x1fno\n") is None
    assert parse_removal("motd\n\x1edone\n") == {}
