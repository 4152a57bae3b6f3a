"""The card of a job in a notebook, live, in a real browser on the real Slurm."""

from __future__ import annotations

import json
import re

from playwright.sync_api import expect

from tests.conftest import wait_for
from tests.ui.test_faces import assert_nothing_sticks_out, card_of

EVIL = "<img src=x onerror=alert(1)>"


def test_output_has_its_colours_and_no_markup_and_the_job_is_cloned_below(jupyterlab, desk):
    script = f"printf '\\033[1;31mred\\033[0m plain %s\\n' '{EVIL}'; echo \"$WHO\" >&2; exit 4"
    desk.notebook(
        "coloured.ipynb",
        "%load_ext ehpc_jupyter",
        f"%%ehpc --cluster slurm --name '{EVIL}' --var \"WHO=it's $HOME {{x}}\" --wall-time 0:05:00\n{script}",
        "after = 1",
    )
    jupyterlab.open_notebook("coloured.ipynb")
    jupyterlab.run_all()
    page = jupyterlab.page
    card = card_of(jupyterlab, EVIL)
    expect(card.get_by_role("status").first).to_have_text("Failed")
    # What it wrote to standard error is shown at once, what it wrote otherwise at a click.
    expect(card.locator(".jp-ehpc-Log")).to_contain_text("it's $HOME {x}")
    card.get_by_role("button", name="stdout").click()
    log = card.locator(".jp-ehpc-Log")
    expect(log).to_contain_text(f"red plain {EVIL}")
    expect(log.locator("[class*=ansi-red]")).to_have_text("red")
    expect(card.locator("img")).to_have_count(0)
    jupyterlab.shot("card")
    card.get_by_role("button", name="Clone into a new cell").click()
    cells = page.locator(".jp-Notebook .jp-CodeCell")
    expect(cells).to_have_count(4)
    expect(cells.nth(2)).to_contain_text("%%ehpc --cluster slurm")
    page.keyboard.press("Shift+Enter")
    expect(card_of(jupyterlab, EVIL)).to_have_count(2)
    again = card_of(jupyterlab, EVIL).nth(1)
    expect(again.get_by_role("status").first).to_have_text("Failed")
    expect(again.locator(".jp-ehpc-Log")).to_contain_text("it's $HOME {x}")
    card.get_by_role("button", name="Rerun").click()
    expect(card.get_by_text("Submitted again as job")).to_be_visible()


def test_the_tasks_of_an_array_are_stopped_from_its_card_by_the_keyboard(jupyterlab, desk):
    desk.notebook(
        "array.ipynb",
        "%load_ext ehpc_jupyter",
        "%%ehpc --cluster slurm --name many --array 1-4\n"
        '[ "$SLURM_ARRAY_TASK_ID" = 2 ] && exit 3; echo task $SLURM_ARRAY_TASK_ID; exec sleep 300',
    )
    jupyterlab.open_notebook("array.ipynb")
    jupyterlab.run_all()
    page = jupyterlab.page
    card = card_of(jupyterlab, "many")
    card.wait_for()
    expect(card).to_contain_text("1/4 done, 1 failed")
    bar = card.get_by_role("progressbar", name="Tasks that have ended")
    expect(bar).to_have_attribute("aria-valuenow", "1")
    card.locator(".jp-ehpc-Tasks > summary").press("Enter")
    expect(card.locator(".jp-ehpc-Groups")).to_contain_text("exit code 3")
    jupyterlab.shot("tasks")
    button = card.get_by_role("button", name=re.compile(r"^Stop tasks? ")).first
    button.press("Enter")
    page.locator(".jp-Dialog").get_by_role("button", name="Stop", exact=False).last.click()
    expect(card.locator(".jp-ehpc-Groups")).to_contain_text("Cancelled")
    expect(card).to_contain_text("4/4 done, 1 failed")
    # Of all tasks, the one that failed is worth a look.
    expect(card.get_by_label("Output of task")).to_have_value("2")


def test_a_hundred_cards_ask_little(jupyterlab, desk):
    """As many jobs as cards would take too long to make here: the unit tests have a hundred of them."""
    ids = [
        desk.server.call("CreateJob", ClusterId="local", JobName=f"one of many {n}", JobSpec={"Script": f"echo {n}"})[
            "JobId"
        ]
        for n in range(4)
    ]

    def details():
        found = [desk.server.call("GetJob", ClusterId="local", JobId=job_id)["JobInfo"]["Detail"] for job_id in ids]
        return found if all(one["State"] == "FINISHED" for one in found) else None

    jobs = wait_for(details, what="the jobs' end")
    mime = "application/vnd.ehpc.job.v1+json"
    name = desk.notebook("hundred.ipynb", *["%%ehpc\ntrue"] * 100)
    file = desk.folder / name
    saved = json.loads(file.read_text())
    for n, cell in enumerate(saved["cells"]):
        data = {mime: jobs[n % 4], "text/plain": "a job"}
        cell["outputs"] = [{"output_type": "display_data", "data": data, "metadata": {}}]
    file.write_text(json.dumps(saved))
    asked = []
    jupyterlab.page.on("request", lambda request: asked.append(request.url.rpartition("/ehpc/")[2].partition("?")[0]))
    jupyterlab.open_notebook(name)
    card = card_of(jupyterlab, "one of many 0").first
    expect(card.locator(".jp-ehpc-Log")).to_contain_text("0")
    jupyterlab.page.set_viewport_size({"width": 700, "height": 900})
    expect(card.get_by_role("button", name="Rerun")).to_be_visible()
    assert_nothing_sticks_out(card)
    questions = [action for action in asked if action in ("GetJob", "ListJobs")]
    assert len(questions) <= 4, questions
    jupyterlab.shot("narrow")
