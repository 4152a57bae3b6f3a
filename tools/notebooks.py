"""``make notebooks``: execute the tours in notebooks/ on the embedded queue and store what they showed.

What tells of the machine they ran on is written as anybody's: the home folder, the host, the account, where Python lies.
"""

from __future__ import annotations

import getpass
import json
import os
import re
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"
LIMIT_S = 120
#: No saved notebook needs it, and a front end that finds it without a kernel shows an error instead of the rest.
_WIDGET = "application/vnd.jupyter.widget-view+json"


def tours() -> list[Path]:
    """All of them."""
    return sorted(FOLDER.glob("*.ipynb"))


def environment(home: Path) -> dict[str, str]:
    """That of a kernel without a server, with a home of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "JPY_", "EHPC_"))}
    return kept | {
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "EHPC_LOCALQ_IDLE_S": "1",
    }


def execute(path: Path, home: Path) -> Any:
    """A tour, executed."""
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    client = NotebookClient(
        notebook,
        timeout=LIMIT_S,
        kernel_name="python3",
        store_widget_state=False,
        resources={"metadata": {"path": str(home)}},
    )
    client.execute(env=environment(home))
    return notebook


def anybodys(notebook: Any, home: Path) -> Any:
    """The notebook without what tells of this machine, and without what only a running kernel can show."""
    words = {
        re.escape(str(home)): "/home/user",
        re.escape(sys.executable): "/usr/bin/python3",
        re.escape(str(ROOT)): "/opt/ehpc-jupyter",
        rf"\b{re.escape(socket.gethostname())}\b": "laptop",
        rf"\b{re.escape(getpass.getuser())}\b": "user",
    }
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        text = json.dumps(cell.outputs)
        for pattern, word in words.items():
            text = re.sub(pattern, word, text)
        cell.outputs = nbformat.from_dict(json.loads(text))  # type: ignore[no-untyped-call]
        for output in cell.outputs:
            output.get("data", {}).pop(_WIDGET, None)
    # What the kernel adds about its own version is of no use to a reader.
    notebook.metadata["language_info"] = {"name": "python"}
    notebook.metadata.pop("widgets", None)
    return notebook


def main() -> None:
    """Execute and store."""
    for path in tours():
        with tempfile.TemporaryDirectory(prefix="ehpc-tour-") as scratch:
            home = Path(scratch)
            notebook = anybodys(execute(path, home), home)
        nbformat.write(notebook, path)  # type: ignore[no-untyped-call]
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
