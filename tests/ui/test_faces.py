"""Form, magic and panel, each in a real browser to a finished job on the real Slurm, its output read off the screen."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

from playwright.sync_api import expect

from tests.conftest import wait_for

TOUR = Path(__file__).parents[2] / "notebooks" / "first-job.ipynb"
JOB = "application/vnd.ehpc.job.v1+json"


def card_of(jupyterlab, name):
    return jupyterlab.page.locator(".jp-ehpc-Card").filter(has_text=name)


def assert_nothing_sticks_out(box):
    """Nothing but what scrolls by itself is wider than the box."""
    wider = box.evaluate(
        """box => [...box.querySelectorAll('*')].filter(one => one.getBoundingClientRect().right
            > box.getBoundingClientRect().right + 1 && !one.closest('pre, .jp-ehpc-Hidden')).map(one => one.className)"""
    )
    assert not wider


def contrast(text):
    """WCAG's contrast of an element's text with what is behind it."""
    return text.evaluate(
        """element => {
            const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
            const read = (...colours) => {
                canvas.clearRect(0, 0, 1, 1);
                for (const colour of colours) {
                    canvas.fillStyle = colour;
                    canvas.fillRect(0, 0, 1, 1);
                }
                return canvas.getImageData(0, 0, 1, 1).data;
            };
            const light = (...colours) => [...read(...colours)].slice(0, 3).map(part => part / 255)
                .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
                .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
            let behind = element;
            while (read(getComputedStyle(behind).backgroundColor)[3] === 0) {
                behind = behind.parentElement;
            }
            const ground = getComputedStyle(behind).backgroundColor;
            const pair = [light(ground), light(ground, getComputedStyle(element).color)];
            return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
        }"""
    )


def test_form_in_a_notebook(jupyterlab, desk):
    desk.notebook("form.ipynb", "from ehpc_jupyter import JobForm\nform = JobForm(cluster='slurm')\nform")
    jupyterlab.open_notebook("form.ipynb")
    jupyterlab.run_all()
    page = jupyterlab.page.locator(".jp-OutputArea").first
    script = page.get_by_role("textbox", name="Script")
    script.fill("echo from the form on $SLURM_CLUSTER_NAME; sleep 1")
    page.get_by_label("Job name").fill("by form")
    wall = page.get_by_label("Wall time")
    wall.fill("soon")
    wall.press("Tab")
    expect(page.get_by_text("is no wall time")).to_be_visible()
    jupyterlab.shot("problem")
    wall.fill("0:10:00")
    wall.press("Tab")
    expect(page.get_by_text("is no wall time")).to_be_hidden()
    queue = page.get_by_label("Queue")
    expect(queue.locator("option", has_text="debug")).to_be_attached()
    page.get_by_role("button", name="Submit").click()
    card = card_of(jupyterlab, "by form")
    card.wait_for()
    expect(card.get_by_text("Finished")).to_be_visible()
    expect(card.get_by_text("from the form on lab")).to_be_visible()
    expect(card).to_contain_text("exit code 0")
    # The card shows the output, so the form does not; and the keyboard stays where it was.
    expect(page.get_by_text("from the form on lab").filter(visible=True)).to_have_count(1)
    expect(page.locator(".ehpc-form")).to_contain_text("finished")
    expect(page.get_by_role("button", name="Submit")).to_be_focused()
    expect(card.get_by_text("Finished")).to_be_in_viewport()


def test_magic_and_a_card_that_outlives_kernel_and_page(jupyterlab, desk):
    desk.notebook(
        "magic.ipynb",
        "%load_ext ehpc_jupyter",
        "%%ehpc --cluster slurm --name by-magic --job hello\necho from the magic; sleep 2; echo done",
    )
    jupyterlab.open_notebook("magic.ipynb")
    jupyterlab.run_all()
    card = card_of(jupyterlab, "by-magic")
    expect(card.get_by_text("Finished")).to_be_visible()
    expect(card).to_contain_text("from the magic")
    expect(card).to_contain_text("done")
    jupyterlab.save()
    wait_for(lambda: "vnd.ehpc.job" in (desk.folder / "magic.ipynb").read_text(), what="the saved notebook")
    jupyterlab.shot("first")
    # Another day: no kernel, a new page.
    jupyterlab.open_notebook("magic.ipynb")
    card = card_of(jupyterlab, "by-magic")
    expect(card.get_by_text("Finished")).to_be_visible()
    expect(card).to_contain_text("from the magic")
    card.get_by_role("button", name="Output").click()
    editor = jupyterlab.page.locator(".jp-FileEditor")
    expect(editor).to_contain_text("from the magic")


def test_magic_waits_and_streams(jupyterlab, desk):
    desk.notebook(
        "wait.ipynb",
        "%load_ext ehpc_jupyter",
        "%%ehpc --cluster slurm --name waited --wait --job hello\nfor i in 1 2 3; do echo step $i; sleep 0.5; done",
        "print('bound', hello.state, hello.exit_code, repr(hello.stdout()))",
    )
    jupyterlab.open_notebook("wait.ipynb")
    jupyterlab.run_all()
    page = jupyterlab.page
    expect(page.get_by_text("bound FINISHED 0 'step 1\\nstep 2\\nstep 3\\n'")).to_be_visible()
    # The cell prints the output, so its card does not.
    expect(card_of(jupyterlab, "waited").locator("pre")).to_have_count(0)


def test_a_first_line_alone_and_mistakes_are_answered_in_words(jupyterlab, desk):
    desk.notebook("mistakes.ipynb", "%load_ext ehpc_jupyter", "%%ehpc --help", "%%ehpc --wall-tim 0:05:00\ntrue")
    jupyterlab.open_notebook("mistakes.ipynb")
    jupyterlab.run_all()
    page = jupyterlab.page
    expect(page.get_by_text("usage: %%ehpc [flags]")).to_be_visible()
    expect(page.get_by_text("there is no flag --wall-tim; did you mean --wall-time?")).to_be_attached()


def test_the_tour_runs_to_its_end(jupyterlab, desk):
    shutil.copy(TOUR, desk.folder)
    jupyterlab.open_notebook(TOUR.name)
    jupyterlab.run_all()
    page = jupyterlab.page
    # A notebook takes what is far away out of the page: look at the end.
    page.locator(".jp-Notebook .jp-Cell").first.click()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+End")
    expect(page.get_by_text("Queues of local; the default is marked *")).to_be_visible()
    jupyterlab.shot("queues")
    jupyterlab.save()

    def outputs():
        cells = json.loads((desk.folder / TOUR.name).read_text())["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        return [cell["outputs"] for cell in code] if code[-1]["outputs"] else None

    found = wait_for(outputs, what="the saved notebook")
    assert not [output for cell in found for output in cell if output["output_type"] == "error"]
    jobs = [output["data"][JOB] for cell in found for output in cell if JOB in output.get("data", {})]
    assert {job["State"] for job in jobs} == {"FINISHED"}


def test_narrow_and_dark(jupyterlab, desk):
    name = "a name that is far too long for a narrow panel " * 3
    failing = {"Script": "echo fine so far; echo 'cannot open <mesh>' >&2; exit 3"}
    desk.server.call("CreateJob", ClusterId="slurm", JobName=name.strip(), JobSpec=failing)
    desk.notebook(
        "dark.ipynb", "%load_ext ehpc_jupyter", "%%ehpc --cluster slurm --name dark\necho in the dark; exit 2"
    )
    page = jupyterlab.page
    desk.theme("JupyterLab Dark")
    try:
        jupyterlab.open_notebook("dark.ipynb")
    finally:
        desk.theme("JupyterLab Light")
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    panel = jupyterlab.open_panel()
    panel.get_by_label("Cluster", exact=True).select_option("slurm")
    jupyterlab.make_panel_wide(250)
    jupyterlab.run_all()
    page.set_viewport_size({"width": 700, "height": 900})
    card = card_of(jupyterlab, "dark")
    expect(card.get_by_text("Failed")).to_be_visible()
    expect(card).to_contain_text("in the dark")
    row = panel.locator(".jp-ehpc-Row").filter(has_text="far too long")
    expect(row.locator(".jp-ehpc-RowHead")).to_contain_text("exit code 3")
    row.locator(".jp-ehpc-RowHead").click()
    # What went wrong is in sight at once, and as text.
    expect(row.get_by_text("cannot open <mesh>")).to_be_in_viewport()
    jupyterlab.shot("jobs")
    assert_nothing_sticks_out(panel)
    for text in (
        row.locator(".jp-ehpc-StateWord"),
        row.locator("time"),
        row.locator("dt"),
        card.locator("header span"),
    ):
        assert contrast(text.first) >= 4.5
    panel.get_by_role("tab", name="New job").click()
    panel.get_by_role("textbox", name="Script").fill("true")
    expect(panel.get_by_label("Queue").locator("option", has_text="debug")).to_be_attached()
    jupyterlab.shot("form")
    assert_nothing_sticks_out(panel)
    assert contrast(panel.locator(".jp-ehpc-Help").first) >= 4.5


def test_panel(jupyterlab, desk):
    jupyterlab.open()
    panel = jupyterlab.open_panel()
    panel.get_by_label("Cluster", exact=True).select_option("slurm")
    panel.get_by_role("tab", name="New job").click()
    panel.get_by_label("Job name").fill("by panel")
    panel.get_by_role("textbox", name="Script").fill("echo from the panel as $(id -un)")
    panel.get_by_label("Wall time").fill("never")
    panel.get_by_role("button", name="Submit").click()
    expect(panel.get_by_text("is no wall time")).to_be_visible()
    expect(panel.get_by_label("Wall time")).to_have_attribute("aria-invalid", "true")
    jupyterlab.shot("problem")
    panel.get_by_label("Wall time").fill("0:10:00")
    panel.get_by_role("button", name="Submit").click()
    row = panel.locator(".jp-ehpc-Row").filter(has_text="by panel")
    expect(row).to_contain_text("Finished")
    if row.get_attribute("data-open") is None:
        row.locator(".jp-ehpc-RowHead").click()
    expect(row).to_contain_text("from the panel as ehpcuser")


def test_stop_from_the_panel(jupyterlab, desk):
    job = desk.server.call("CreateJob", ClusterId="slurm", JobName="to be stopped", JobSpec={"Script": "sleep 300"})[
        "JobId"
    ]
    jupyterlab.open()
    page = jupyterlab.page
    panel = jupyterlab.open_panel()
    panel.get_by_label("Cluster", exact=True).select_option("slurm")
    row = panel.locator(".jp-ehpc-Row").filter(has_text="to be stopped")
    expect(row).to_contain_text("Running")
    row.locator(".jp-ehpc-RowHead").click()
    row.get_by_role("button", name="Stop", exact=True).click()
    page.locator(".jp-Dialog").get_by_role("button", name="Stop").click()
    expect(row).to_contain_text("Cancelled")
    assert job in row.inner_text()


def test_a_killed_server_shows_the_same_job_when_it_is_back(jupyterlab, desk):
    flag = f"go-{time.time_ns()}"
    script = f"echo before the end; while [ ! -e ~/{flag} ]; do sleep 0.2; done; echo after; exit 3"
    desk.notebook("killed.ipynb", "%load_ext ehpc_jupyter", f"%%ehpc --cluster slurm --name survivor\n{script}")
    jupyterlab.open_notebook("killed.ipynb")
    jupyterlab.run_all()
    card = card_of(jupyterlab, "survivor")
    expect(card.get_by_text("Running")).to_be_visible()
    expect(card).to_contain_text("before the end")
    jupyterlab.save()
    saved = desk.folder / "killed.ipynb"
    wait_for(lambda: "vnd.ehpc.job" in saved.read_text(), what="the saved notebook")
    outputs = json.loads(saved.read_text())["cells"][1]["outputs"]
    job = next(o["data"][JOB] for o in outputs if "data" in o)
    desk.kill_and_start_again()
    desk.lab.run("touch", flag, user="ehpcuser")
    jupyterlab.open_notebook("killed.ipynb")
    card = card_of(jupyterlab, "survivor")
    expect(card.get_by_text("Failed")).to_be_visible()
    expect(card).to_contain_text(job["JobId"])
    expect(card).to_contain_text("exit code 3")
    expect(card).to_contain_text("after")


def test_the_api_page_in_the_help_menu(jupyterlab, desk):
    for theme in ("light", "dark"):
        desk.theme(f"JupyterLab {theme.capitalize()}")
        jupyterlab.open()
        jupyterlab.page.locator(".jp-Launcher").wait_for()
        if theme == "light":
            jupyterlab.page.get_by_role("menuitem", name="Help", exact=True).click()
            jupyterlab.shot("menu")
            jupyterlab.page.get_by_role("menuitem", name="Cluster Jobs API Reference").click()
        else:
            jupyterlab.command("Cluster Jobs API Reference")
        page = jupyterlab.page.frame_locator(".jp-Help iframe")
        expect(page.get_by_role("heading", name="E-HPC API in Jupyter")).to_be_visible()
        expect(page.locator("html")).to_have_css("color-scheme", theme)
        page.get_by_role("link", name="GetJobLog", exact=True).click()
        expect(page.get_by_role("heading", name="GetJobLog")).to_be_in_viewport()
        # What Lab has behind the page is white in both themes.
        assert contrast(page.get_by_text("Read a part of a job's output")) > 7
        jupyterlab.shot(theme)
