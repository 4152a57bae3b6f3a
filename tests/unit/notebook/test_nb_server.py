"""A real kernel of a real Jupyter server, jobs on the embedded queue: what a user's cells do there."""

from __future__ import annotations

import json
import re

import pytest
from jupyter_client.blocking.client import BlockingKernelClient

from tests.conftest import wait_for
from tools.server import Server


class Notebook:
    """A kernel that the server started, and cells executed in it."""

    def __init__(self, server):
        self.server = server
        file = server.start_kernel()
        self.kernel_id = re.search(r"kernel-(.*)\.json", file)[1]
        self.client = BlockingKernelClient(connection_file=file)
        self.client.load_connection_file()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def run(self, code, *, fails=False):
        """What a cell shows: its messages' contents, those that replace others included."""
        found = []
        reply = self.client.execute_interactive(code, timeout=60, output_hook=found.append)["content"]
        assert reply["status"] == ("error" if fails else "ok"), reply
        return [{"type": message["msg_type"], **message["content"]} for message in found]

    def printed(self, code):
        return "".join(out["text"] for out in self.run(code) if out["type"] == "stream")

    def interrupted(self, code):
        """The error of a cell that is interrupted while it waits."""
        found = []
        message = self.client.execute(f"print('waits', flush=True)\n{code}")

        def contents():
            while self.client.iopub_channel.msg_ready():
                found.append(self.client.get_iopub_msg(timeout=1))
            return [m["content"] for m in found if m["parent_header"].get("msg_id") == message]

        wait_for(lambda: any(content.get("text") == "waits\n" for content in contents()))
        self.server.session.post(
            f"{self.server.url}api/kernels/{self.kernel_id}/interrupt", timeout=30
        ).raise_for_status()
        # Not before: what is sent earlier, the kernel drops together with what it was doing.
        wait_for(lambda: any(content.get("execution_state") == "idle" for content in contents()))
        while self.client.get_shell_msg(timeout=30)["parent_header"].get("msg_id") != message:
            pass
        (error,) = [content for content in contents() if "ename" in content]
        return error


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    root = tmp_path_factory.mktemp("server")
    home = root / "home"
    home.mkdir()
    environment = {"HOME": str(home), "EHPC_LOCALQ_HOME": str(home / "localq"), "EHPC_LOCALQ_IDLE_S": "1"}
    server = Server(
        root, root / "data", config={"EhpcExtension": {"local_poll_interval_s": 0.2}}, environment=environment
    )
    try:
        server.wait()
        made = Notebook(server)
        made.run(
            "%load_ext ehpc_jupyter\nimport asyncio\nfrom ehpc_jupyter import Client, as_completed, wait\nclient = Client()"
        )
        yield made
        made.client.stop_channels()
    finally:
        server.stop()


def test_the_kernel_finds_its_server(notebook):
    assert notebook.printed("print(client.where())").strip() == notebook.server.url


def test_a_kernel_with_a_server_imports_no_ssh(notebook):
    """Also after it submitted, waited, read and was stopped short of nothing that a notebook does."""
    notebook.run("%%ehpc --wait --cores 1\necho hello")
    notebook.run("%ehpc jobs")
    notebook.run("client.submit(script='echo x').wait(quiet=True).check().stdout(); client.jobs(); client.queues()")
    heavy = "{'fabric', 'paramiko', 'invoke', 'jupyter_server', 'tornado.web', 'ehpc_jupyter.jobs.service', 'pandas'}"
    assert notebook.printed(f"import sys; print({heavy} & set(sys.modules))").strip() == "set()"


def test_many_jobs_awaited_at_once(notebook):
    printed = notebook.printed(
        "jobs = [client.submit(script='true', name=f'n{n}') for n in range(5)]\n"
        "ended = await asyncio.gather(*jobs)\n"
        "print(all(job is same and job.state.value == 'FINISHED' for job, same in zip(jobs, ended)))\n"
        "print(sorted(job.name for job in as_completed(jobs)))"
    )
    assert printed == "True\n['n0', 'n1', 'n2', 'n3', 'n4']\n"


def test_the_kernel_goes_on_while_a_job_is_awaited(notebook):
    printed = notebook.printed(
        "job = client.submit(script='sleep 1; echo done')\n"
        "pieces, ticks = [], 0\n"
        "async def tick():\n"
        "    global ticks\n"
        "    while not job.known().is_final:\n"
        "        ticks += 1\n"
        "        await asyncio.sleep(0.01)\n"
        "async def read():\n"
        "    async for text in job.follow():\n"
        "        pieces.append(text)\n"
        "await asyncio.gather(tick(), read(), job)\n"
        "print(ticks > 10, pieces)"
    )
    assert printed == "True ['done\\n']\n"


