"""``make demo``: a Jupyter server of its own, the first notebook executed through it, and what became of its jobs.

``--lab`` opens JupyterLab on the notebook instead. Everything is on the loopback interface and needs no root.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from tools.server import Server

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = ROOT / "notebooks" / "first-job.ipynb"
#: The notebook names its jobs so.
FACES = {"greeting": "form", "hello": "magic", "answer": "client"}


async def execute(notebook: Any, connection_file: str, folder: Path) -> None:
    """Execute a notebook on a kernel that the server started."""
    manager = AsyncKernelManager(connection_file=connection_file, owns_kernel=False)
    manager.load_connection_file()
    client = NotebookClient(notebook, km=manager, timeout=120, resources={"metadata": {"path": str(folder)}})
    client.kc = manager.client()
    client.kc.start_channels()
    try:
        await client.kc.wait_for_ready(timeout=60)
        for number, cell in enumerate(notebook.cells):
            await client.async_execute_cell(cell, number)
    finally:
        client.kc.stop_channels()


def report(server: Server) -> bool:
    """Print what became of the notebook's jobs; whether all is well."""
    listed = server.call("ListJobs", ClusterId="local", PageSize=50)["Jobs"]
    well = True
    for name, face in FACES.items():
        job = next((item["Detail"] for item in listed if item["JobName"] == name), None)
        if job is None:
            print(f"\n{face}: no job named {name}")
            well = False
            continue
        log = server.call("GetJobLog", ClusterId="local", JobId=job["JobId"], LogType="stdout")
        text = _decoded(log.get("StdoutLog", ""))
        well &= job["State"] == "FINISHED" and job.get("ExitCode") == 0 and bool(text.strip())
        print(f"\n{face}: job {job['JobId']} {job['State']}, exit code {job.get('ExitCode', 'not known')}")
        print(f"  stdout: {job['StdoutPath']}")
        print("".join(f"  | {line}\n" for line in text.splitlines()), end="")
    return well


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode(errors="replace")


def demo() -> int:
    """Run the notebook and report."""
    with tempfile.TemporaryDirectory(prefix="ehpc-demo-") as scratch:
        data = Path(scratch)
        folder = data / "work"
        folder.mkdir()
        shutil.copy(NOTEBOOK, folder)
        notebook = nbformat.read(folder / NOTEBOOK.name, as_version=4)  # type: ignore[no-untyped-call]
        server = Server(folder, data)
        try:
            server.wait()
            print(
                f"JupyterLab's server runs on {server.url}; {NOTEBOOK.relative_to(ROOT)} is executed through it …",
                flush=True,
            )
            asyncio.run(execute(notebook, server.start_kernel(), folder))
            well = report(server)
        finally:
            server.stop()
    print(
        "\nNext: make lab      the same notebook in JupyterLab, the panel beside it"
        "\n      README.md     your own cluster"
        if well
        else "\nNot all jobs came back as they should."
    )
    return 0 if well else 1


def lab() -> int:
    """Open JupyterLab on the notebook."""
    folder = ROOT / "notebooks"
    argv = [sys.executable, "-m", "jupyter", "lab", "--ServerApp.ip=127.0.0.1", f"--ServerApp.root_dir={folder}"]
    argv.append(f"--LabApp.default_url=/lab/tree/{NOTEBOOK.name}")
    if os.geteuid() == 0:
        argv.append("--allow-root")
    return subprocess.call(argv)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lab", action="store_true", help="open JupyterLab instead of executing the notebook")
    try:
        sys.exit(lab() if parser.parse_args().lab else demo())
    except KeyboardInterrupt:
        sys.exit(130)
