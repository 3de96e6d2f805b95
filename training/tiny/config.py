"""The settings of zim-tiny's training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, cast

from training.run_config import RunSettings, check_side
from training.sources import Weights
from zim_model.errors import ZimError
from zim_model.network.config import DETAIL_WIDTHS, LiteConfig, TinyConfig

LITE0, LITE2 = TinyConfig(), TinyConfig(encoder=LiteConfig("lite2"))
MODELS = {
    "zim-tiny": LITE2,
    "zim-tiny-detail": replace(LITE2, detail_widths=DETAIL_WIDTHS),
    "zim-tiny-lite0": LITE0,
    "zim-tiny-lite0-detail": replace(LITE0, detail_widths=DETAIL_WIDTHS),
}
ROUND_SHARES = (0.4, 0.3, 0.2, 0.1)
"""Shares of the steps with 0, 1, 2 and 3 passes before the one that is learned from."""


def model_of(architecture: TinyConfig) -> str | None:
    """Name among MODELS of an architecture; None if it cannot be trained."""
    return next((name for name, known in MODELS.items() if known == architecture), None)


@dataclass(frozen=True, slots=True)
class TinyTrainConfig(RunSettings):
    """What a run of zim-tiny's training does, see ``training.run_config.RunSettings``.

    Attributes:
        stage: ``answers`` trains all but the detail stage, ``detail`` that alone,
            ``joint`` everything together.
        weights: ``open`` trains on images that leave the weights free for any use,
            ``all`` also on those for research only.
        encoder_lr: learning rate of the pretrained encoder, as a share of ``lr``.
        size: input side of the views, see :func:`check_side`.
        small_size, small_share: input side of the first steps, and their share of all
            steps; cheaper, so that more is seen.
        whole_share: share of the views without a box that show the whole image.
        subject_share: share of the prompt sets of main objects that are empty.
        box_share: share of the prompt sets that are a box, most of them without clicks.
        drawn_share: share that are a scribble or a lasso.
        lasso_looseness: width of the background inside a lasso, as a share of the
            object's size, at most.
        rounds: largest number of passes before a step whose predictions are corrected
            by clicks and fed back (iterative training, RITM), at most 3.
        matte_weight: of the paper's matte loss on real mattes.
        answers_weight: of the loss of the best of part, object and group.
        detail_weight: of the detail stage's loss where all is trained.
        purity_weight: of the term of that loss for opaque insides and empty outsides.
    """

    stage: str = "answers"
    weights: str = "open"
    encoder_lr: float = 0.25
    size: int = 256
    small_size: int = 192
    small_share: float = 0.0
    whole_share: float = 0.55
    subject_share: float = 0.12
    box_share: float = 0.35
    drawn_share: float = 0.08
    lasso_looseness: float = 0.1
    rounds: int = 3
    matte_weight: float = 1.0
    answers_weight: float = 0.3
    detail_weight: float = 1.0
    purity_weight: float = 0.0

    MODELS: ClassVar[Mapping[str, TinyConfig]] = MODELS
    CHOICES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **RunSettings.CHOICES,
        "stage": ("answers", "detail", "joint"),
        "weights": ("open", "all"),
    }

    def __post_init__(self) -> None:
        """Check the sides and the rounds.

        Raises:
            ZimError: one is out of range.
        """
        check_side("size", self.size)
        check_side("small_size", self.small_size)
        most = len(ROUND_SHARES) - 1
        if not 0 <= self.rounds <= most:
            raise ZimError(f"rounds = {self.rounds} is not from 0 to {most}.")

    @property
    def architecture(self) -> TinyConfig:
        """The network's configuration."""
        return MODELS[self.model]

    @property
    def zoom(self) -> int:
        """Side of the images of the samples, as a multiple of the input side."""
        return 1 if self.stage == "answers" else 2

    @property
    def allowed(self) -> Weights:
        """Which images are trained on."""
        return cast(Weights, self.weights)

    def input_side(self, step: int) -> int:
        """The input side of a step's views."""
        return self.small_size if step < self.small_share * self.steps else self.size
