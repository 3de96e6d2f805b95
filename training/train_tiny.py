"""Train zim-tiny: ``python -m training.train_tiny CONFIG --data DIR --out DIR``.

One step: draw views and prompts -> passes whose answers are corrected by clicks ->
one pass -> loss -> AdamW -> moving average.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from training.distributed import Team
from training.loop import Run, Task, command_line, run_task
from training.sources import COMPOSED, LONGEST, Pictures
from training.tiny.config import TinyTrainConfig
from training.tiny.previews import write_sheet
from training.tiny.samples import TinySamples
from training.tiny.trainer import TinyTrainer

DETAIL_LONGEST, DETAIL_COMPOSED = 1024, 640
"""Sizes of images and of composed scenes for the detail stage, in pixels."""
PREVIEWS = 8
"""Samples on the sheet of previews, of pictures never trained on."""


def train(config: TinyTrainConfig, run: Run) -> TinyTrainer:
    """Train until the schedule or the run's minutes end; saves into ``run.out``.

    Raises:
        ZimError: the data, the initial weights or the state cannot be used.
    """
    fine = config.stage == "detail"
    longest = DETAIL_LONGEST if fine else LONGEST
    composed = DETAIL_COMPOSED if fine else COMPOSED

    def samples(folder: Path) -> TinySamples:
        pictures = Pictures(
            folder, weights=config.allowed, longest=longest, composed=composed
        )
        return TinySamples(pictures, config, config.seed)

    def previews(
        folder: Path, used: TinySamples
    ) -> Callable[[TinyTrainer, Path], None]:
        del used
        pictures = Pictures(folder, weights=config.allowed, held_out=True)
        drawn = TinySamples(pictures, config, config.seed + 1)
        last = len(drawn) - PREVIEWS
        shown = [drawn[last + i] for i in range(PREVIEWS)] if pictures else []
        return lambda trainer, path: write_sheet(trainer.average, shown, path)

    def trainer(team: Team) -> TinyTrainer:
        made = TinyTrainer(config, team)
        if run.resume is None and run.init is None:
            made.begin()
        return made

    return run_task(Task(config, trainer, samples, previews), run)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""

    def run(path: Path, run: Run) -> TinyTrainer:
        return train(TinyTrainConfig.read(path), run)

    return command_line("train_tiny", run, argv)


if __name__ == "__main__":
    raise SystemExit(main())
