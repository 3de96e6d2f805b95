"""Recorded decoding, with a fake recorder: behaviour of a GPU is not tested."""

import numpy as np
import pytest
import torch

from tests.zim_model.conftest import SMALL_SAM2, random_model
from zim_model.backends.cuda_graphs import LENGTHS, CudaGraphDecoder, padded_length
from zim_model.backends.torch_backend import TorchBackend
from zim_model.backends.view import View
from zim_model.prompts import Box, Point, PromptSet

RNG = np.random.default_rng(4)
IMAGES = RNG.integers(0, 256, (2, 96, 128, 3), dtype=np.uint8)
VIEW = View.whole(96, 128, 128)
CLICK = PromptSet((Point(40, 50),))
BOX = PromptSet((), Box(20, 10, 100, 80))
MANY = PromptSet(tuple(Point(i, i) for i in range(20, 30)))
TOO_MANY = PromptSet(tuple(Point(i, i) for i in range(20, 70)))


class Recorder:
    """Replays by doing the work again on the same buffers, as a graph does."""

    def __init__(self):
        self.recorded = 0
        self.replayed = 0

    def __call__(self, work):
        self.recorded += 1
        work()

        def replay():
            self.replayed += 1
            work()

        return replay


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def backend(small_vit, recorder):
    backend = TorchBackend(small_vit, "cpu")
    backend._graphs = CudaGraphDecoder(backend._decode_recordable, recorder)
    return backend


def assert_same(actual, expected):
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_replayed_predictions_equal_decoded_ones(backend, small_vit, recorder):
    plain = TorchBackend(small_vit, "cpu")
    for image in (*IMAGES, IMAGES[0]):  # features change, and come back
        recorded, expected = (b.encode(image, VIEW) for b in (backend, plain))
        for prompts in (CLICK, BOX, MANY, CLICK):
            actual = backend.decode(recorded, prompts)
            assert_same(actual, plain.decode(expected, prompts))
    assert recorder.recorded == 2  # of 4 and of 16 tokens
    assert recorder.replayed == 12


def test_sam2_is_recorded_too(recorder):
    """Its tokens get a further one, and its first mask is chosen, on the device."""
    model = random_model(SMALL_SAM2, seed=7)
    plain, backend = (TorchBackend(model, "cpu") for _ in range(2))
    backend._graphs = CudaGraphDecoder(backend._decode_recordable, recorder)
    view = View.whole_for(SMALL_SAM2, 96, 128)
    recorded, expected = (b.encode(IMAGES[0], view) for b in (backend, plain))
    for prompts in (CLICK, BOX, MANY):
        actual = backend.decode(recorded, prompts)
        assert_same(actual, plain.decode(expected, prompts))
    assert recorder.replayed == 3


def test_a_prediction_stays_when_the_next_one_comes(backend):
    encoded = backend.encode(IMAGES[0], VIEW)
    first, _ = backend.decode(encoded, CLICK)
    before = first.copy()
    backend.decode(encoded, BOX)
    np.testing.assert_array_equal(first, before)


def test_what_is_not_recorded_is_decoded(backend, small_vit, recorder):
    plain = TorchBackend(small_vit, "cpu")
    encoded = backend.encode(IMAGES[0], VIEW)
    mask = RNG.normal(size=(1, 32, 32)).astype(np.float32)
    assert_same(backend.decode(encoded, TOO_MANY), plain.decode(encoded, TOO_MANY))
    assert_same(
        backend.decode(encoded, CLICK, mask), plain.decode(encoded, CLICK, mask)
    )
    together = backend.decode_many(encoded, [CLICK, BOX])
    assert_same(together, plain.decode_many(encoded, [CLICK, BOX]))
    assert recorder.recorded == 0


def test_where_recording_fails_decoding_goes_on(small_vit, caplog):
    tried = []

    def fail(work):
        tried.append(work)
        raise RuntimeError("operation not permitted when stream is capturing")

    backend, plain = (TorchBackend(small_vit, "cpu") for _ in range(2))
    backend._graphs = CudaGraphDecoder(backend._decode_recordable, fail)
    encoded = backend.encode(IMAGES[0], VIEW)
    for prompts in (CLICK, BOX):
        assert_same(backend.decode(encoded, prompts), plain.decode(encoded, prompts))
    assert len(tried) == 1
    assert "not permitted" in caplog.text


def test_only_a_gpu_records(small_vit):
    assert TorchBackend(small_vit, "cpu")._graphs is None


def test_lengths_are_rounded_up():
    assert [padded_length(n) for n in (1, 4, 5, 32)] == [4, 4, 8, 32]
    assert padded_length(max(LENGTHS) + 1) is None


def test_decoding_without_looking_is_the_same(small_vit):
    model = small_vit
    coords = torch.tensor([[[40.0, 50.0], [0, 0], [0, 0]]])
    labels = torch.tensor([[1, -1, -2]])
    with torch.no_grad():
        features = model.encode(torch.randn(1, 3, 128, 128))
        expected = model.decode(features, coords, labels)
        masked = model.decode(features, coords, labels, has_padding=True)
        short = model.decode(features, coords[:, :2], labels[:, :2])
        unpadded = model.decode(
            features, coords[:, :2], labels[:, :2], has_padding=True
        )
    for a, b in zip(masked + unpadded, expected + short, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)
