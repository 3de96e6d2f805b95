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


SPINNING = """
import torch, time, sys
import zim_model
from zim_model.runtime.threads import tune_threads
if "limited" in sys.argv:
    tune_threads()
image = torch.zeros(1 << 17)
began = time.process_time()
for _ in range(100):
    image.add_(1)
    time.sleep(0.004)
print(time.process_time() - began, torch.get_num_threads())
"""


@pytest.mark.skipif(
    sys.platform != "linux" or (os.cpu_count() or 1) < 2,
    reason="GNU's OpenMP, on several cores",
)
def test_threads_sleep_also_where_torch_was_imported_first():
    """Processor time while nothing is computed, which is spent spinning."""
    unset = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
    environment = {k: v for k, v in os.environ.items() if k not in unset}
    environment["OMP_NUM_THREADS"] = "2"
    seconds = []
    for arguments in ([], ["limited"]):
        command = [sys.executable, "-c", SPINNING, *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        taken, threads = done.stdout.split()
        assert threads == "2"
        seconds.append(float(taken))
    assert seconds[1] < 0.5 * seconds[0]
