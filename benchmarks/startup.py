"""Time from a command to its result, in fresh processes.

``python benchmarks/startup.py [--rounds 5]`` prints medians, in turns: ``zim-studio
matte`` with the bundled model, as it is and with PyTorch in place of ONNX Runtime,
beside the imports that are most of both; the window until it is painted, and with a
photo until a click on it, made as soon as it is open, is answered.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from timing import interleaved

from zim_model.assets import asset_path

CODE = """
import sys
from zim_app.__main__ import main
if "torch" in sys.argv[1:]:
    from zim_model.inference import oom_fallback
    oom_fallback.open_without_torch = lambda *arguments: None
    sys.argv.remove("torch")
sys.exit(main(sys.argv[1:]))
"""

WINDOW = """
import os, sys
from pathlib import Path
from PySide6.QtCore import QEvent, QTimer, Qt
from PySide6.QtTest import QTest
from zim_app.gui import app

photo, done = [Path(name) for name in sys.argv[1:]], lambda: os._exit(0)

class Window(app.MainWindow):
    clicked = False

    def event(self, event):
        if event.type() == QEvent.Type.Paint and not hasattr(self, "poll"):
            self.poll = QTimer(self, interval=1, timeout=self.go_on)
            self.poll.start()
        return super().event(event)

    def go_on(self):
        if not photo:
            done()
        if self.document.image is None or not self.idle:
            return
        if self.clicked:
            done()
        port = self.canvas.viewport()
        middle = port.rect().center()
        QTest.mouseClick(port, Qt.MouseButton.LeftButton, pos=middle)
        self.clicked = True

app.MainWindow = Window
app.run_window(photo)
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        photo = str(asset_path("samples", "astronaut.jpg"))
        output = str(Path(folder) / "out.png")
        command = ["matte", photo, "--box", "100,20,380,400", "-o", output]
        programs = {
            "zim-studio matte": [CODE, *command],
            "zim-studio matte, PyTorch": [CODE, *command, "torch"],
            "window painted": [WINDOW],
            "window, photo, click answered": [WINDOW, photo],
            "import numpy, cv2": ["import numpy, cv2"],
            "import onnxruntime": [
                "import os; os.environ['ORT_DISABLE_TELEMETRY'] = '1'\n"
                "import onnxruntime"
            ],
            "import torch": ["import torch"],
        }

        def run(code: list[str]) -> None:
            state = tempfile.mkdtemp(dir=folder)  # nothing is remembered
            environment = os.environ | {
                "PYTHONPATH": os.pathsep.join(sys.path),
                "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen"),
                "XDG_CONFIG_HOME": state,
                "ZIM_STUDIO_STATE": state,
                # The first round compiles, as an installation does.
                "PYTHONDONTWRITEBYTECODE": "",
                "PYTHONPYCACHEPREFIX": str(Path(folder, "compiled")),
            }
            subprocess.run(
                [sys.executable, "-c", *code],
                check=True,
                env=environment,
                stdout=subprocess.DEVNULL,
            )

        actions = {
            name: lambda i, code=code: run(code) for name, code in programs.items()
        }
        rows = interleaved(args.rounds, actions)
    base, _ = rows["zim-studio matte"]
    for name, (seconds, _) in rows.items():
        print(f"{name:31}{seconds:7.2f} s   x {seconds / base:.2f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
