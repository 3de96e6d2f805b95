"""Train a label converter: ``python -m training.train_converter CONFIG ...``.

One step: draw pictures with mattes -> make coarse labels of them -> convert crops ->
loss at three strides -> AdamW -> moving average.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from training.conversion.config import ConverterTrainConfig
from training.conversion.data import ConverterSamples
from training.conversion.pairs import FolderPairs
from training.conversion.previews import write_conversions
from training.conversion.trainer import ConverterTrainer
from training.datasets.reading import read_table
from training.loop import Run, Task, command_line, run_task

PREVIEWS = 8
"""Rows on the sheet of previews."""


def train(config: ConverterTrainConfig, run: Run) -> ConverterTrainer:
    """Train until the schedule or the run's minutes end; saves into ``run.out``.

    ``run.data`` is a folder as ``training/README.md`` says, a tar of one, or a TOML
    file that names published data sets (:func:`training.datasets.reading.read_table`).

    Raises:
        ZimError: the data, pre-trained weights or the state to go on from cannot be
            used.
    """

    def samples(data: Path) -> ConverterSamples:
        pairs = read_table(data) if data.suffix == ".toml" else FolderPairs(data)
        return ConverterSamples(pairs, config, config.steps * config.views)

    def previews(
        data: Path, used: ConverterSamples
    ) -> Callable[[ConverterTrainer, Path], None]:
        """Of a folder's pictures that are held out, or of all where there are none."""
        held_out = data.is_dir() and FolderPairs(data, held_out=True)
        pairs = held_out or used.pairs
        drawn = ConverterSamples(pairs, config, PREVIEWS)
        shown = [drawn[i] for i in range(PREVIEWS)]
        return lambda trainer, path: write_conversions(trainer.average, shown, path)

    task = Task(config, partial(ConverterTrainer, config), samples, previews)
    return run_task(task, run)


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    return command_line(
        "train_converter",
        lambda path, run: train(ConverterTrainConfig.read(path), run),
        argv,
    )


if __name__ == "__main__":
    raise SystemExit(main())
