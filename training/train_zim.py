"""Train a model: ``python -m training.train_zim CONFIG --data DIR --out DIR``.

One step: draw views and prompts -> encode the views -> decode every prompt -> loss ->
AdamW -> moving average.  The run's whole state is one file, so it can stop at any
saved step and go on elsewhere.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Sampler
from tqdm import tqdm

from training.config import TrainConfig
from training.data import Samples
from training.losses import zim_loss
from training.pack import opened
from training.pictures import Pictures
from zim_model.backends import default_device, tune_malloc
from zim_model.checkpoint import save_model
from zim_model.errors import ZimError
from zim_model.files import replacing
from zim_model.model import Zim

STATE_FILE, LOG_FILE = "state.pt", "log.csv"


class _From(Sampler[int]):
    """The numbers from ``first`` to ``last``."""

    def __init__(self, first: int, last: int) -> None:
        self.numbers = range(first, last)

    def __iter__(self) -> Iterator[int]:
        return iter(self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)


def learning_rate(config: TrainConfig, step: int) -> float:
    """Linear warm-up, then a cosine from ``lr`` down to 2% of it."""
    if step < config.warmup:
        return config.lr * (step + 1) / config.warmup
    done = (step - config.warmup) / max(1, config.steps - config.warmup)
    return config.lr * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))


class Trainer:
    """The state of a run: model, moving average, optimiser and step."""

    def __init__(self, config: TrainConfig, device: str) -> None:
        torch.manual_seed(config.seed)
        self.config, self.device, self.step = config, torch.device(device), 0
        self.model = Zim(config.zim).to(self.device).channels_last()
        self.average = Zim(config.zim).to(self.device).eval()
        self.average.load_state_dict(self.model.state_dict())
        decayed = [p for p in self.model.parameters() if p.ndim > 1]
        plain = [p for p in self.model.parameters() if p.ndim <= 1]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": decayed, "weight_decay": config.weight_decay},
                {"params": plain, "weight_decay": 0.0},
            ],
            lr=config.lr,
        )

    def train_step(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """One optimiser step on a batch of V views; returns the parts of the loss."""
        self.model.train()
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.config, self.step)
        batch = {k: v.to(self.device, non_blocking=True) for k, v in batch.items()}
        views, prompts = batch["coords"].shape[:2]
        image = batch["image"].contiguous(memory_format=torch.channels_last)
        flat = {k: v.flatten(0, 1) for k, v in batch.items() if k != "image"}
        index = torch.arange(views, device=self.device).repeat_interleave(prompts)
        with torch.autocast("cuda", torch.bfloat16, self.device.type == "cuda"):
            features = self.model.encode(image).select(index)
            logits, iou = self.model.decode(
                features, flat["coords"], flat["labels"], flat["cues"]
            )
        loss, parts = zim_loss(
            logits.float(), iou.float(), flat["target"], flat["weight"], flat["exact"]
        )
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)
        self.optimiser.step()
        self._update_average()
        self.step += 1
        return parts

    @torch.no_grad()
    def _update_average(self) -> None:
        # Early weights are worth nothing: the average starts short and grows longer.
        decay = min(self.config.ema, (1 + self.step) / (10 + self.step))
        own = self.model.state_dict()
        for key, mean in self.average.state_dict().items():
            if mean.is_floating_point():
                mean.lerp_(own[key], 1 - decay)
            else:
                mean.copy_(own[key])

    def save(self, folder: Path, *, small: bool = False) -> None:
        """Write the run's state and the averaged model; a stop never harms the last.

        Args:
            folder: gets ``state.pt`` and the model's safetensors file.
            small: keep the optimiser's moments in bfloat16.  The file is a quarter
                smaller, and going on from it is no longer exact.
        """
        optimiser = self.optimiser.state_dict()
        if small:
            optimiser["state"] = {
                number: {
                    key: value.bfloat16() if value.ndim else value
                    for key, value in moments.items()
                }
                for number, moments in optimiser["state"].items()
            }
        state = {
            "config": asdict(self.config),
            "step": self.step,
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": optimiser,
        }
        with replacing(folder / STATE_FILE) as file:
            torch.save(state, file)
        save_model(self.average, folder / f"{self.config.model}.safetensors")

    def load(self, path: Path) -> None:
        """Go on from a saved state.

        Raises:
            ZimError: the file is damaged or belongs to another configuration.
        """
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
            saved: dict[str, Any] = state["config"]
        except Exception as error:  # torch raises many kinds for a bad file
            raise ZimError(f"{path} is no training state: {error}.") from error
        free = {"workers", "threads", "log_every", "save_every"}
        differ = {
            key: (saved.get(key), value)
            for key, value in asdict(self.config).items()
            if key not in free and saved.get(key) != value
        }
        if differ:
            listed = "; ".join(f"{k}: {a!r} -> {b!r}" for k, (a, b) in differ.items())
            raise ZimError(
                f"{path} was made with other settings: {listed}.",
                "Use its own configuration, or start anew.",
            )
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = state["step"]


def input_sizes(config: TrainConfig) -> Sequence[int]:
    """The input side of every sample of a run, in order."""
    sizes = np.full(config.steps * config.views, config.zim.image_size)
    sizes[: int(config.steps * config.small_share) * config.views] = config.small_size
    return sizes.tolist()


class _Log:
    """Means of the loss parts since the last line, into a CSV file."""

    def __init__(self, file: TextIO, views: int) -> None:
        self.file, self.views = file, views
        self.sums: dict[str, float] = {}
        self.count = 0
        self.since = time.monotonic()

    def add(self, parts: dict[str, Tensor]) -> None:
        """Count one step."""
        for key, value in parts.items():
            self.sums[key] = self.sums.get(key, 0.0) + float(value)
        self.count += 1

    def write(self, step: int) -> dict[str, str]:
        """Write a line and start anew; returns the line's means."""
        now = time.monotonic()
        rate = self.views * self.count / (now - self.since)
        means = {key: f"{v / self.count:.4f}" for key, v in self.sums.items()}
        line = {"step": step, "views_per_s": f"{rate:.2f}", **means}
        writer = csv.DictWriter(self.file, list(line))
        if self.file.tell() == 0:
            writer.writeheader()
        writer.writerow(line)
        self.file.flush()
        self.sums, self.count, self.since = {}, 0, now
        return means


