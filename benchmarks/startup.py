"""Time from a command to its result, in fresh processes.

``python benchmarks/startup.py [--rounds 5]`` prints medians of ``zim-studio matte``
with the bundled model: as it is, and with PyTorch in place of ONNX Runtime, in turns,
beside the imports that are most of both.
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
            "import numpy, cv2": ["import numpy, cv2"],
            "import onnxruntime": [
                "import os; os.environ['ORT_DISABLE_TELEMETRY'] = '1'\n"
                "import onnxruntime"
            ],
            "import torch": ["import torch"],
        }

        def run(code: list[str]) -> None:
            environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
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
        print(f"{name:28}{seconds:7.2f} s   x {seconds / base:.2f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
