"""The tour in notebooks/ runs from top to bottom, without a server around, on the embedded queue."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[3]
TOUR = ROOT / "notebooks" / "first-job.ipynb"
JOB_MIME = "application/vnd.ehpc.job.v1+json"


@pytest.fixture(scope="module")
def tour(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    notebook = nbformat.read(TOUR, as_version=4)
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "JPY_", "EHPC_"))}
    environ |= {
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "EHPC_LOCALQ_IDLE_S": "1",
    }
    client = NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(home)}})
    client.execute(env=environ)
    return notebook


def cell_with(notebook, text):
    return next(cell for cell in notebook.cells if cell.cell_type == "code" and text in cell.source)


def printed(cell):
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def test_no_outputs_are_stored():
    stored = nbformat.read(TOUR, as_version=4)
    nbformat.validate(stored)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in stored.cells)


def test_the_form_submits_and_its_cell_keeps_the_jobs_card(tour):
    widget, card = cell_with(tour, "JobForm(").outputs
    assert "application/vnd.jupyter.widget-view+json" in widget.data
    # The notebook keeps what the card last said while a cell ran; the panel's renderer asks anew.
    assert card.data[JOB_MIME]["JobName"] == "greeting"
    assert card.data[JOB_MIME]["State"] in ("QUEUED", "RUNNING", "FINISHED")
    assert printed(cell_with(tour, "form.submit()")).startswith("Hello from ")


def test_the_cell_shows_its_card_and_its_output(tour):
    cell = cell_with(tour, "--job hello")
    assert cell.outputs[0].data[JOB_MIME]["State"] == "FINISHED"
    assert printed(cell) == "".join(f"step {n}: hello, world\n" for n in (1, 2, 3))


def test_python_gets_the_result(tour):
    assert cell_with(tour, "6 * 7").outputs[0].data["text/plain"] == "42"
    assert printed(cell_with(tour, "array_request")) == "".join(f"{n} this is one of many\n" for n in (1, 2, 3))
