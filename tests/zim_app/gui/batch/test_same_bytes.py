"""Studio, batch, command and Python write the same bytes.

In a process of its own, as users have it: numbers of threads and the rounding of
floating-point numbers, which libraries of other tests change, are the process's, and
partly one thread's.
"""

import subprocess
import sys
from pathlib import Path


def test_everyone_writes_the_same_bytes():
    tests = Path(__file__).with_name("same_bytes.py")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-4000:]
    assert " passed" in run.stdout
