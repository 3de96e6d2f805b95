"""No command, and not the window, asks for a socket unless it was told to download."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.zim_app.network import can_watch, network_use
from tests.zim_model.onnx.test_automatic import write_graph
from zim_model.evaluation.mini import write_mini_dataset

if not can_watch():
    pytest.skip("this system does not report calls", allow_module_level=True)

SOCKETS = """
import ctypes, subprocess, sys, threading
thread = threading.Thread(target=lambda: ctypes.CDLL(None).socket(2, 2, 0))
thread.start(), thread.join()
code = "import socket; socket.getaddrinfo('example.org', 80)"
subprocess.run([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
socket_pair = __import__("socket").socketpair()
"""
COMMANDS = """
import json, sys
from zim_app.__main__ import main
for command in json.loads(sys.argv[1]):
    print(command, flush=True)
    if main(command):
        sys.exit(1)
"""
WINDOW = """
import sys, time
from pathlib import Path
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from zim_app.gui import app
from zim_app.gui.main_window import MainWindow

def wait_for(condition):
    end = time.monotonic() + 250
    while not condition():
        assert time.monotonic() < end
        QTest.qWait(20)

def use():
    [window] = [w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow)]
    wait_for(lambda: window.idle and window.document is not None)
    at = window.canvas.to_view(40, 30).toPoint()
    QTest.mouseClick(window.canvas.viewport(), Qt.MouseButton.LeftButton, pos=at)
    wait_for(lambda: window.idle and window.document.state.matte is not None)
    window.close()

application = QApplication([])  # which timers need
QTimer.singleShot(200, use)
sys.exit(app.run_window([Path(sys.argv[1])]))
"""


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    pixels = np.full((60, 80, 3), 90, np.uint8)
    pixels[15:45, 20:60] = (30, 60, 200)
    path = tmp_path / "p.png"
    assert cv2.imwrite(str(path), pixels)
    return path


def use_of(code: str, folder: Path, *arguments: str) -> list[str]:
    """The sockets that Python code asked for, whose user is new to this computer."""
    names = ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "ZIM_STUDIO_STATE")
    home = {name: str(folder / "home") for name in names}
    try:
        return network_use(
            ["-c", code, *arguments],
            folder,
            {**home, "ZIM_STUDIO_MODELS": str(folder / "models")},
        )
    except subprocess.CalledProcessError as error:
        pytest.fail(error.output.decode(errors="replace"))


def test_sockets_of_native_code_and_of_other_processes_are_seen(tmp_path: Path) -> None:
    found = use_of(SOCKETS, tmp_path)
    assert len(found) >= 2
    assert all(each.startswith("AF_INET") for each in found)


def test_commands_ask_for_no_socket(tmp_path: Path, photo: Path) -> None:
    write_graph(tmp_path / "models" / "isnet.onnx")
    write_mini_dataset(tmp_path / "data", 1)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "p.png").write_bytes(photo.read_bytes())
    mask = np.zeros((60, 80), np.uint8)
    mask[15:45, 20:60] = 255
    assert cv2.imwrite(str(tmp_path / "m.png"), mask)
    box = ["--box", "15,10,65,50"]
    measured = ["--prompts", "box", "--jobs", "0", "--upsampling", "bilinear"]
    commands = [
        ["matte", "p.png", *box, "-o", "x.png"],
        ["matte", "p.png", "--subject", "isnet", "-o", "s.png"],
        ["auto", "p.png", "-o", "found", "--grid", "2"],
        ["batch", "photos", "-o", "out", "--box", "0.1,0.1,0.9,0.9"],
        ["convert-mask", "p.png", "m.png", "-o", "soft.png"],
        ["evaluate", "data", *measured, "-o", "report"],
        ["models", "list"],
    ]
    assert use_of(COMMANDS, tmp_path, json.dumps(commands)) == []
    written = ("x.png", "s.png", "out/p-cutout.png", "soft.png", "report/report.json")
    assert [name for name in written if not (tmp_path / name).exists()] == []


def test_the_window_asks_for_no_socket(tmp_path: Path, photo: Path) -> None:
    assert use_of(WINDOW, tmp_path, str(photo)) == []
