"""What the package costs a kernel: loading the magic, and the first use; beside extensions and libraries that every kernel knows.

Each figure is of a process of its own, in turns; read the ratios, not the times. Needs no cluster:
``python -m tests.benchmarks.kernel``.
"""

from __future__ import annotations

import statistics
import subprocess
import sys

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
#: Each beside what it is compared to.
PAIRS = {
    "%load_ext ehpc_jupyter": "%load_ext autoreload (IPython's own)",
    "Client(), with all that it needs": "import requests, pydantic, email",
    "JobForm's module": "import ipywidgets",
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
    print(f"\n{ROUNDS} new kernels each, in turns")
    print(f"{'':42}{'median':>9}{'longest':>10}{'ratio':>8}")
    for name, values in times.items():
        median = statistics.median(values)
        ratio = f"{median / statistics.median(times[PAIRS[name]]):8.2f}" if name in PAIRS else ""
        print(f"{name:42}{median:6.1f} ms{max(values):7.1f} ms{ratio}")


if __name__ == "__main__":
    main()
