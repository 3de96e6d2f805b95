"""Zim-tiny's backend with a network that only passes its input on."""

from __future__ import annotations

import numpy as np
import pytest

from zim_model.backends.backend import EncodedView
from zim_model.backends.tiny_backend import TinyBackend
from zim_model.backends.view import View
from zim_model.network.config import TinyConfig


class PassingNetwork:
    """The detail stage enlarges the coarse logits it gets to twice their size."""

    config = TinyConfig(detail_widths=(8, 8, 8))
    fingerprint, device_label, is_half = "passing", "CPU", False

    def refine(self, features: object, logits: np.ndarray) -> np.ndarray:
        return logits.repeat(2, 0).repeat(2, 1)


@pytest.mark.parametrize("height", [290, 299, 300, 301, 317])
@pytest.mark.parametrize("width", [450, 451, 453])
def test_a_matte_does_not_fade_where_the_image_ends(height: int, width: int) -> None:
    """The two stages see the view at sizes that are rounded differently."""
    backend = TinyBackend(PassingNetwork())  # type: ignore[arg-type]
    config = PassingNetwork.config
    view = View.whole(height, width, config.image_size)
    coarse = np.ones(view.cells(config.mask_stride), np.float32)
    fine = View.whole(height, width, config.detail_size)
    logits = backend.refine(EncodedView(fine, None), coarse)  # type: ignore[arg-type]
    assert (logits > 5).all()
