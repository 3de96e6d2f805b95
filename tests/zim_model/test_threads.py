"""Waiting threads sleep, unless the user's environment makes them spin."""

import os
import subprocess
import sys

import pytest

CODE = (
    "import zim_model.backends.torch_backend, os; print(os.environ['OMP_WAIT_POLICY'])"
)


@pytest.mark.parametrize(
    ("policy", "expected"), [(None, "passive"), ("active", "active")]
)
def test_waiting_threads_sleep(policy, expected):
    environment = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
    if policy is not None:
        environment["OMP_WAIT_POLICY"] = policy
    command = [sys.executable, "-c", CODE]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == expected, done.stderr
