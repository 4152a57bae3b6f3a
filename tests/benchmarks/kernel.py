"""What the package costs a kernel: loading the magic, and the first use; beside extensions and libraries that every kernel knows.

Each figure is of a process of its own, in turns; read the ratios, not the times. Needs no cluster:
``python -m tests.benchmarks.kernel``.
"""

from __future__ import annotations

import statistics
import subprocess
import sys

from tests.benchmarks import table

ROUNDS = 15
#: What a kernel has imported before the first cell runs.
KERNEL = """
import sys, time
import ipykernel.ipkernel, ipykernel.zmqshell
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell("pass")
start = time.perf_counter()
{code}
sys.stdout.write(str(time.perf_counter() - start))
"""
WAYS = {
    "%load_ext autoreload (IPython's own)": 'shell.run_line_magic("load_ext", "autoreload")',
    "%load_ext ehpc_jupyter": 'shell.run_line_magic("load_ext", "ehpc_jupyter")',
    "import ipywidgets": "import ipywidgets",
    "import requests, pydantic, email": "import requests, pydantic, email.message",
    "Client(), with all that it needs": "from ehpc_jupyter import Client; Client().queues",
    "JobForm's module": "from ehpc_jupyter import JobForm",
}
#: Each beside what it is compared to, and the most that it may take, ms.
PAIRS = {
    "%load_ext ehpc_jupyter": ("%load_ext autoreload (IPython's own)", 150),
    "Client(), with all that it needs": ("import requests, pydantic, email", None),
    "JobForm's module": ("import ipywidgets", None),
}


def once(code):
    """Seconds, in a new process."""
    argv = [sys.executable, "-c", KERNEL.format(code=code)]
    return float(subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout)


def main():
    """Measure and print."""
    times = {name: [] for name in WAYS}
    for _ in range(ROUNDS):
        for name, code in WAYS.items():
            times[name].append(once(code) * 1000)
    medians = {name: statistics.median(values) for name, values in times.items()}
    rows = []
    for name, (reference, limit) in PAIRS.items():
        target, met = (f"< {limit} ms", medians[name] < limit) if limit else ("", True)
        rows.append((f"{name} : {reference}", medians[name], medians[reference], "ms", target, met))
    table.show(f"What a kernel pays: medians of {ROUNDS} new kernels each, in turns", rows)


if __name__ == "__main__":
    main()
