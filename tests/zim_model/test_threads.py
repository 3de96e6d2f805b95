"""Threads do not spin while they wait, unless the user says so."""

import os
import subprocess
import sys

import pytest

CODE = (
    "import zim_model.backends.torch_backend, os; print(os.environ['OMP_WAIT_POLICY'])"
)


@pytest.mark.parametrize(("given", "kept"), [(None, "passive"), ("active", "active")])
def test_waiting_threads_sleep(given, kept):
    environment = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
    if given is not None:
        environment["OMP_WAIT_POLICY"] = given
    command = [sys.executable, "-c", CODE]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == kept, done.stderr
