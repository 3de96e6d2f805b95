"""Fit a radiance field to posed photos, from coarse to fine."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from training.sa3d.field import RadianceField
from training.sa3d.frame import GridFrame
from training.sa3d.scene import PosedImage, some_names
from zim_model.errors import ZimError

STAGES = (0.25, 0.5, 1.0)
"""Resolutions of the stages, relative to the last."""
SHARES = (0.2, 0.35, 0.45)
"""Of the steps."""
FINAL_RATE = 0.2
"""Learning rate at the end of a stage, relative to its beginning."""
VARIATION_EVERY = 4
"""Steps between those with the total variation, which costs more than the rays."""
MIN_GAIN_DB = 3.0
"""A photo whose error is less than that below its variance is not explained."""
CHUNK = 8192
"""Rays that are rendered at once."""

Progress = Callable[[int, int, float], None]
"""Gets the step, the number of steps and the PSNR of the step's rays in dB."""


@dataclass(frozen=True, slots=True)
class FitConfig:
    """How a field is fitted.

    Attributes:
        resolution: corners of the grid along each side.
        steps: of Adam.
        batch: rays of a step.
        rate: learning rate.
        density_variation, colour_variation: weights of the total variation.
        seed: of rays and samples.
    """

    resolution: int = 80
    steps: int = 400
    batch: int = 4096
    rate: float = 0.1
    density_variation: float = 1e-3
    colour_variation: float = 1e-2
    seed: int = 0


def view_segments(
    frame: GridFrame, view: PosedImage, device: torch.device
) -> tuple[Tensor, Tensor]:
    """The ends (H * W, 3) of the rays of all pixels of a view, in the grid, float32."""
    camera = view.camera
    starts, ends = frame.ray_segments(camera, camera.pixel_directions())
    return (
        torch.tensor(starts, dtype=torch.float32, device=device),
        torch.tensor(ends, dtype=torch.float32, device=device),
    )


def fit_field(
    views: Sequence[PosedImage],
    frame: GridFrame,
    config: FitConfig,
    device: torch.device,
    progress: Progress = lambda step, steps, psnr: None,
) -> RadianceField:
    """Fit density and colour to views of one size; equal for equal seeds on a CPU."""
    rng = np.random.default_rng(config.seed)
    generator = torch.Generator().manual_seed(config.seed)
    images = np.stack([view.image for view in views])
    batch = min(config.batch, images.size // 3)
    field = RadianceField(max(4, round(config.resolution * STAGES[0]))).to(device)
    step = 0
    for scale, share in zip(STAGES, SHARES, strict=True):
        if scale > STAGES[0]:
            field.upsample(max(4, round(config.resolution * scale)))
        optimizer = torch.optim.Adam(field.parameters(), config.rate, (0.9, 0.99))
        count = max(1, round(config.steps * share))
        for stage_step in range(count):
            for group in optimizer.param_groups:
                group["lr"] = config.rate * FINAL_RATE ** (stage_step / count)
            starts, ends, colours = _draw_rays(rng, views, images, frame, batch)
            rendered = field.render(starts.to(device), ends.to(device), generator)
            error = (rendered - colours.to(device)).square().mean()
            loss = error
            if step % VARIATION_EVERY == 0:
                loss = error + VARIATION_EVERY * field.variation(
                    config.density_variation, config.colour_variation
                )
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            step += 1
            progress(
                step, config.steps, -10 * math.log10(max(float(error.detach()), 1e-10))
            )
        field.find_occupied()
    return field.requires_grad_(False)


def _draw_rays(
    rng: np.random.Generator,
    views: Sequence[PosedImage],
    images: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
    frame: GridFrame,
    batch: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """Ends (batch, 3) in the grid and colours (batch, 3), 0 to 1, of random pixels."""
    _, height, width, _ = images.shape
    starts, ends, colours = [], [], []
    chosen = rng.permutation(len(views))[: min(len(views), 16)]
    for index, count in zip(chosen, _even_parts(batch, len(chosen)), strict=True):
        y, x = rng.integers(height, size=count), rng.integers(width, size=count)
        camera = views[index].camera
        segment = frame.ray_segments(camera, camera.directions(x + 0.5, y + 0.5))
        starts.append(segment[0])
        ends.append(segment[1])
        colours.append(images[index, y, x] / 255)
    joined = (np.concatenate(parts) for parts in (starts, ends, colours))
    first, last, colour = (torch.tensor(x, dtype=torch.float32) for x in joined)
    return first, last, colour


def _even_parts(total: int, parts: int) -> list[int]:
    return [total // parts + (index < total % parts) for index in range(parts)]


@torch.no_grad()
def render_view(field: RadianceField, frame: GridFrame, view: PosedImage) -> Tensor:
    """The image (H, W, 3), 0 to 1, that the field shows in a view."""
    starts, ends = view_segments(frame, view, field.background.device)
    parts = [
        field.render(s, e)
        for s, e in zip(
            torch.split(starts, CHUNK), torch.split(ends, CHUNK), strict=True
        )
    ]
    return torch.cat(parts).reshape(view.image.shape)


def view_psnr(field: RadianceField, frame: GridFrame, view: PosedImage) -> float:
    """PSNR in dB of the field's rendering of a photo."""
    image = torch.tensor(view.image).to(field.background.device) / 255
    error = float((render_view(field, frame, view) - image).square().mean())
    return -10 * math.log10(max(error, 1e-10))


def check_fit(views: Sequence[PosedImage], psnrs: Sequence[float], poses: str) -> None:
    """Check that the fitted field explains the photos.

    Args:
        views: all views.
        psnrs: of the field's rendering of each, in dB.
        poses: the file of the poses, for the message.

    Raises:
        ZimError: it explains some of them hardly better than their mean colour does.
    """
    gains = [
        psnr + 10 * math.log10(max(float((view.image / 255).var((0, 1)).mean()), 1e-10))
        for view, psnr in zip(views, psnrs, strict=True)
    ]
    bad = [v.name for v, gain in zip(views, gains, strict=True) if gain < MIN_GAIN_DB]
    if bad:
        raise ZimError(
            f"The poses in {poses} do not fit the photos: a scene seen from them does"
            f" not look like {some_names(bad)}.",
            "Row i must be the pose of photo i in the order of the sorted names:"
            " estimate the poses again, or leave these photos out. If the poses are"
            " right, fit longer (--steps).",
        )
