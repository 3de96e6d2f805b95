"""No worker process outlives the process that started it, even if that is killed."""

from __future__ import annotations

import ast
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
POOL = """
import os, sys, time
from zim_model.runtime.cluster import run_all

def work(seconds):
    print(os.getpid(), flush=True)
    time.sleep(seconds)
    return seconds

if __name__ == "__main__":
    for _ in run_all(work, [(0.2,), (60,)], workers=2):
        pass
"""
EVALUATION = """
import os, time
from zim_model.evaluation.scoring import initialise_worker
from zim_model.runtime.helper_process import HelperPool

pool = HelperPool(initialise_worker)
print(pool.call_within(0, os.getpid), flush=True)
pool.call_within(0, time.sleep, 60)
"""
LOADER = """
import os, time
import torch
from torch.utils.data import DataLoader
from training.loop import _start_worker

class Slow(torch.utils.data.Dataset):
    def __len__(self):
        return 9

    def __getitem__(self, index):
        print(os.getpid(), flush=True)
        time.sleep(60 * (index > 0))
        return index

if __name__ == "__main__":
    torch.set_num_threads(1)
    loader = DataLoader(Slow(), num_workers=2, worker_init_fn=_start_worker)
    for _ in loader:
        pass
"""


@pytest.mark.skipif(os.name == "nt", reason="kills as POSIX does")
@pytest.mark.parametrize("program", [POOL, EVALUATION, LOADER])
def test_workers_end_when_their_parent_is_killed(tmp_path: Path, program: str) -> None:
    file = tmp_path / "program.py"
    file.write_text(program)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, str(file)], stdout=subprocess.PIPE, env=environment
    ) as parent:
        assert parent.stdout is not None
        workers = {int(parent.stdout.readline())}
        if program != EVALUATION:  # the second one sleeps, and the first has no work
            workers.add(int(parent.stdout.readline()))
            time.sleep(0.5)
        parent.send_signal(signal.SIGKILL)
        parent.stdout.close()
    deadline = time.monotonic() + 30
    while workers and time.monotonic() < deadline:
        workers = set(filter(is_alive, workers))
        time.sleep(0.05)
    assert not workers


def is_alive(process: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, 0)
        return True
    return False


def test_every_pool_of_processes_and_data_loader_has_an_initializer() -> None:
    calls = 0
    for name in ("zim_app", "zim_model", "training"):
        for path in (ROOT / name).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                called = getattr(node, "func", None)
                wanted = {
                    "ProcessPoolExecutor": "initializer",
                    "DataLoader": "worker_init_fn",
                }.get(getattr(called, "id", ""))
                if isinstance(node, ast.Call) and wanted:
                    calls += 1
                    given = {keyword.arg for keyword in node.keywords}
                    assert wanted in given, f"{path}:{node.lineno}"
    assert calls >= 3
