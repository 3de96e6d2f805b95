"""Train a label converter: ``python -m training.train_converter CONFIG ...``.

One step: draw images with mattes -> degrade these to coarse labels -> convert crops ->
loss at three strides -> AdamW -> moving average.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from training.conversion.config import ConverterTrainConfig
from training.conversion.data import ConverterSamples
from training.conversion.pairs import FolderPairSource
from training.conversion.previews import write_conversions
from training.conversion.trainer import ConverterTrainer
from training.datasets.reading import read_table
from training.loop import TrainingRunOptions, TrainingTask, command_line, run_task

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

    def make_samples(data: Path) -> ConverterSamples:
        pairs = read_table(data) if data.suffix == ".toml" else FolderPairSource(data)
        return ConverterSamples(pairs, config, config.steps * config.views)

    def make_previews(
        data: Path, samples: ConverterSamples
    ) -> Callable[[ConverterTrainer, Path], None]:
        """Use the held-out images of a folder, or all if there are none."""
        held_out = data.is_dir() and FolderPairSource(data, held_out=True)
        pairs = held_out or samples.pairs
        preview_samples = ConverterSamples(pairs, config, PREVIEWS)
        rows = [preview_samples[i] for i in range(PREVIEWS)]
        return lambda trainer, path: write_conversions(trainer.average, rows, path)

    task = TrainingTask(
        config, partial(ConverterTrainer, config), make_samples, make_previews
    )
    return run_task(task, options)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    return command_line(
        "train_converter",
        lambda path, options: train(ConverterTrainConfig.read(path), options),
        argv,
    )


if __name__ == "__main__":
    raise SystemExit(main())
