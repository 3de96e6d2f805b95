"""The soft edge solved by a trimap network: in tiles, in the engine, and its memory."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.zim_model.conftest import hub_names, random_vitmatte
from tests.zim_model.inference.test_engine import DiscBackend, engine_of
from tests.zim_model.inference.test_engine import request as click_request
from zim_model.backends.trimap_network import TrimapNetwork
from zim_model.errors import Cancelled, DeviceError, WeightsError
from zim_model.imported_mask import ImportedMask
from zim_model.inference import trimap_refinement
from zim_model.inference.oom_fallback import open_trimap_network
from zim_model.inference.trimap_memory import memory_needed
from zim_model.inference.trimap_refinement import refine_with_trimap, solve_trimap
from zim_model.matting.trimap import make_trimap
from zim_model.prompts import Box, PromptSet
from zim_model.recipe import Options, Recipe
from zim_model.request import Request
from zim_model.runtime import devices
from zim_model.runtime.devices import CPU, Device
from zim_model.weights.trimap import CLOSED_FORM

HEIGHT, WIDTH = 240, 330


def comb():
    """Alpha (H, W) in [0, 1] of a plate with soft teeth."""
    alpha = np.zeros((HEIGHT, WIDTH), np.float32)
    alpha[60:120, 30:300] = 1
    for x in range(30, 300, 10):
        alpha[120:160, x : x + 5] = 1
    return cv2.GaussianBlur(alpha, (0, 0), 0.8)


TRUE = comb()
IMAGE = np.repeat((TRUE * 200 + 20).astype(np.uint8)[..., None], 3, axis=2)
SMALL = cv2.resize(TRUE, (WIDTH // 10, HEIGHT // 10), interpolation=cv2.INTER_AREA)
COARSE = (cv2.resize(SMALL, (WIDTH, HEIGHT)) * 65535 + 0.5).astype(np.uint16)


class ByColour:
    """Knows alpha from the image's colour; notes the tiles."""

    def __init__(self, offset=0.0):
        self.offset, self.tiles = offset, []

    def predict(self, image, trimap, cancelled):
        assert image.shape[:2] == trimap.shape
        self.tiles.append(trimap)
        return np.clip(
            (image[..., 0].astype(np.float32) - 20) / 200 + self.offset, 0, 1
        )


def error(alpha):
    return float(np.abs(alpha / 65535 - TRUE).mean())


@pytest.fixture
def small_tiles(monkeypatch):
    monkeypatch.setattr(trimap_refinement, "TILE_SIDE", 64)
    monkeypatch.setattr(trimap_refinement, "TILE_OVERLAP", 16)


def test_the_soft_edge_becomes_the_networks():
    refined = refine_with_trimap(COARSE, IMAGE, ByColour(), cell=10)
    assert refined.dtype == np.uint16
    assert error(refined) < 0.1 * error(COARSE)


def test_known_pixels_keep_their_value_exactly():
    noisy = COARSE.copy()
    noisy[5, 5] = 900  # faint, on the background
    refined = refine_with_trimap(noisy, IMAGE, ByColour(0.2), cell=10)
    known = make_trimap(noisy, 10) != 128
    assert known[5, 5]
    assert (refined == noisy)[known].all()
    assert (refined != noisy)[~known].mean() > 0.5


def test_tiles_blend_to_what_one_tile_gives(small_tiles):
    network = ByColour()
    refined = refine_with_trimap(COARSE, IMAGE, network, cell=10)
    assert len(network.tiles) > 10
    assert max(max(tile.shape) for tile in network.tiles) == 64
    assert error(refined) < 0.1 * error(COARSE)


def test_tiles_of_different_offsets_leave_no_seams(small_tiles):
    class Drifting(ByColour):
        def predict(self, image, trimap, cancelled):
            offset = 0.1 * (len(self.tiles) % 2)
            return super().predict(image, trimap, cancelled) * 0.8 + np.float32(offset)

    refined = refine_with_trimap(COARSE, IMAGE, Drifting(), cell=10).astype(float)
    plain = refine_with_trimap(COARSE, IMAGE, ByColour(), cell=10) * 0.8
    unknown = make_trimap(COARSE, 10) == 128
    both = unknown[:, 1:] & unknown[:, :-1]
    added = np.where(unknown, refined - plain, 0)
    steps = np.abs(np.diff(added, axis=1))[both] / 65535
    assert added.max() / 65535 > 0.05
    assert steps.max() < 0.05, "the offsets fade into each other"


def test_tiles_without_unknown_pixels_are_skipped(small_tiles):
    network = ByColour()
    trimap = np.zeros((400, 400), np.uint8)
    trimap[0:20, 0:20] = trimap[380:400, 380:400] = 128
    image = np.zeros((400, 400, 3), np.uint8)
    fractions = []
    alpha = solve_trimap(image, trimap, network, progress=fractions.append)
    assert len(network.tiles) == len(fractions) <= 8
    assert all((tile == 128).any() for tile in network.tiles)
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert not alpha.any()


