"""``evaluate`` in a script without ``if __name__ == "__main__"``."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """
from pathlib import Path

from zim_model.evaluation import (
    EvaluationOptions, Finished, PredictionFolder, PromptKind, evaluate, open_dataset,
)

print("the script runs")
dataset = open_dataset(Path("MicroMat3K"))
systems = [PredictionFolder("truth", Path("MicroMat3K/matte"))]
for event in evaluate(
    dataset, systems, Path("out"), prompts=[PromptKind("box")],
    options=EvaluationOptions(jobs=2),
):
    if isinstance(event, Finished):
        print(len(event.report.measured), event.complete)
"""


@pytest.mark.parametrize("given", ["file", "standard input"])
def test_a_plain_script_runs_once_and_scores_in_processes(mini_root, tmp_path, given):
    (tmp_path / "MicroMat3K").symlink_to(mini_root)
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "script.py" if given == "file" else "-"],
        input=SCRIPT,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.split("\n") == ["the script runs", "7 True", ""]
