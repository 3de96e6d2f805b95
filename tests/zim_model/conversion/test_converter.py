import dataclasses
import json

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from zim_model.assets import asset_path
from zim_model.conversion.config import (
    CONVERTER,
    CONVERTER_TINY,
    ConvEncoder,
    ConverterConfig,
    HieraEncoder,
)
from zim_model.conversion.converter import Converter
from zim_model.conversion.cues import CUES, DISTANCE, LABEL, SOFT, label_cue_maps
from zim_model.conversion.network import ConverterNetwork, MultiScaleAlphas, fuse_scales
from zim_model.conversion.weights import load_converter, save_converter
from zim_model.errors import Cancelled, WeightsError, ZimError
from zim_model.weights.tensors import CONVERTER_KEY

SMALL = dataclasses.replace(
    CONVERTER_TINY,
    name="small",
    image_size=128,
    margin=16,
    encoder=ConvEncoder((8, 8, 8, 8, 8, 8), (0, 0, 0, 0, 0, 0)),
    decoder=(8, 8, 8, 8, 8),
)


@pytest.fixture
def converter():
    torch.manual_seed(0)
    return Converter(ConverterNetwork(SMALL))


@pytest.fixture
def disc():
    """A red disc on green, (90, 120), and its mask, three pixels too large."""
    y, x = np.mgrid[:90, :120]
    radius = np.hypot(x - 60, y - 45)
    image = np.where((radius < 25)[..., None], (200, 30, 30), (30, 160, 40))
    return image.astype(np.uint8), radius < 28


def test_an_untrained_network_predicts_near_the_best_cue(converter, disc):
    image, mask = disc
    alpha = converter.convert(image, mask)
    assert alpha.shape == mask.shape
    assert alpha.dtype == np.uint16
    true = image[..., 0] == 200
    assert np.abs(alpha / 65535 - true).mean() < 0.7 * np.abs(mask * 1.0 - true).mean()


def test_bytes_are_cut_at_half(converter, disc):
    image, mask = disc
    grey = np.where(mask, 200, 100).astype(np.uint8)
    expected = converter.convert(image, mask)
    assert (converter.convert(image, grey) == expected).all()


def test_a_large_image_is_refined_at_its_own_size(converter, disc):
    image, mask = (
        cv2.resize(plane, (480, 360), interpolation=cv2.INTER_NEAREST)
        for plane in (disc[0], disc[1].astype(np.uint8))
    )
    alpha = converter.convert(image, mask > 0)
    assert alpha.shape == (360, 480)
    assert alpha[180, 240] > 60000
    assert alpha[5, 5] == 0


def test_far_from_the_edge_the_label_is_kept(disc):
    torch.manual_seed(0)
    network = ConverterNetwork(SMALL)
    for head in (network.eighth, network.quarter):
        torch.nn.init.constant_(head[1].bias, 50.0)  # "object" everywhere
    x = np.mgrid[:128, :400][1]
    mask = x < 60
    image = np.zeros((128, 400, 3), np.uint8)
    config = dataclasses.replace(SMALL, image_size=512)
    network.config = config
    alpha = Converter(network).convert(image, mask)
    assert (alpha[:, :60] == 65535).all()
    assert not alpha[:, 170:].any()


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.zeros((90, 120), bool), "empty"),
        (np.full((90, 120), 127, np.uint8), "empty"),
        (np.ones((90, 121), bool), "121 x 90 pixels and the photo 120 x 90"),
        (np.ones((90, 120, 3), np.uint8), "mask has shape"),
        (np.ones((90, 120), np.float32), "mask has shape"),
    ],
)
def test_masks_that_cannot_be_used(converter, disc, mask, message):
    with pytest.raises(ZimError, match=message):
        converter.convert(disc[0], mask)


def test_an_image_that_cannot_be_used(converter, disc):
    with pytest.raises(ZimError, match="image has shape"):
        converter.convert(disc[0][..., 0], disc[1])


def test_a_mask_of_all_is_opaque_and_one_pixel_does_not_fail(converter, disc):
    image, _ = disc
    assert (converter.convert(image, np.ones((90, 120), bool)) == 65535).all()
    one = np.zeros((90, 120), bool)
    one[3, 4] = True
    assert converter.convert(image, one).shape == (90, 120)
    large = np.zeros((2000, 900, 3), np.uint8)
    one = np.zeros((2000, 900), bool)
    one[0, 0] = one[1999, 899] = True  # too small for the network's grid
    assert converter.convert(large, one).shape == (2000, 900)


def test_a_conversion_can_be_withdrawn(converter, disc):
    with pytest.raises(Cancelled):
        converter.convert(*disc, cancelled=lambda: True)


