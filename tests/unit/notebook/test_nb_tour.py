"""The tours in notebooks/ run from top to bottom, without a server around, on the embedded queue; and read well as stored."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys

import nbformat
import pytest

from ehpc_jupyter.models.job import JobDetail
from tools.notebooks import FOLDER, LIMIT_S, ROOT, environment, tours

JOB_MIME = "application/vnd.ehpc.job.v1+json"
NAMES = [path.name for path in tours()]


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """As ``jupyter execute`` leaves them."""
    home = tmp_path_factory.mktemp("home")
    for path in tours():
        shutil.copy(path, home)
    done = subprocess.run(
        [sys.executable, "-m", "jupyter", "execute", "--inplace", f"--timeout={LIMIT_S}", *NAMES],
        cwd=home,
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=290,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return {name: nbformat.read(home / name, as_version=4) for name in NAMES}


def stored(name):
    return nbformat.read(FOLDER / name, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def cell_with(notebook, text):
    return next(cell for cell in code_cells(notebook) if text in cell.source)


def printed(cell):
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def shown(cell):
    return [output.data["text/plain"] for output in cell.outputs if "data" in output]


def may_fail(cell):
    return "raises-exception" in cell.metadata.get("tags", ())


# --- as stored


def test_there_are_four():
    assert NAMES == ["arrays.ipynb", "first-job.ipynb", "forms-and-checks.ipynb", "watching.ipynb"]


@pytest.mark.parametrize("name", NAMES)
def test_a_stored_tour_was_executed_from_top_to_bottom(name):
    notebook = stored(name)
    nbformat.validate(notebook)
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        assert any(output.output_type == "error" for output in cell.outputs) is may_fail(cell), cell.source


@pytest.mark.parametrize("name", NAMES)
def test_a_stored_tour_reads_as_a_document(name):
    notebook = stored(name)
    assert notebook.cells[0].cell_type == "markdown"
    assert notebook.cells[0].source.startswith("# ")
    for before, cell in zip(notebook.cells, notebook.cells[1:], strict=False):
        assert not (before.cell_type == cell.cell_type == "code" and len(cell.source.splitlines()) > 6), cell.source
    links = re.findall(r"\]\(([^)]+)\)", "".join(c.source for c in notebook.cells if c.cell_type == "markdown"))
    assert all((FOLDER / link).exists() for link in links if "://" not in link)


@pytest.mark.parametrize("name", NAMES)
def test_a_stored_tour_tells_nothing_of_the_machine_that_made_it(name):
    text = (FOLDER / name).read_text()
    for word in (str(ROOT), sys.prefix, "/root/", "/tmp/", "widget-view"):
        assert word not in text
    assert not re.search(rf"\b{re.escape(socket.gethostname())}\b", text)
    assert '"name": "stderr"' not in text


@pytest.mark.parametrize("name", NAMES)
def test_a_stored_card_has_all_its_forms_and_says_which_job_made_it(name):
    cards = [
        output for cell in code_cells(stored(name)) for output in cell.outputs if JOB_MIME in output.get("data", {})
    ]
    assert cards
    for card in cards:
        detail = JobDetail.model_validate(card.data[JOB_MIME])
        kept = card.metadata["ehpc"]
        assert (kept["ClusterId"], kept["JobId"], kept["Folder"]) == ("local", detail.job_id, detail.folder)
        assert detail.job_name in card.data["text/html"]


# --- executed anew


@pytest.mark.parametrize("name", NAMES)
def test_a_tour_runs_from_top_to_bottom(executed, name):
    for cell in code_cells(executed[name]):
        assert any(output.output_type == "error" for output in cell.outputs) is may_fail(cell), cell.source
        assert not [o for o in cell.outputs if o.get("name") == "stderr"], "nothing of ours is written to stderr"


def test_the_form_submits_and_its_cell_keeps_the_jobs_card(executed):
    tour = executed["first-job.ipynb"]
    widget, card = cell_with(tour, "JobForm(").outputs
    assert "application/vnd.jupyter.widget-view+json" in widget.data
    # The notebook keeps what the card last said while a cell ran; the panel's renderer asks anew.
    assert card.data[JOB_MIME]["JobName"] == "greeting"
    assert card.data[JOB_MIME]["State"] in ("QUEUED", "RUNNING", "FINISHED")
    assert card.metadata["ehpc"]["JobId"] == card.data[JOB_MIME]["JobId"]
    assert printed(cell_with(tour, "form.submit()")).startswith("Hello from ")


def test_the_cell_shows_its_card_and_its_output(executed):
    cell = cell_with(executed["first-job.ipynb"], "--job hello")
    assert cell.outputs[0].data[JOB_MIME]["State"] == "FINISHED"
    assert printed(cell) == "".join(f"step {n}: hello, world\n" for n in (1, 2, 3))


def test_python_gets_the_result(executed):
    assert cell_with(executed["first-job.ipynb"], "6 * 7").outputs[-1].data["text/plain"] == "42"


def test_an_array_gives_its_results_and_names_what_failed(executed):
    tour = executed["arrays.ipynb"]
    assert shown(cell_with(tour, "results =")) == ["{1: 1, 2: 4, 3: 9, 5: 25, 6: 36}"]
    (error,) = cell_with(tour, "squares.check()").outputs
    assert error.ename == "JobFailed"
    assert "Task 4 failed with exit code 3" in error.evalue
    assert printed(cell_with(tour, "after=(")) == "75\n\n"
    assert printed(cell_with(tour, "second.wait()")) == "first\nsecond\n\n"


def test_checks_say_what_is_wrong_with_which_field(executed):
    (text,) = shown(cell_with(executed["forms-and-checks.ipynb"], "half an hour"))
    assert "JobSpec.WallTime" in text
    assert "JobSpec.ArrayRequest" in text
    assert printed(cell_with(executed["forms-and-checks.ipynb"], "--wait --template")) == "this is quick\n"


def test_a_failure_says_why_and_what_to_do(executed):
    tour = executed["watching.ipynb"]
    (error,) = [o for o in cell_with(tour, "no_such_program").outputs if o.output_type == "error"]
    assert (error.ename, "no_such_program" in error.evalue) == ("JobFailed", True)
    assert "why: It ended with exit code 127" in printed(cell_with(tour, "failed.explanation"))
    text = "".join(shown(cell_with(tour, "0:00:01")))
    assert "stopped at its time limit" in text


def test_jobs_came_as_they_ended(executed):
    names = re.findall(r"sleep (\S+) ended", printed(cell_with(executed["watching.ipynb"], "as_completed(jobs)")))
    assert sorted(names) == ["0.1", "0.4", "0.8"]
    dice = json.loads(shown(cell_with(executed["watching.ipynb"], "asyncio"))[-1])
    assert len(dice) == 5
