"""Signals end the real program in order: nothing of the work is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from PIL import Image

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")

PROGRAM = """
import sys
from PySide6.QtCore import QTimer
from zim_app.gui import app, main_window
from zim_model.prompts import Point

class Window(main_window.MainWindow):
    def __init__(self, queue):
        super().__init__(queue)
        self.settle = QTimer(self, interval=20)
        self.settle.timeout.connect(self.click)
        self.settle.start()

    def warm_up(self):
        pass  # no model is needed

    def click(self):
        document = self.document
        if document is None:
            return
        self.settle.stop()
        document.edit("click", document.state.recipe.with_point(Point(5, 5)))
        print("clicked", flush=True)

app.MainWindow = Window
sys.exit(app.run_window([__import__("pathlib").Path(sys.argv[1])]))
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_saves_the_last_click_and_ends_the_program(tmp_path, name):
    photo, state = tmp_path / "photo.png", tmp_path / "state"
    Image.new("RGB", (40, 30), (200, 100, 50)).save(photo)
    env = os.environ | {
        "ZIM_STUDIO_STATE": str(state),
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "QT_QPA_PLATFORM": "offscreen",
    }
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(photo)],
        env=env,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        try:
            assert program.stdout.readline() == "clicked\n"
            program.send_signal(getattr(signal, name))
            assert program.wait(60) == 0
        finally:
            program.kill()
    [session] = (state / "sessions").glob("*.json")
    points = json.loads(session.read_text())["objects"][0]["recipe"]["prompts"][
        "points"
    ]
    assert len(points) == 1
    assert not list((state / "runs").glob("*.json")), "it did not crash"