@pytest.mark.parametrize("windowed", [False, True])
def test_hiera_learns_from_image_and_label(windowed):
    config = dataclasses.replace(
        CONVERTER,
        image_size=224 if windowed else 64,
        encoder=HieraEncoder(16, (1, 1, 2, 1), 1, windowed, (8, 8)),
        decoder=(16, 16, 16, 8, 8),
        decoder_depths=(1, 1, 0, 0, 0),
    )
    torch.manual_seed(0)
    network, side = ConverterNetwork(config), config.image_size
    with torch.no_grad():
        for head in (network.eighth, network.quarter, network.full):
            torch.nn.init.normal_(head[1].weight)
    answers = network(torch.rand(2, 3, side, side), torch.ones(2, 1, side, side))
    assert [a.shape[-1] for a in answers] == [side // 8, side // 4, side]
    for alpha in fuse_scales(answers):
        assert alpha.shape == (2, 1, side, side)
    sum(a.sum() for a in answers).backward()
    patches = network.encoder.hiera.patches
    assert not patches.weight[:, 3].any(), "the label starts without influence"
    assert patches.weight.grad[:, 3].abs().sum() > 0, "and gains it by training"


def test_a_square_input_takes_any_object():
    config = dataclasses.replace(
        CONVERTER,
        image_size=128,
        margin=16,
        encoder=HieraEncoder(16, (1, 1, 1, 1), 1, stem=(8, 8)),
        decoder=(16, 16, 16, 8, 8),
        decoder_depths=(0, 0, 0, 0, 0),
    )
    converter = Converter(ConverterNetwork(config))
    for height, width in ((64, 90), (300, 200), (331, 517)):
        y, x = np.mgrid[:height, :width]
        image = np.zeros((height, width, 3), np.uint8)
        for side in (9, 40, 47, height - 1):
            mask = (y > 1) & (y < side) & (x > 3) & (x < side)
            assert converter.convert(image, mask).shape == (height, width)


def test_the_real_size_is_hiera_b_plus():
    with torch.device("meta"):
        network = ConverterNetwork(CONVERTER)
    hiera = network.encoder.hiera
    count = sum(p.numel() for p in hiera.parameters())
    positions = hiera.model.embeddings.position_embeddings.numel()
    assert 68e6 < count - positions < 71e6


def test_finer_scales_count_only_where_coarser_ones_are_unsure():
    coarse = torch.ones(1, 1, 8, 8)
    coarse[..., 4:] = 0.0
    coarse[..., 3] = 0.5  # unsure in a stripe
    answers = MultiScaleAlphas(
        coarse, torch.full((1, 1, 16, 16), 0.5), torch.full((1, 1, 64, 64), -0.02)
    )
    eighth, quarter, full = (a[0, 0] for a in fuse_scales(answers, (3, 1)))
    assert (quarter[:, :8] == eighth[:, :8]).all()
    torch.testing.assert_close(quarter[:, 28], torch.full((64,), 0.5))
    assert (full[:, :8] == 1).all(), "sure: the finest scale is not used"
    assert (full[:, 28] < 0).all()
    constrained = fuse_scales(answers, unsure=torch.ones(1, 1, 64, 64))[-1]
    assert (constrained < 0).all()


def test_cues_separate_the_object_by_its_colours(disc):
    image, mask = disc
    cues = label_cue_maps(image, mask)
    assert cues.shape == (CUES, 90, 120)
    assert cues.dtype == np.float32
    true = (image[..., 0] == 200).astype(np.float32)
    for plane in (SOFT, 4, 5):
        wrong = np.abs(cues[plane] - true).mean()
        assert wrong < 0.5 * np.abs(mask - true).mean(), plane
    assert (cues[LABEL] == mask).all()
    assert cues[DISTANCE].min() >= -1
    assert cues[DISTANCE][45, 60] == 1
    assert cues[DISTANCE][0, 0] < 0


def test_files_hold_weights_and_configuration(converter, tmp_path):
    path = tmp_path / "own.safetensors"
    save_converter(converter.network, path)
    again = Converter.load(path)
    assert again.config == SMALL
    third = Converter.load(path)
    assert again.fingerprint == third.fingerprint
    with torch.no_grad():
        third.network.eighth[1].bias += 1
    assert Converter(third.network).fingerprint != again.fingerprint


def test_the_bundled_converter_mends_a_coarse_mask():
    bundled = Converter.load()
    assert bundled.config == CONVERTER_TINY
    path = asset_path("models", "converter-tiny.safetensors")
    assert path.stat().st_size <= 10e6
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:240, :320]
    radius = np.hypot(x - 160, y - 120) - 6 * np.sin(np.arctan2(y - 120, x - 160) * 7)
    alpha = np.clip((70 - radius) / 3, 0, 1)[..., None]
    ground = cv2.GaussianBlur(
        rng.integers(0, 256, (240, 320, 3)).astype(np.float32), (0, 0), 4
    )
    image = (alpha * (210, 60, 40) + (1 - alpha) * ground).astype(np.uint8)
    true = alpha[..., 0]
    for coarse in (radius < 74, radius < 65, np.hypot(x - 160, y - 120) < 69):
        before = np.abs(coarse - true).mean()
        after = np.abs(bundled.convert(image, coarse) / 65535 - true).mean()
        assert after < 0.7 * before


def test_configurations_survive_json():
    for config in (CONVERTER, CONVERTER_TINY):
        data = json.loads(json.dumps(config.to_json()))
        assert ConverterConfig.from_json(data) == config
    with pytest.raises(WeightsError, match="unknown keys: speed"):
        ConverterConfig.from_json({**CONVERTER.to_json(), "speed": 1})
    with pytest.raises(WeightsError, match="Malformed"):
        ConverterConfig.from_json({"name": "x"})


def test_files_that_are_no_converter(tmp_path):
    with pytest.raises(WeightsError, match="no label converter called 'huge'"):
        load_converter("huge")
    with pytest.raises(WeightsError, match="does not exist"):
        load_converter(tmp_path / "none.safetensors")
    path = tmp_path / "bad.safetensors"
    path.write_bytes(b"nothing")
    with pytest.raises(WeightsError, match="damaged"):
        load_converter(path)
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match="holds no label converter"):
        load_converter(path)
    save_file({"a": torch.zeros(1)}, path, {CONVERTER_KEY: json.dumps(SMALL.to_json())})
    with pytest.raises(WeightsError, match="tensors missing"):
        load_converter(path)
    save_file({"a": torch.zeros(1)}, path, {CONVERTER_KEY: "{"})
    with pytest.raises(WeightsError, match="malformed"):
        load_converter(path)
