"""Form, magic and panel, each in a real browser to a finished job on the real Slurm, its output read off the screen."""

from __future__ import annotations

import json
import time

from playwright.sync_api import expect

from tests.conftest import wait_for


def card_of(jupyterlab, name):
    return jupyterlab.page.locator(".jp-ehpc-Card").filter(has_text=name)


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
    # A card asks for output only where it can be seen.
    card.scroll_into_view_if_needed()
    expect(card.get_by_text("Finished")).to_be_visible()
    expect(card.get_by_text("from the form on lab")).to_be_visible()
    expect(card).to_contain_text("exit code 0")


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


def test_panel(jupyterlab, desk):
    jupyterlab.open()
    page = jupyterlab.page
    page.locator('.jp-SideBar [data-id*="ehpc"]').first.click()
    panel = page.locator(".jp-ehpc-Panel")
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
    page.locator('.jp-SideBar [data-id*="ehpc"]').first.click()
    panel = page.locator(".jp-ehpc-Panel")
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
    job = next(o["data"]["application/vnd.ehpc.job.v1+json"] for o in outputs if "data" in o)
    desk.kill_and_start_again()
    desk.lab.run("touch", flag, user="ehpcuser")
    jupyterlab.open_notebook("killed.ipynb")
    card = card_of(jupyterlab, "survivor")
    expect(card.get_by_text("Failed")).to_be_visible()
    expect(card).to_contain_text(job["JobId"])
    expect(card).to_contain_text("exit code 3")
    expect(card).to_contain_text("after")