def test_a_small_object_is_one_small_tile():
    network = ByColour()
    trimap = np.zeros((3000, 3000), np.uint8)
    trimap[500:560, 700:730] = 128
    solve_trimap(np.zeros((3000, 3000, 3), np.uint8), trimap, network)
    assert [tile.shape for tile in network.tiles] == [(60 + 256, 30 + 256)]


@pytest.mark.parametrize("value", [0, 65535])
def test_nothing_is_asked_where_all_is_known(value):
    alpha = np.full((HEIGHT, WIDTH), value, np.uint16)
    refined = refine_with_trimap(alpha, IMAGE, network := ByColour())
    assert (refined == alpha).all()
    assert not network.tiles


@pytest.mark.parametrize("value", [1, 127, 129, 254])
def test_every_value_between_is_unknown(value):
    """As in trimaps of other programs."""
    trimap = np.full((HEIGHT, WIDTH), value, np.uint8)
    trimap[:20] = 0
    network = ByColour()
    assert error(solve_trimap(IMAGE, trimap, network)) < 0.01
    assert set(np.unique(network.tiles[0])) == {0, 128}


def test_a_huge_part_is_solved_scaled_down(monkeypatch):
    monkeypatch.setattr(trimap_refinement, "MAX_PIXELS", HEIGHT * WIDTH // 4)
    network = ByColour()
    refined = refine_with_trimap(COARSE, IMAGE, network, cell=10)
    assert sum(tile.size for tile in network.tiles) <= HEIGHT * WIDTH // 4 * 1.02
    assert error(refined) < 0.5 * error(COARSE)


def test_a_withdrawn_request_stops_between_tiles(small_tiles):
    network = ByColour()
    with pytest.raises(Cancelled):
        refine_with_trimap(
            *(COARSE, IMAGE, network), cancelled=lambda: len(network.tiles) == 3
        )
    assert len(network.tiles) == 3


# --- In the engine --------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("ZIM_STUDIO_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def install(folder, name, seed=0):
    (folder / name).mkdir(parents=True)
    network = random_vitmatte(seed)
    save_file(hub_names(network), folder / name / "model.safetensors")
    return network


def trimap_request(**options):
    return click_request(
        PromptSet((), Box(60, 40, 120, 110)), upsampling="trimap", **options
    )


def test_the_engine_solves_the_guided_mattes_edge(folder):
    network = install(folder, "hairy")
    request = trimap_request()
    guided = engine_of(DiscBackend()).solve(
        request.with_recipe(options=Options(upsampling="guided"))
    )
    fractions = []
    refined = engine_of(DiscBackend()).solve(request, progress=fractions.append)
    left, top, right, bottom = guided.candidates_view
    cell = max(right - left, bottom - top) / 64
    expected = refine_with_trimap(
        guided.alpha, request.image, TrimapNetwork(network, "cpu"), cell
    )
    assert (refined.alpha != guided.alpha).any()
    np.testing.assert_array_equal(refined.alpha, expected)
    assert fractions == [1]


def test_closed_form_matting_needs_no_network():
    recipe = Recipe(
        PromptSet((), Box(60, 40, 120, 110)),
        "fake",
        Options(None, "trimap", trimap_network=CLOSED_FORM),
    )
    rng = np.random.default_rng(0)
    image = np.where(TRUE[..., None] > 0.5, (210, 60, 40), (20, 70, 160))
    image = np.clip(image + rng.normal(0, 2, image.shape), 0, 255).astype(np.uint8)
    engine = engine_of(DiscBackend(), open_trimap=open_trimap_network)
    solved = engine.solve(Request(image, "c", recipe)).alpha
    guided = engine.solve(Request(image, "c", replace(recipe, options=Options()))).alpha
    cell = 330 / 64
    unknown = make_trimap(guided, cell) == 128
    np.testing.assert_array_equal(solved[~unknown], guided[~unknown])
    assert (solved[unknown] != guided[unknown]).mean() > 0.5


def test_of_a_mask_what_is_known_is_exact():
    unsure = np.minimum(COARSE, 64000)
    trimap = make_trimap(unsure, 10)
    refined = refine_with_trimap(unsure, IMAGE, ByColour(), cell=10, of_mask=True)
    assert (refined[trimap == 255] == 65535).all()
    assert (refined[trimap == 0] == 0).all()
    matte = refine_with_trimap(unsure, IMAGE, ByColour(), cell=10)
    assert (matte[trimap == 255] == 64000).all()
    np.testing.assert_array_equal(refined[trimap == 128], matte[trimap == 128])


def test_a_finish_does_not_ask_the_network_again(folder):
    install(folder, "hairy")
    asked, request = [], trimap_request()

    class Counted(ByColour):
        def predict(self, image, trimap, cancelled):
            asked.append(trimap)
            return super().predict(image, trimap, cancelled)

    engine = engine_of(DiscBackend(), open_trimap=lambda name, placement: Counted())
    engine.solve(request)
    assert len(asked) == 1
    engine.solve(
        Request(request.image, "a", request.recipe.with_finish(shift_edge=2.0))
    )
    assert len(asked) == 1


def test_the_recipe_says_which_network(folder):
    install(folder, "b", seed=1)
    install(folder, "a", seed=2)
    opened = []

    def open_trimap(name, placement):
        opened.append(name)
        return ByColour()

    engine = engine_of(DiscBackend(), open_trimap=open_trimap)
    for name in ("b", "a", ""):
        engine.solve(trimap_request(trimap_network=name))
    assert opened == ["b", "a"], "the first one is taken where none is named"


def test_a_missing_network_is_told_before_anything_runs(folder):
    backend = DiscBackend()
    with pytest.raises(WeightsError, match=r"No trimap network.*models download vitm"):
        engine_of(backend).solve(trimap_request())
    with pytest.raises(WeightsError, match=r"ViTMatte base .* not installed"):
        engine_of(backend).solve(
            trimap_request(trimap_network="vitmatte-base-distinctions-646")
        )
    with pytest.raises(WeightsError, match=r"stranger is not installed"):
        engine_of(backend).solve(trimap_request(trimap_network="//host/stranger"))
    assert not backend.views


def test_an_imported_mask_is_refined_too(folder):
    install(folder, "hairy")
    mask = ImportedMask.from_level((TRUE > 0.5).astype(np.uint8) * 255, refine=False)
    recipe = Recipe(PromptSet(), "fake", Options(None, "trimap"), masks=(mask,))
    engine = engine_of(DiscBackend(), open_trimap=lambda name, placement: ByColour())
    matte = engine.solve(Request(IMAGE, "m", recipe))
    assert error(matte.alpha) < 0.2 * float(np.abs((TRUE > 0.5) - TRUE).mean())


def test_out_of_memory_frees_then_falls_back(folder, monkeypatch):
    install(folder, "hairy")
    card = Device("cuda:0", "Card", 8 << 30)
    monkeypatch.setattr(devices, "available_devices", lambda: (card, CPU))
    monkeypatch.setattr(devices, "_has_tensor_cores", lambda device: True)
    placements = []

    class Hungry(ByColour):
        def __init__(self, placement):
            super().__init__()
            self.placement = placement

        def predict(self, image, trimap, cancelled):
            if self.placement.device != "cpu":
                raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
            return super().predict(image, trimap, cancelled)

    def open_trimap(name, placement):
        placements.append(placement.device)
        return Hungry(placement)

    engine = engine_of(DiscBackend(), open_trimap=open_trimap)
    matte = engine.solve(trimap_request())
    assert placements == ["cuda:0", "cpu"]
    assert any("hairy" in note and "CPU" in note for note in matte.timings.notes)


def test_without_enough_memory_anywhere_it_is_told(folder):
    install(folder, "hairy")

    class Hungry:
        def predict(self, image, trimap, cancelled):
            raise MemoryError

    engine = engine_of(DiscBackend(), open_trimap=lambda name, placement: Hungry())
    with pytest.raises(DeviceError, match="not enough memory for hairy"):
        engine.solve(trimap_request())


# --- Memory ---------------------------------------------------------------------------

MEASURE = """
import numpy as np
from tests.zim_model.conftest import random_vitmatte
from zim_model.backends.trimap_network import TrimapNetwork
from zim_model.inference.trimap_refinement import refine_with_trimap

def peak():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(x.split()[1]) << 10 for x in lines if x.startswith("VmHWM"))

image = np.random.default_rng(0).integers(0, 256, (700, 900, 3), np.uint8)
alpha = np.full((700, 900), 30000, np.uint16)
unknown = np.full((32, 32), 128, np.uint8)
TrimapNetwork(random_vitmatte(), "cpu").predict(image[:32, :32], unknown)
before = peak()
network = TrimapNetwork.load("PATH", "cpu")
refine_with_trimap(alpha, image, network)
print(peak() - before)
"""


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="reads Linux's /proc"
)
def test_memory_is_estimated_beforehand(tmp_path):
    """Within a factor of the peak of a process, with the published architecture."""
    from zim_model.network.vitmatte import VITMATTE_SMALL, VitMatte

    path = tmp_path / "model.safetensors"
    torch.manual_seed(0)
    save_file(hub_names(VitMatte(VITMATTE_SMALL)), path)
    code = MEASURE.replace("PATH", str(path))
    command = [sys.executable, "-c", code]
    root = Path(__file__).parents[3]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    estimated = memory_needed(path.stat().st_size, 700, 900)
    assert 0.6 < int(done.stdout) / estimated < 1.15
