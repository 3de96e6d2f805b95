"""Many images one after the other: memory, threads and widgets stay bounded."""

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest

IMAGES = 70
SETTLED = 40
"""Images after which caches are full and every module is loaded."""
GROWTH = 40 << 20
"""Bytes that the process may still grow by: 1.3 MB an image, where one image with
its matte and features takes about 2 MB.  The allocator keeps up to 30 MB more or less,
depending on which thread frees what first."""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
def test_many_images_leave_nothing_behind(tmp_path):
    command = ["-m", "tests.zim_app.gui.soak", str(tmp_path), str(IMAGES)]
    home = tmp_path / "home"
    home.mkdir()
    env = {name: value for name, value in os.environ.items() if name[:4] != "XDG_"}
    run = subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        check=False,
        env=env | {"HOME": str(home), "QT_QPA_PLATFORM": "offscreen"},
    )
    assert run.returncode == 0, run.stderr
    left = json.loads(run.stdout.splitlines()[-1])
    sizes, widgets = left["resident_bytes"], left["widgets"]
    assert left["mattes"] == IMAGES
    assert median(sizes[-20:]) - median(sizes[SETTLED - 20 : SETTLED]) < GROWTH
    assert max(widgets[SETTLED:]) <= widgets[SETTLED] + 2
    running, still_running = left["qt_threads"]
    assert running > 0, "there is something to end"
    assert still_running == 0
    assert left["python_threads"] < 20
