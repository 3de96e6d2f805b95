"""Train a label converter: ``python -m training.train_converter CONFIG ...``.

One step: draw images with mattes -> degrade these to coarse labels -> convert crops ->
loss at three strides -> AdamW -> moving average.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from training.command import command_line
from training.conversion.config import ConverterTrainConfig
from training.conversion.data import ConverterSamples
from training.conversion.degradations import coarse_label
from training.conversion.pairs import MAX_SIDE, FolderPairSource, PairSource
from training.conversion.previews import write_conversions
from training.conversion.trainer import ConverterTrainer
from training.datasets.opening import Source
from training.datasets.reading import PublishedPairSource
from training.datasets.table import TrainingData
from training.loop import TrainingRunOptions, TrainingTask, run_task
from training.sources import SceneReader
from training.validation import Scores, held_out_scenes, validate_conversions
from zim_model.errors import ZimError

PREVIEWS = 8
"""Number of rows of the preview sheet."""


def train(
    config: ConverterTrainConfig, options: TrainingRunOptions
) -> ConverterTrainer:
    """Train until the schedule or the time limit ends; save into ``options.out``.

    ``options.data`` is a training folder, see ``training/README.md``, a tar of one, or
    a TOML file of published data sets (:func:`training.datasets.reading.read_table`).

    Raises:
        ZimError: the data, pre-trained weights or the saved state cannot be used.
    """

    def make_samples(data: Source) -> ConverterSamples:
        if isinstance(data, Path):
            raise ZimError(
                f"{data} holds shards of mattes, not photos.", "Give a training folder."
            )
        pairs = FolderPairSource(data) if isinstance(data, TrainingData) else data
        return ConverterSamples(pairs, config, config.steps * config.views)

    def make_previews(
        data: Source, samples: ConverterSamples
    ) -> Callable[[ConverterTrainer, Path], None]:
        """Use the held-out images, or all if there are none."""
        held_out = FolderPairSource(validation_data(data), held_out=True)
        pairs: PairSource = held_out or samples.pairs
        preview_samples = ConverterSamples(pairs, config, PREVIEWS)
        rows = [preview_samples[i] for i in range(PREVIEWS)]
        return lambda trainer, path: write_conversions(trainer.average, rows, path)

    def make_validation(data: Source) -> Callable[[ConverterTrainer], Scores] | None:
        """Use held-out mattes, with coarse labels that are drawn once."""
        reader = SceneReader(validation_data(data), held_out=True, longest=MAX_SIDE)
        reader.pools = [pool for pool in reader.pools if pool.kind == "matte"]
        scenes = held_out_scenes(reader, config.val_cases, config.seed)
        cases = [
            (scene, coarse_label(np.random.default_rng((config.seed, i)), scene.alpha))
            for i, scene in enumerate(scenes)
        ]
        if not cases:
            return None
        return lambda made: validate_conversions(made.average, cases, made.device)

    task = TrainingTask(
        config,
        partial(ConverterTrainer, config),
        make_samples,
        make_previews,
        make_validation,
    )
    return run_task(task, options)


def validation_data(data: Source) -> TrainingData:
    """The data whose held-out images a run is validated on."""
    if isinstance(data, PublishedPairSource):
        return data.validation_data()
    assert isinstance(data, TrainingData), "shards are refused before"
    return data


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    return command_line("train_converter", ConverterTrainConfig, train, argv)


if __name__ == "__main__":
    raise SystemExit(main())
