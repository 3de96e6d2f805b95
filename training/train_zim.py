"""Train a model: ``python -m training.train_zim CONFIG --data DIR --out DIR``.

One step: draw views and prompts -> click on mistakes -> encode the views -> decode
every prompt -> loss -> AdamW -> moving average.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from training.config import TrainConfig
from training.data import Draws, Samples
from training.loop import Run, Task, command_line, run_task
from training.pictures import Pictures
from training.previews import write_sheet
from training.regions import LabelSamples
from training.trainer import Trainer

PREVIEWS = 8
"""Samples on the sheet of previews: fixed views of pictures never trained on."""


def input_sizes(config: TrainConfig) -> Sequence[int]:
    """The input side of every sample of a run, in order."""
    sizes = np.full(config.steps * config.views, config.zim.image_size)
    sizes[: int(config.steps * config.small_share) * config.views] = config.small_size
    return sizes.tolist()


def train(config: TrainConfig, run: Run) -> Trainer:
    """Train until the schedule or the run's minutes end; saves into ``run.out``.

    Raises:
        ZimError: the data or the state to go on from cannot be used.
    """
    kind = LabelSamples if config.task == "regions" else Samples

    def samples(folder: Path) -> Draws:
        return kind(Pictures(folder), config.zim, input_sizes(config), config.seed)

    def previews(folder: Path, used: Draws) -> Callable[[Trainer, Path], None]:
        """Of the pictures that are held out, or of all where those are too few."""
        pictures = Pictures(folder, held_out=True) or used.pictures
        sizes = [config.zim.image_size] * PREVIEWS
        drawn = kind(pictures, config.zim, sizes, config.seed + 1)
        shown = [drawn[i] for i in range(PREVIEWS)]
        return lambda trainer, path: write_sheet(trainer.average, shown, path)

    task = Task(config, partial(Trainer, config), samples, previews)
    return run_task(task, run)


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    return command_line(
        "train_zim", lambda path, run: train(TrainConfig.read(path), run), argv
    )


if __name__ == "__main__":
    raise SystemExit(main())