@pytest.mark.parametrize("way", ["job.wait()", "await job", "await asyncio.gather(job, job)", "list(job.follow())"])
def test_an_interrupt_ends_the_waiting_and_not_the_job(notebook, way):
    notebook.run("job = client.submit(script='sleep 60', name='long')")
    error = notebook.interrupted(way)
    if "await " not in way:
        (line,) = error["traceback"]
        assert re.fullmatch(r"Stopped waiting\. Job \d+ 'long' on local goes on; \.stop\(\) ends it, .*", line)
    assert notebook.printed("print(job.state.is_final)") == "False\n"
    left = "print([task.get_name() for task in asyncio.all_tasks() if task.get_name() == 'ehpc-watch'])"
    assert notebook.printed(left) == "[]\n", "nobody asks any more"
    assert notebook.printed("print(job.stop().wait(quiet=True).state.value)") == "CANCELLED\n"


def test_the_bar_of_a_wait_is_one_output(notebook):
    outputs = notebook.run("client.submit(script='sleep 2', name='slow').wait();")
    shown = [out for out in outputs if out["type"] in ("display_data", "update_display_data")]
    assert [out["type"] for out in shown].count("display_data") == 1
    assert len({out["transient"]["display_id"] for out in shown}) == 1
    assert re.match(r"Job \d+ 'slow' on local: finished \[00:0\d\]", shown[-1]["data"]["text/plain"])
    assert [out for out in outputs if out["type"] == "stream"] == []


def test_a_card_keeps_which_job_made_it(notebook):
    (card,) = [out for out in notebook.run("%%ehpc --name kept\necho kept") if out["type"] == "execute_result"]
    kept = card["metadata"]["ehpc"]
    listed = notebook.server.call("ListJobs", ClusterId="local", JobFilter={"JobName": "kept"})["Jobs"][0]["Detail"]
    assert {name: kept[name] for name in ("ClusterId", "JobId", "RequestId", "Folder", "StdoutPath", "StderrPath")} == {
        name: listed[name] for name in ("ClusterId", "JobId", "RequestId", "Folder", "StdoutPath", "StderrPath")
    }
    assert kept["Request"]["JobSpec"]["Script"] == "echo kept\n"


def test_orders_tasks_and_checks_of_real_jobs(notebook):
    printed = notebook.printed(
        "array = client.submit(script='echo $EHPC_ARRAY_TASK_ID; [ $EHPC_ARRAY_TASK_ID != 2 ] || { echo broken >&2; exit 4; }',"
        " name='sweep', array_request='1-3').wait(quiet=True)\n"
        "print(''.join(array.task(n).stdout() for n in (1, 2, 3)).split())\n"
        "print(sum(group.count for group in array.tasks), array.task(2).exit_code)\n"
        "try:\n    array.check()\nexcept Exception as error:\n    failed = error\n"
        "print([group.tasks for group in failed.failed_tasks], failed.stderr_tail)\n"
        "again = array.rerun().wait(quiet=True)\n"
        "print(again.detail.rerun_of == array.job_id)\n"
        "print([outcome.outcome for outcome in client.delete(array, again)])\n"
        "check = client.check(script='true', cores=100_000)\n"
        "print(bool(client.check(script='true')), bool(check), [problem.field for problem in check.problems])\n"
        "print([event.state.value for event in client.submit(script='true').wait(quiet=True).events()][-1])"
    ).splitlines()
    assert printed == [
        "['1', '2', '3']",
        "3 4",
        "['2'] broken",
        "True",
        "['deleted', 'deleted']",
        "True False ['JobSpec.Resources.Cores']",
        "FINISHED",
    ]


def test_hold_and_release_of_a_real_job(notebook):
    printed = notebook.printed(
        "import os\n"
        "busy = [client.submit(script='sleep 60', cores=os.cpu_count()) for _ in range(1)]\n"
        "job = client.submit(script='true', cores=os.cpu_count()).hold()\n"
        "held = client.hold(job, busy[0])\n"
        "print([outcome.ok for outcome in held])\n"
        "client.stop(*busy).check()\n"
        "busy[0].wait(quiet=True)\n"
        "print(job.refresh().state.value)\n"
        "print(job.release().wait(quiet=True).state.value)"
    ).splitlines()
    assert printed == ["[True, False]", "HELD", "FINISHED"]


def test_the_metadata_is_json(notebook):
    (card,) = [out for out in notebook.run("client.submit(script='true')") if out["type"] == "execute_result"]
    assert json.loads(json.dumps(card["metadata"]))["ehpc"]["ClusterId"] == "local"
