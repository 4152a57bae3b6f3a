"""A saved notebook says by itself which job made an output."""

from __future__ import annotations

import nbformat

from tests.conftest import wait_for


def test_the_saved_notebook_says_which_job_made_it(jupyterlab, desk):
    name = desk.notebook("origin.ipynb", "%load_ext ehpc_jupyter", "%%ehpc --wait --cluster local --name made\necho hi")
    jupyterlab.open_notebook(name)
    jupyterlab.run_all()
    jupyterlab.page.locator(".jp-OutputArea-output", has_text="hi").last.wait_for()

    def saved():
        jupyterlab.save()
        cell = nbformat.read(desk.folder / name, as_version=4).cells[1]
        return cell if "ehpc" in cell.metadata else None

    cell = wait_for(saved, what="the cell's metadata")
    told = cell.metadata["ehpc"]
    (kept,) = [output.metadata["ehpc"] for output in cell.outputs if "ehpc" in output.get("metadata", {})]
    assert told == kept
    assert told["ClusterId"] == "local"
    assert told["JobId"]
    assert told["Request"]["JobName"] == "made"
    assert len(told["ScriptSha256"]) == 64
    assert told["StdoutPath"].startswith(told["Folder"])
