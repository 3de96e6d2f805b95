"""The numerics of inference stay as they are; see :mod:`tests.golden`."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from tests.golden import Case, check, disc, fill, photo, words
from tests.zim_model.conftest import SMALL_TINY, SMALL_VIT
from zim_model.arrays import mask_bounds
from zim_model.backends.view import (
    View,
    border_fade,
    normalise,
    resize_view,
)
from zim_model.conversion.config import CONVERTER_TINY, ConvEncoder
from zim_model.conversion.converter import Converter
from zim_model.conversion.cues import guided_filter, label_cue_maps
from zim_model.conversion.network import ConverterNetwork
from zim_model.evaluation.clicks import first_click, next_click, number_of_clicks
from zim_model.evaluation.measures import compute_metrics, unknown_region
from zim_model.finish import Finish, Stroke
from zim_model.imported_mask import ImportedMask
from zim_model.inference.engine import Engine
from zim_model.inference.flip_tta import FlippedFeatures, FlipTta
from zim_model.inference.generator_geometry import (
    non_maximum_suppression,
    remove_small_regions,
)
from zim_model.inference.mask_generator import ZimAutomaticMaskGenerator
from zim_model.inference.oom_fallback import backend_of
from zim_model.inference.prediction import logits_to_alphas
from zim_model.inference.tiled_refinement import refine_tiles
from zim_model.matting import metrics
from zim_model.matting.edge_and_brush import (
    apply_edge_adjustments,
    apply_strokes,
)
from zim_model.matting.foreground import estimate_foreground
from zim_model.matting.guided_upsampling import guided_upsample, upsample_in_steps
from zim_model.matting.halo import measure_halo
from zim_model.matting.pyramid import (
    display_pyramid,
    image_pyramid,
    update_pyramid_region,
)
from zim_model.matting.rle import encoded
from zim_model.network.config import sam_variant
from zim_model.network.decoder import attention_mask
from zim_model.prompts import Box, Point, PromptSet, Scribble
from zim_model.recipe import Options, Recipe
from zim_model.request import Request
from zim_model.weights.checkpoint import build

CONVERTER = replace(
    CONVERTER_TINY,
    name="small",
    image_size=128,
    margin=16,
    encoder=ConvEncoder((8, 8, 8, 8, 8, 8), (0, 1, 0, 0, 0, 0)),
    decoder=(8, 8, 8, 8, 8),
)
CLICK = PromptSet((Point(50, 52),))
CLICKS = PromptSet((Point(50, 52), Point(100, 28, False), Point(44, 60)))
BOX = PromptSet((), Box(20, 22, 84, 84))
BOTH = PromptSet((Point(50, 52), Point(96, 80, False)), Box(20, 22, 84, 84))
DRAWN = PromptSet((), None, (Scribble(((30, 60), (50, 50), (60, 64))),))
STROKES = (
    Stroke(((90.0, 20.0, 1.0), (110.0, 40.0, 0.5)), 9.0, 0.4),
    Stroke(((50.0, 55.0, 1.0),), 12.0, 0.8, "erase", 0.7),
    Stroke(((20.0, 50.0, 1.0), (60.0, 80.0, 1.0)), 10.0, 0.5, "soften"),
)
SETS = {
    "click": CLICK,
    "clicks": CLICKS,
    "box": BOX,
    "both": BOTH,
    "scribble": DRAWN,
}


@cache
def backend(name):
    config = {
        "vit": SMALL_VIT,
        "sam": sam_variant(replace(SMALL_VIT, name="small-vit-sam")),
        "tiny": replace(SMALL_TINY, detail_widths=(8, 8, 8)),
    }[name]
    return backend_of(fill(build(config)), "cpu")


def small_alpha():
    return disc()[2::4, 2::4].copy()


# -- Pixels ---------------------------------------------------------------------------


def upsampling():
    image, small = photo(), small_alpha()
    finer, guide = upsample_in_steps(disc()[3::8, 3::8].copy(), image)
    return {
        "guided": guided_upsample(small, image, guided=True),
        "bilinear": guided_upsample(small, image, guided=False),
        "stepped": finer,
        "after steps": guided_upsample(finer, image, guided=True, guide=guide),
    }


def tiled_refinement():
    image, view = photo(192, 256), View(0, 0, 256, 192, 128)
    true = disc(192, 256)

    def predict_view(part, prompts):
        height, width = part.input_size
        rows = np.linspace(part.top, part.bottom - 1, height).astype(int)
        columns = np.linspace(part.left, part.right - 1, width).astype(int)
        return true[np.ix_(rows, columns)] * np.float32(0.9)

    coarse = words(disc(192, 256, soft=24.0))
    return {"alpha": refine_tiles(coarse, image, view, predict_view)}


def foreground(method):
    def run():
        image, alpha = photo(), words(disc())
        deep = image.astype(np.uint16) * 257
        return {
            "8 bits": estimate_foreground(image, alpha, amount=0.7, method=method),
            "16 bits": estimate_foreground(deep, alpha, method=method),
        }

    return run


def halo():
    share = measure_halo(photo(), words(disc()))
    return {"halo": [share.before, share.after, share.after_decontamination(0.4)]}


def edges():
    alpha = words(disc())
    finishes = {
        "grown": Finish(shift_edge=2.5),
        "shrunk": Finish(shift_edge=-3.25),
        "feathered": Finish(feather=2.0),
        "steep": Finish(contrast=0.6),
        "all": Finish(1.5, 1.0, 0.3),
    }
    return {
        name: apply_edge_adjustments(alpha, finish) for name, finish in finishes.items()
    }


def brushes():
    alpha = words(disc())
    return {
        **{each.brush: apply_strokes(alpha, (each,)) for each in STROKES},
        "all": apply_strokes(alpha, STROKES),
    }


def pyramids():
    image, alpha = photo(600, 700), words(disc(600, 700))
    levels = tuple(level.copy() for level in display_pyramid(alpha))
    part = (slice(100, 333), slice(7, 410))
    levels[0][part] = 255 - levels[0][part]
    update_pyramid_region(levels, part)
    return {
        "image": image_pyramid(image)[1],
        "alpha": display_pyramid(alpha)[1],
        "updated": levels[1],
        "support": mask_bounds(alpha),
    }


def views():
    image, config = photo(150, 200), SMALL_TINY
    view, whole = View(44, 24, 136, 126, 128), View.whole(150, 200, 128)
    return {
        "area": resize_view(config, image, view),
        "pil": resize_view(SMALL_VIT, image, whole),
        "input": normalise(resize_view(config, image, view), config.image_size),
        "fade": border_fade((40, 50), view, 150, 200),
        "alphas": logits_to_alphas(np.linspace(-9, 9, 60, dtype=np.float32)),
    }


def rle():
    mask = disc() > 0.5
    mask[:, :3] = True
    speckled = mask ^ (np.random.default_rng(5).random(mask.shape) > 0.97)
    return {
        "runs": encoded(mask, packed=False)["counts"],
        "string": np.frombuffer(encoded(speckled)["counts"].encode(), np.uint8),
        "islands": remove_small_regions(speckled, 30),
    }


def suppression():
    rng = np.random.default_rng(6)
    corners = rng.uniform(0, 80, (40, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(5, 60, (40, 2))], 1)
    return {"kept": non_maximum_suppression(boxes, rng.random(40).tolist(), 0.4)}


def imported():
    level = np.round(disc() * 255).astype(np.uint8)
    mask = ImportedMask.from_level(level)
    return {"level": mask.decode(), "size": mask.size}


# -- Metrics --------------------------------------------------------------------------


def errors():
    target = disc()
    predicted = np.clip(disc(soft=11.0) * 1.1 - 0.03, 0, 1).astype(np.float32)
    predicted[10:16, 90:110] = 0.8
    named = compute_metrics(predicted, target, unknown_region(target))
    return {
        "five": [
            getattr(metrics, name)(predicted, target)
            for name in ("sad", "mse", "mae", "grad", "conn")
        ],
        "iou": metrics.iou(predicted > 0.5, target > 0.5),
        "names": np.array(list(named)),
        "all": list(named.values()),
    }


def simulated_clicks():
    target, wrong = disc() > 0.5, disc(soft=30.0) > 0.7
    everywhere, nowhere = np.ones_like(target), np.zeros_like(target)
    click = next_click(wrong, target, everywhere, nowhere)
    first = first_click(target)
    return {
        "next": [click.x, click.y, click.positive],
        "first": [first.x, first.y, first.positive],
        "noc": number_of_clicks([0.3, 0.7, 0.86, 0.9], 0.85, 20),
    }


# -- Inputs of networks ----------------------------------------------------------------


def converter_cues():
    image, label = photo(), disc() > 0.3
    grey = image.mean(-1).astype(np.float32) / 255
    return {
        "cues": label_cue_maps(image, label),
        "guided": guided_filter(image.astype(np.float32) / 255, grey, 4, 1e-3),
    }


def attention():
    coords = torch.tensor([[[30.0, 40], [90, 20], [10, 10], [70, 80]]])
    sets = {
        "points": [1, 0, -1, -1],
        "box": [-1, -1, 2, 3],
        "both": [1, 0, 2, 3],
        "none": [-1, -1, -1, -1],
    }
    return {
        name: attention_mask(coords, torch.tensor([labels]), 8, 21 / 64)
        for name, labels in sets.items()
    }


# -- Networks -------------------------------------------------------------------------


def network(name):
    def run():
        image, model = photo(), backend(name)
        view = View.whole(96, 128, model.config.image_size)
        encoded = model.encode(image, view)
        pixels = normalise(resize_view(model.config, image, view), view.image_size)
        with torch.inference_mode():
            features = model.model.encode(torch.as_tensor(pixels)[None])
        outputs = {"embeddings": features.embeddings}
        earlier = np.linspace(-5, 5, 32 * 32, dtype=np.float32).reshape(1, 32, 32)
        for kind, prompts in SETS.items():
            logits, scores = model.decode(encoded, view.apply(prompts))
            outputs |= {f"{kind} logits": logits, f"{kind} scores": scores}
        logits, _ = model.decode(encoded, view.apply(CLICK), earlier)
        outputs["again"] = logits
        other = model.encode(image[:, ::-1], view.flip(128))
        both = FlippedFeatures.join(encoded, other)
        outputs["mirrored"], _ = FlipTta(model).decode(both, view.apply(BOTH))
        return outputs

    return run


def tiny_network():
    image, model = photo(), backend("tiny")
    view = View.whole(96, 128, model.config.image_size)
    encoded, outputs = model.encode(image, view), {}
    earlier = np.linspace(-5, 5, 64 * 64, dtype=np.float32).reshape(1, 64, 64)
    for kind, prompts in SETS.items():
        logits, scores = model.decode(encoded, view.apply(prompts))
        outputs |= {f"{kind} logits": logits, f"{kind} scores": scores}
    outputs["again"], _ = model.decode(encoded, view.apply(CLICK), earlier[:, :48])
    finer = model.encode(image, replace(view, image_size=model.config.detail_size))
    outputs["detail"] = model.refine(finer, small_alpha())
    return outputs


def label_converter():
    converter = Converter(fill(ConverterNetwork(CONVERTER)))
    image, label = photo(), disc() > 0.3
    return {
        "matte": converter.convert(image, label),
        "answer": converter.predict(image, label),
    }


def mattes(name):
    def run():
        engine = Engine(lambda model, placement: backend(name))
        outputs = {}
        plain = Request(photo(), "golden", Recipe(CLICK, "golden"))
        requests = {
            **{kind: plain.with_recipe(prompts=sets) for kind, sets in SETS.items()},
            "candidate": plain.with_recipe(options=Options(candidate=2)),
            "bilinear": plain.with_recipe(options=Options(upsampling="bilinear")),
            "native": _native(),
            "mirrored": plain.with_recipe(options=Options(flip_tta=True)),
            "finish": plain.with_recipe(
                finish=Finish(1.5, 1.0, 0.3, STROKES, decontaminate=0.8)
            ),
            "also": plain.with_recipe(more_prompt_sets=(BOX,)),
            "mask": plain.with_recipe(masks=(_mask(),), prompts=PromptSet()),
        }
        for kind, request in requests.items():
            matte = engine.solve(request)
            outputs |= {f"{kind} alpha": matte.alpha, f"{kind} scores": matte.scores}
            if matte.foreground:
                outputs[f"{kind} colours"] = matte.foreground[0]
        return outputs

    return run


def _native():
    prompts = PromptSet((Point(200, 208),))
    options = Options(upsampling="native")
    return Request(photo(384, 512), "large", Recipe(prompts, "golden", options))


def _mask():
    level = np.round(disc() * 255).astype(np.uint8)
    return replace(ImportedMask.from_level(level), refine=False)


def generator():
    grid = np.stack(np.meshgrid([0.25, 0.5, 0.75], [0.3, 0.7]), -1).reshape(-1, 2)
    records = ZimAutomaticMaskGenerator(
        backend("vit"),
        points_per_side=None,
        point_grids=[grid],
        pred_iou_thresh=-9.0,
        stability_score_thresh=0.0,
        box_nms_thresh=1.0,
    ).generate(photo())
    order = sorted(records, key=lambda each: (*each["point_coords"][0], each["area"]))
    return {
        "points": [each["point_coords"][0] for each in order],
        "area": [each["area"] / 12288 for each in order],
        "iou": [each["predicted_iou"] for each in order],
        "stability": [each["stability_score"] for each in order],
    }


CASES = {
    "upsampling": Case(upsampling, atol=2e-4, rtol=2e-4),
    "tiled refinement": Case(tiled_refinement, atol=4, rtol=1e-3),
    "foreground, multi-level": Case(foreground("multi-level"), atol=1, rtol=1e-3),
    "foreground, blur fusion": Case(foreground("blur-fusion"), atol=1, rtol=1e-3),
    "halo": Case(halo, rtol=1e-3),
    "edges": Case(edges, atol=2),
    "brushes": Case(brushes, atol=2),
    "pyramids": Case(pyramids, atol=1),
    "views": Case(views, rtol=1e-5, atol=1e-5),
    "rle": Case(rle),
    "suppression": Case(suppression),
    "imported mask": Case(imported),
    "errors": Case(errors, rtol=1e-4),
    "simulated clicks": Case(simulated_clicks),
    "converter cues": Case(converter_cues, rtol=1e-3, atol=1e-3),
    "attention mask": Case(attention, rtol=1e-5, atol=1e-6),
    **{
        f"network, {name}": Case(network(name), rtol=1e-3, atol=2e-3)
        for name in ("vit", "sam")
    },
    "network, tiny": Case(tiny_network, rtol=1e-3, atol=2e-3),
    "label converter": Case(label_converter, rtol=1e-2, atol=40),
    **{
        f"mattes, {name}": Case(mattes(name), rtol=1e-2, atol=60)
        for name in ("vit", "tiny")
    },
    "mask generator": Case(generator, rtol=2e-2, atol=2e-3),
}


@pytest.mark.parametrize("name", CASES)
def test_numerics_are_as_they_were(name):
    check("zim_model", name, CASES[name])
