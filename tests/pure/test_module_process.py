"""A module that works in a process of its own."""

import os
import subprocess
import sys

import pytest

from alfred.module_process import ModuleProcess


def test_functions_are_called_there_and_what_they_raise_is_raised_here():
    sys.modules.pop("colorsys", None)
    with ModuleProcess("colorsys") as elsewhere:
        assert elsewhere.call("rgb_to_hsv", 1.0, 0.0, 0.0) == (0.0, 1.0, 1.0)
        with pytest.raises(TypeError) as refused:
            elsewhere.call("rgb_to_hsv", "red")
        assert "missing 2 required" in str(refused.value)
        assert "rgb_to_hsv" not in str(refused.value.__traceback__)
        assert "Traceback" in refused.value.__notes__[0]  # where it happened, for who prints it
        assert elsewhere.call("rgb_to_hsv", 0.0, 0.0, 0.0) == (0.0, 0.0, 0.0)
    assert "colorsys" not in sys.modules


def test_one_that_does_not_begin_is_told(capfd):
    with ModuleProcess("no_such_module") as elsewhere, pytest.raises(ChildProcessError, match="no_such_module"):
        elsewhere.call("anything")
    assert "No module named" in capfd.readouterr().err


def test_one_that_ends_is_told():
    with ModuleProcess("os") as elsewhere:
        with pytest.raises(ChildProcessError, match="ended with 7"):
            elsewhere.call("_exit", 7)
        with pytest.raises(ChildProcessError):
            elsewhere.call("getpid")


def test_ctrl_c_in_a_terminal_is_not_for_it():
    with ModuleProcess("os") as elsewhere:
        assert elsewhere.call("getpgrp") != os.getpgrp()


def test_one_whose_starter_is_gone_ends_without_a_word():
    """In the middle of a call, which goes on to its end."""
    starter = (
        "import os\nfrom alfred.module_process import ModuleProcess\nfrom alfred.pipes import framed, send\n"
        "elsewhere = ModuleProcess('time').__enter__()\n"
        "send(elsewhere._jobs, framed(('sleep', (0.3,))))\nos._exit(0)"
    )
    done = subprocess.run([sys.executable, "-c", starter], stderr=subprocess.PIPE, timeout=30)
    assert (done.returncode, done.stderr) == (0, b"")
