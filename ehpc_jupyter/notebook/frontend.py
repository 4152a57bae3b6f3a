"""What the kernel can know of whoever looks at its output. IPython is not imported for that: where it runs, it is there."""

from __future__ import annotations

import sys
from typing import Any


def shell() -> Any:
    """The IPython shell that this code runs in; None in plain Python."""
    module = sys.modules.get("IPython")
    return module.get_ipython() if module is not None and hasattr(module, "get_ipython") else None


def in_notebook() -> bool:
    """Whether outputs go to a front end that shows HTML and replaces outputs: a kernel and no terminal."""
    return getattr(shell(), "kernel", None) is not None


def lacks_card() -> bool:
    """Whether the front end is one that shows widgets and cannot have JupyterLab's extensions: VS Code, Colab."""
    here = shell()
    return in_notebook() and ("__vsc_ipynb_file__" in here.user_ns or "google.colab" in sys.modules)
