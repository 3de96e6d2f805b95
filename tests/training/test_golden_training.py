"""The numerics of training stay as they are; see :mod:`tests.golden`."""

import numpy as np
import pytest
import torch

from tests.golden import Case, check, disc, photo
from training.conversion.degradations import DEGRADATIONS, coarse_label, cut_same_region
from training.losses import gradients, matte_loss, region_loss, zim_loss
from training.procedural.render import composite, render
from training.prompt_sampling import (
    jitter_box,
    sample_central_click,
    sample_clicks,
)
from training.samples import augment
from training.sources import Scene
from zim_model.matting.rle import decoded, encoded
from zim_model.prompts import Box


def losses():
    logits = torch.linspace(-3, 3, 2 * 4 * 24 * 32).reshape(2, 4, 24, 32).sin() * 4
    target = torch.from_numpy(disc(24, 32, 3.0)).expand(2, 24, 32).contiguous()
    weight = torch.ones_like(target)
    weight[:, :4] = 0
    iou, exact = logits.mean((-2, -1)), torch.tensor([1.0, 0.0])
    alpha = logits[:, 0].sigmoid()
    values = {
        "gradients": gradients(alpha),
        "matte": matte_loss(alpha, target, weight),
    }
    for kind in ("bce", "focal", "iou"):
        values[f"region, {kind}"] = region_loss(logits[:, 0], target, weight, kind)
        total, _ = zim_loss(logits, iou, target, weight, exact, kind)
        values[f"zim, {kind}"] = total
    return values


def labels():
    label = disc() > 0.5
    drawn = {
        name: kind.draw(np.random.default_rng(3), label, 6.0)
        for name, kind in DEGRADATIONS.items()
    }
    for seed in range(4):
        rng = np.random.default_rng(seed)
        drawn[f"drawn {seed}"] = coarse_label(rng, disc())
        cut, alpha = cut_same_region(rng, label, disc())
        drawn |= {f"cut {seed}": cut, f"cut {seed} alpha": alpha}
    return drawn


def prompts():
    mask, others = disc() > 0.5, photo()[..., 2] > 150
    rng = np.random.default_rng(4)
    box = Box.around(mask)
    moved = [jitter_box(rng, box, 96, 128) for _ in range(4)]
    points = [
        point
        for _ in range(6)
        for point in sample_clicks(rng, [mask], others, max_points=12)
    ]
    points.append(sample_central_click(rng, mask, positive=True))
    return {
        "boxes": [(b.x0, b.y0, b.x1, b.y1) for b in (box, *moved)],
        "points": [(p.x, p.y, p.positive) for p in points],
    }


def images():
    rendered = {}
    for index, kind in enumerate(("fur", "leaves", None)):
        rng = np.random.default_rng(index)
        sample = render(rng, photo(160, 200), kind)
        rendered |= {f"{kind} image": sample.image, f"{kind} alpha": sample.alpha}
    front, back = photo(seed=1), photo(seed=2)
    rendered["linear"] = composite(front, back, disc(), linear=True)
    return rendered


def scenes():
    known = np.ones((96, 128), bool)
    scene = Scene(photo(), disc(), known, disc() > 2, True)
    made = [augment(np.random.default_rng(seed), scene) for seed in range(3)]
    return {
        **{f"{n} image": each.image for n, each in enumerate(made)},
        **{f"{n} alpha": each.alpha for n, each in enumerate(made)},
    }


def rle():
    mask = disc() > 0.5
    mask[:, :2] = True
    packed = encoded(mask)
    return {
        "packed": np.frombuffer(packed["counts"].encode(), np.uint8),
        "plain": encoded(mask, packed=False)["counts"],
        "decoded": decoded(packed),
    }


CASES = {
    "losses": Case(losses, rtol=1e-4, atol=1e-5),
    "labels": Case(labels, atol=1e-3),
    "prompts": Case(prompts),
    "pictures": Case(images, atol=2, rtol=1e-3),
    "scenes": Case(scenes, atol=2, rtol=1e-3),
    "rle": Case(rle),
}


@pytest.mark.parametrize("name", CASES)
def test_numerics_are_as_they_were(name):
    check("training", name, CASES[name])
