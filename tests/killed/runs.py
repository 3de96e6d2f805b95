"""Jobs that resume: a batch, an evaluation, a training run."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tests.killed.victim import Run
from zim_app.core.batch.writing import REPORT

STEPS, PHOTOS, CASES = 4, 4, 1


def make_photos(folder: Path, count: int, side: int = 96) -> None:
    """Photos of a red disc, with its alpha beside for training."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:side, :side]
    for number in range(count):
        small = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
        image = cv2.resize(small, (side, side))
        disc = np.hypot(x - side / 2 - 3 * number, y - side / 2) < side / 4
        image[disc] = (40, 40, 200)
        cv2.imwrite(str(folder / f"aim__{number}.jpg"), image)
        alpha = cv2.GaussianBlur(disc * np.float32(255), (0, 0), 2).astype(np.uint8)
        cv2.imwrite(str(folder / f"aim__{number}.alpha.png"), alpha)


# -- Batches ---------------------------------------------------------------------------


def _batch(folder: Path) -> None:
    from zim_app.cli.main import run

    photos = folder.parent / "photos"
    if not photos.exists():
        make_photos(photos, PHOTOS)
        for path in photos.glob("*.png"):
            path.unlink()
    words = ["batch", str(photos), "-o", str(folder), "--box", "0.1,0.1,0.9,0.9"]
    assert run([*words, "--device", "cpu"]) == 0


def _batch_result(folder: Path) -> Any:
    """The files by their bytes, and what the report says but for times."""
    with (folder / REPORT).open(newline="") as stream:
        rows = [
            {key: value for key, value in row.items() if not key.endswith("_ms")}
            for row in csv.DictReader(stream)
        ]
    for row in rows:
        assert row.pop("state") in ("done", "kept")
    return {path.name: path.read_bytes() for path in folder.glob("*.png")}, rows


# -- Evaluations -----------------------------------------------------------------------


def _evaluate(folder: Path) -> None:
    from zim_app.cli.main import run
    from zim_model.evaluation.mini import write_mini_dataset

    data = folder.parent / "data"
    if not data.exists():
        write_mini_dataset(data, CASES)
    words = ["evaluate", str(data), "--prompts", "box,point", "-o", str(folder)]
    words += ["--device", "cpu", "--jobs", "0", "--upsampling", "bilinear"]
    resume = ["--resume"] if (folder / "rows.jsonl").exists() else []
    assert run([*words, *resume]) == 0


def _evaluation_result(folder: Path) -> Any:
    """The metrics of each row of the report, which are exact."""
    report = json.loads((folder / "report.json").read_text("utf-8"))
    return sorted(
        (row["case"], row["system"], row["prompt"], row["digest"], str(row["metrics"]))
        for row in report["rows"]
    )


# -- Training --------------------------------------------------------------------------


def _train(folder: Path) -> None:
    from training import train_tiny
    from training.base_trainer import STATE_FILE
    from training.loop import TrainingRunOptions
    from training.tiny import config as tiny
    from training.tiny.trainer import TinyTrainer
    from zim_model.network.config import TinyConfig

    data = folder.parent / "training"
    if not data.exists():
        make_photos(data / "matte", 3)
        shutil.copytree(data / "matte", data / "background")
    small = {"widths": (16, 16, 16, 8), "depth": 1, "head": 8}
    tiny.MODELS["zim-tiny"] = TinyConfig(
        "zim-tiny", 64, **small, prompt_widths=(8, 8, 8, 8)
    )
    TinyTrainer.begin = lambda self: None  # type: ignore[method-assign]
    config = tiny.TinyTrainConfig(
        *("zim-tiny", STEPS, 0, 2),
        **{"size": 64, "weights": "all", "workers": 0, "warmup": 1},
        **{"log_every": 1, "save_every": 2, "small_share": 0.0},
    )
    state = folder / STATE_FILE
    options = TrainingRunOptions(data, folder, state if state.exists() else None)
    train_tiny.train(config, options)


def _training_result(folder: Path) -> Any:
    """The trained weights, and the losses of all steps in their order."""
    with (folder / "log.csv").open(newline="") as stream:
        losses = [(row["step"], row["loss"]) for row in csv.DictReader(stream)]
    return (folder / "zim-tiny.safetensors").read_bytes(), losses


RUNS = (
    Run("batch", _batch, _batch_result),
    Run("evaluate", _evaluate, _evaluation_result),
    Run("train", _train, _training_result),
)
