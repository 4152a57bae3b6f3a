"""``import ehpc_jupyter`` is light, and its names are there when asked for."""

import subprocess
import sys

import pytest

import ehpc_jupyter

_HEAVY = ("pydantic", "fabric", "paramiko", "ipywidgets", "IPython", "requests", "traitlets", "jupyter_server")


def _modules_after(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(' '.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(done.stdout.split())


def test_importing_the_package_imports_nothing_heavy():
    added = _modules_after("import ehpc_jupyter") - _modules_after("pass")
    assert added <= {"ehpc_jupyter", "__future__"}
    assert not added.intersection(_HEAVY)


def test_loading_the_magic_imports_no_model_and_no_widget():
    code = (
        "from IPython.core.interactiveshell import InteractiveShell as S\n"
        "import ehpc_jupyter; ehpc_jupyter.load_ipython_extension(S.instance(history_length=0))"
    )
    assert not _modules_after(code).intersection({"pydantic", "fabric", "paramiko", "ipywidgets", "requests"})


def test_the_client_needs_no_widgets_and_no_ssh():
    assert not _modules_after("from ehpc_jupyter import Client; Client()").intersection(
        {"fabric", "paramiko", "ipywidgets", "jupyter_server"}
    )


@pytest.mark.parametrize("name", ehpc_jupyter.__all__)
def test_every_public_name_is_there(name):
    assert getattr(ehpc_jupyter, name)
    assert name in dir(ehpc_jupyter)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="Clint"):
        _ = ehpc_jupyter.Clint


def test_jupyter_finds_the_labextension():
    assert ehpc_jupyter._jupyter_labextension_paths() == [{"src": "labextension", "dest": "ehpc-jupyter"}]
