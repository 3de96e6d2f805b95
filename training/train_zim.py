"""Train a model: ``python -m training.train_zim CONFIG --data DIR --out DIR``.

One step: draw views and prompts -> click on mistakes -> encode the views -> decode
every prompt -> loss -> AdamW -> moving average.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from training.config import TrainConfig
from training.distributed import Team
from training.loop import Run, Task, command_line, run_task
from training.previews import write_sheet
from training.regions import LabelSamples
from training.sa1b_matte.data import PaperSamples, ShardSamples
from training.sa1b_matte.shards import MANIFEST, Shards
from training.samples import Draws, Samples
from training.sources import Pictures, is_held_out
from training.trainer import Trainer
from zim_model.errors import ZimError
from zim_model.weights.checkpoint import load_zim

PREVIEWS = 8
"""Samples on the sheet of previews: fixed views of pictures never trained on."""


def input_sizes(config: TrainConfig) -> Sequence[int]:
    """The input side of every sample of a run, in order."""
    sizes = np.full(config.steps * config.views, config.zim.image_size)
    sizes[: int(config.steps * config.small_share) * config.views] = config.small_size
    return sizes.tolist()


def train(config: TrainConfig, run: Run, encoder: str | None = None) -> Trainer:
    """Train until the schedule or the run's minutes end; saves into ``run.out``.

    Args:
        config: what is done.
        run: where it reads and writes.
        encoder: a model whose encoder a new run begins with.

    Raises:
        ZimError: the data or the state to go on from cannot be used.
    """

    def samples(folder: Path) -> Draws:
        return drawn_from(folder, config, input_sizes(config), config.seed)

    def previews(folder: Path, used: Draws) -> Callable[[Trainer, Path], None]:
        del used
        sizes = [config.zim.image_size] * PREVIEWS
        drawn = drawn_from(folder, config, sizes, config.seed + 1, held_out=True)
        shown = [drawn[i] for i in range(PREVIEWS)]
        return lambda trainer, path: write_sheet(trainer.average, shown, path)

    def trainer(team: Team) -> Trainer:
        made = Trainer(config, team)
        if encoder is not None:
            made.see_as(load_zim(encoder))
        return made

    task = Task(config, trainer, samples, previews)
    return run_task(task, run)


def drawn_from(
    folder: Path,
    config: TrainConfig,
    sizes: Sequence[int],
    seed: int,
    *,
    held_out: bool = False,
) -> Draws:
    """Samples from a folder of pictures, or of shards of mattes.

    Args:
        folder: see ``training/README.md``.
        config: decides the kind of samples.
        sizes: the input side of every sample.
        seed: decides every sample.
        held_out: of the pictures that are never trained on, or of all where those are
            too few.

    Raises:
        ZimError: there is nothing there that could be used.
    """
    if (folder / MANIFEST).is_file():
        if config.task == "regions" or config.prompting != "paper":
            raise ZimError(
                f"{folder} holds shards of mattes: not for this configuration.",
                'Set prompting = "paper" and task = "prompts".',
            )
        return ShardSamples(_shards(folder, held_out), config.zim, sizes, seed)
    kind = LabelSamples if config.task == "regions" else Samples
    if config.task == "prompts" and config.prompting == "paper":
        kind = PaperSamples
    pictures = Pictures(folder)
    if held_out:
        pictures = Pictures(folder, held_out=True) or pictures
    return kind(pictures, config.zim, sizes, seed)


def _shards(folder: Path, held_out: bool) -> Shards:
    some = Shards(folder, lambda name: is_held_out(name) is held_out)
    found = some if len(some) else Shards(folder)
    if not len(found):
        raise ZimError(f"{folder} holds no mattes.", "Its manifest tells why.")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    return command_line(
        "train_zim", lambda path, run: train(TrainConfig.read(path), run), argv
    )


if __name__ == "__main__":
    raise SystemExit(main())
