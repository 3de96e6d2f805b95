"""Train zim-tiny: ``python -m training.train_tiny CONFIG --data DIR --out DIR``.

One step: draw views and prompts -> passes whose predictions are corrected by clicks ->
one pass -> loss -> AdamW -> moving average.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from training.command import command_line
from training.datasets.table import TrainingData
from training.distributed import ProcessGroup
from training.loop import TrainingRunOptions, TrainingTask, run_task
from training.sources import COMPOSED, MAX_SIDE, SceneReader
from training.tiny.config import TinyTrainConfig
from training.tiny.previews import write_sheet
from training.tiny.samples import TinySamples
from training.tiny.trainer import TinyTrainer
from training.validation import Scores, held_out_scenes, validate_prompts

DETAIL_LONGEST, DETAIL_COMPOSED = 1024, 640
"""Sizes of images and of composed scenes for the detail stage, in pixels."""
PREVIEWS = 8
"""Samples on the sheet of previews, of images never trained on."""


def train(config: TinyTrainConfig, run: TrainingRunOptions) -> TinyTrainer:
    """Train until the schedule or the run's minutes end; saves into ``run.out``.

    Raises:
        ZimError: the data, the initial weights or the state cannot be used.
    """
    fine = config.zoom > 1
    longest = DETAIL_LONGEST if fine else MAX_SIDE
    composed = DETAIL_COMPOSED if fine else COMPOSED

    def reader(data: TrainingData, *, held_out: bool) -> SceneReader:
        return SceneReader(
            data,
            held_out=held_out,
            weights=config.allowed,
            longest=longest,
            composed=composed,
        )

    def samples(data: TrainingData) -> TinySamples:
        return TinySamples(reader(data, held_out=False), config, config.seed)

    def previews(
        data: TrainingData, used: TinySamples
    ) -> Callable[[TinyTrainer, Path], None]:
        del used
        scenes = reader(data, held_out=True)
        # All of one size, however short the run is.
        steps = max(config.steps, PREVIEWS)
        full = replace(config, small_share=0.0, steps=steps)
        drawn = TinySamples(scenes, full, config.seed + 1)
        last = len(drawn) - PREVIEWS
        shown = [drawn[last + i] for i in range(PREVIEWS)] if scenes else []
        return lambda trainer, path: write_sheet(trainer.average, shown, path)

    def validation(data: TrainingData) -> Callable[[TinyTrainer], Scores] | None:
        scenes = held_out_scenes(
            reader(data, held_out=True), config.val_cases, config.seed
        )
        if not scenes:
            return None
        return lambda made: validate_prompts(made.average, scenes, made.device)

    def trainer(group: ProcessGroup) -> TinyTrainer:
        made = TinyTrainer(config, group)
        if run.resume is None and run.init is None:
            made.begin()
        return made

    return run_task(TrainingTask(config, trainer, samples, previews, validation), run)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    return command_line("train_tiny", TinyTrainConfig, train, argv)


if __name__ == "__main__":
    raise SystemExit(main())
