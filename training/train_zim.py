"""Train a model: ``python -m training.train_zim CONFIG --data DIR --out DIR``.

One step: draw views and prompts -> add correction clicks -> encode the views -> decode
every prompt set -> loss -> AdamW -> moving average.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from training.command import command_line
from training.config import TrainConfig
from training.datasets.opening import Source
from training.datasets.table import TrainingData
from training.distributed import ProcessGroup
from training.loop import TrainingRunOptions, TrainingTask, run_task
from training.previews import write_preview_sheet
from training.sa1b_matte.data import PaperSamples, ShardSamples, make_scene
from training.sa1b_matte.shards import MANIFEST, Shards
from training.samples import PromptDataset, PromptSamples
from training.sources import Scene, SceneReader, is_held_out
from training.trainer import Trainer
from training.validation import Scores, held_out_scenes, validate_prompts
from zim_model.errors import ZimError
from zim_model.network.tiny import ZimTiny
from zim_model.weights.checkpoint import load_model

PREVIEWS = 8
"""Number of held-out samples on the preview sheet."""


def input_sizes(config: TrainConfig) -> Sequence[int]:
    """Return the input side of every sample of a run, in order."""
    sizes = np.full(config.steps * config.views, config.zim.image_size)
    if config.small_size:
        small = int(config.steps * config.small_share) * config.views
        sizes[:small] = config.small_size
    return sizes.tolist()


def train(
    config: TrainConfig, options: TrainingRunOptions, encoder: str | None = None
) -> Trainer:
    """Train until the schedule or the time limit ends; save into ``options.out``.

    Args:
        config: settings of the run.
        options: input, output and time limit.
        encoder: a zim-tiny whose image encoder initialises a new run.

    Raises:
        ZimError: the data or the saved state cannot be used.
    """

    def make_samples(data: Source) -> PromptDataset:
        return open_samples(data, config, input_sizes(config), config.seed)

    def make_previews(
        data: Source, samples: PromptDataset
    ) -> Callable[[Trainer, Path], None]:
        del samples
        sizes = [config.zim.image_size] * PREVIEWS
        held_out = open_samples(data, config, sizes, config.seed + 1, held_out=True)
        rows = [held_out[i] for i in range(PREVIEWS)]
        return lambda trainer, path: write_preview_sheet(trainer.average, rows, path)

    def make_validation(data: Source) -> Callable[[Trainer], Scores] | None:
        scenes = validation_scenes(data, config)
        if not scenes:
            return None
        return lambda made: validate_prompts(made.average, scenes, made.device)

    def make_trainer(group: ProcessGroup) -> Trainer:
        trainer = Trainer(config, group)
        if encoder is not None:
            given = load_model(encoder)
            if not isinstance(given, ZimTiny):
                raise ZimError(f"{encoder} is no zim-tiny.")
            trainer.load_encoder_from(given)
        return trainer

    task = TrainingTask(
        config, make_trainer, make_samples, make_previews, make_validation
    )
    return run_task(task, options)


def open_samples(
    data: Source,
    config: TrainConfig,
    sizes: Sequence[int],
    seed: int,
    *,
    held_out: bool = False,
) -> PromptDataset:
    """Open the samples of images, or of a folder of shards.

    Args:
        data: see ``training/README.md``.
        config: determines the kind of samples.
        sizes: input side of each sample.
        seed: seed of all samples.
        held_out: use the held-out images, or all if there are none.

    Raises:
        ZimError: the folder has no usable data.
    """
    if isinstance(data, Path) and (data / MANIFEST).is_file():
        if config.prompting != "paper":
            raise ZimError(
                f"{data} holds shards of mattes; this configuration cannot use them.",
                'Set prompting = "paper".',
            )
        return ShardSamples(_shards(data, held_out), config.zim, sizes, seed)
    kind = PaperSamples if config.prompting == "paper" else PromptSamples
    scenes = SceneReader(data, held_out=True) if held_out else None
    return kind(scenes or SceneReader(data), config.zim, sizes, seed)


def validation_scenes(data: Source, config: TrainConfig) -> list[Scene]:
    """Held-out scenes of images or shards; none if none is held out."""
    if isinstance(data, TrainingData):
        reader = SceneReader(data, held_out=True)
        return held_out_scenes(reader, config.val_cases, config.seed)
    assert isinstance(data, Path)
    items = [item for shard in Shards(data, is_held_out).shards for item in shard]
    count = min(config.val_cases, len(items))
    chosen = (items[i * len(items) // count] for i in range(count))
    return [
        make_scene(np.random.default_rng((config.seed, number)), item)
        for number, item in enumerate(chosen)
    ]


def _shards(folder: Path, held_out: bool) -> Shards:
    selected = Shards(folder, lambda name: is_held_out(name) is held_out)
    shards = selected if len(selected) else Shards(folder)
    if not len(shards):
        raise ZimError(
            f"{folder} holds no mattes.", "See its manifest for the reasons."
        )
    return shards


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    return command_line("train_zim", TrainConfig, train, argv)


if __name__ == "__main__":
    raise SystemExit(main())