@dataclass(frozen=True, slots=True)
class Run:
    """Where a run reads and writes, and when it stops.

    Attributes:
        data: a folder of pictures, or a tar made by ``training.pack``.
        out: folder for the log, the state and the model.
        resume: a ``state.pt`` to go on from.
        minutes: stop and save after so long.
        small_state: see :meth:`Trainer.save`.
    """

    data: Path
    out: Path
    resume: Path | None = None
    minutes: float = math.inf
    small_state: bool = False


def train(config: TrainConfig, run: Run) -> Trainer:
    """Train until the schedule or the run's minutes end; saves into ``run.out``.

    Raises:
        ZimError: the data or the state to go on from cannot be used.
    """
    deadline = time.monotonic() + 60 * run.minutes
    run.out.mkdir(parents=True, exist_ok=True)
    device = default_device()
    if device == "cpu":
        tune_malloc(huge=True)
        if config.threads:
            torch.set_num_threads(config.threads)
    trainer = Trainer(config, device)
    if run.resume is not None:
        trainer.load(run.resume)
    with (
        opened(run.data) as folder,
        (run.out / LOG_FILE).open("a", newline="") as file,
        tqdm(total=config.steps, initial=trainer.step, unit="step") as progress,
    ):
        log = _Log(file, config.views)
        for batch in _batches(config, folder, trainer.step, pinned=device == "cuda"):
            log.add(trainer.train_step(batch))
            progress.update()
            if trainer.step % config.log_every == 0:
                means = log.write(trainer.step)
                progress.set_postfix(loss=means["loss"], iou=means["iou"])
            if time.monotonic() > deadline:
                break
            if trainer.step % config.save_every == 0:
                trainer.save(run.out, small=run.small_state)
    trainer.save(run.out, small=run.small_state)
    return trainer


def _batches(
    config: TrainConfig, folder: Path, step: int, *, pinned: bool
) -> DataLoader[dict[str, Tensor]]:
    """The batches from a step on."""
    samples = Samples(Pictures(folder), config.zim, input_sizes(config), config.seed)
    return DataLoader(
        samples,
        batch_size=config.views,
        sampler=_From(step * config.views, len(samples)),
        num_workers=config.workers,
        prefetch_factor=4 if config.workers else None,
        worker_init_fn=_one_thread,
        pin_memory=pinned,
    )


def _one_thread(worker: int) -> None:
    del worker
    import cv2

    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.train_zim")
    parser.add_argument("config", type=Path, help="a TOML file of training/configs")
    parser.add_argument("--data", type=Path, required=True, help="folder or tar")
    parser.add_argument("--out", type=Path, required=True, help="folder for results")
    parser.add_argument("--resume-from", type=Path, help="a state.pt to go on from")
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop after")
    parser.add_argument(
        "--small-state", action="store_true", help="a smaller, inexact state.pt"
    )
    given = parser.parse_args(argv)
    run = Run(
        given.data, given.out, given.resume_from, given.minutes, given.small_state
    )
    try:
        config = TrainConfig.read(given.config)
        trainer = train(config, run)
    except ZimError as error:
        print(f"train_zim: error: {error}", file=sys.stderr)
        return 1
    print(f"step {trainer.step} of {config.steps}, saved in {given.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
