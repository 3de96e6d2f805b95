"""Out of memory: caches are freed, placements fall back, and notes report it."""

import numpy as np
import pytest
import torch

from tests.zim_model.conftest import SMALL_VIT
from tests.zim_model.inference.test_engine import CLICK, IMAGE, DiscBackend
from zim_model.backends.torch_backend import TorchBackend
from zim_model.backends.view import View
from zim_model.errors import Cancelled, DeviceError, PrecisionOverflow, PromptError
from zim_model.inference import oom_fallback
from zim_model.inference.engine import Engine
from zim_model.prompts import PromptSet
from zim_model.recipe import Recipe
from zim_model.request import Request
from zim_model.runtime import devices
from zim_model.runtime.devices import (
    CPU,
    Device,
    DeviceChoice,
    Placement,
    fallback_placements,
    is_out_of_memory,
)

CARD = Device("cuda:0", "Card", 8 << 30)
HALF, FULL, ON_CPU = (
    Placement("cuda:0", "fp16"),
    Placement("cuda:0", "fp32"),
    Placement("cpu", "fp32"),
)
BEST_ON_CPU = Placement("cpu", "auto")
OUT = torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")


@pytest.fixture(autouse=True)
def card(monkeypatch):
    """A machine with one CUDA GPU that has tensor cores."""
    monkeypatch.setattr(devices, "available_devices", lambda: (CARD, CPU))
    monkeypatch.setattr(devices, "_has_tensor_cores", lambda device: True)


class Machine:
    """Opens backends that fail ``failures[placement]`` times with ``error``."""

    def __init__(self, failures, error=OUT, at="encode"):
        self.failures, self.error, self.at = dict(failures), error, at
        self.opened = []

    def __call__(self, model, placement):
        self.opened.append(placement)
        self.fail(placement, "open")
        return FailingBackend(self, placement)

    def fail(self, placement, where):
        left = self.failures.get(placement, 0)
        if where == self.at and left:
            self.failures[placement] = left - 1
            raise self.error


class FailingBackend(DiscBackend):
    def __init__(self, machine, placement):
        super().__init__(SMALL_VIT)
        self.machine, self.placement = machine, placement
        self.fingerprint = self.device_label = (
            f"{placement.device}/{placement.precision}"
        )

    def encode(self, image, view):
        self.machine.fail(self.placement, "encode")
        return super().encode(image, view)

    def decode(self, encoded, prompts, mask_input=None):
        self.machine.fail(self.placement, "decode")
        return super().decode(encoded, prompts, mask_input)


def click(engine, model="big", prompts=CLICK):
    return engine.solve(Request(IMAGE, "a", Recipe(prompts, model)))


def test_enough_memory_leaves_no_notes():
    machine = Machine({})
    matte = click(Engine(machine))
    assert machine.opened == [HALF]
    assert matte.timings.notes == ()
    assert matte.timings.device == "cuda:0/fp16"


@pytest.mark.parametrize("at", ["open", "encode", "decode"])
def test_freeing_memory_may_be_enough(at):
    machine = Machine({HALF: 1}, at=at)
    engine = Engine(machine)
    matte = click(engine)
    assert matte.alpha[70, 80] == 65535, "the click has its matte"
    assert matte.timings.device == "cuda:0/fp16"
    assert "dropped" in matte.timings.notes[0]
    assert click(engine, prompts=CLICK).timings.notes == (), "reported once"


@pytest.mark.parametrize("at", ["open", "encode", "decode"])
def test_a_model_that_does_not_fit_runs_on_the_cpu(at):
    machine = Machine({HALF: 99}, at=at)
    engine = Engine(machine)
    matte = click(engine)
    assert matte.alpha[70, 80] == 65535, "the click has its matte"
    assert matte.timings.device == "cpu/fp32"
    (note,) = matte.timings.notes
    assert note == "Card (fp16) has too little memory for big: it runs on CPU (fp32)."


def test_full_precision_gives_way_to_half_first():
    machine = Machine({FULL: 99})
    engine = Engine(machine)
    engine.set_device(DeviceChoice(precision="fp32"))
    assert click(engine).timings.device == "cuda:0/fp16"
    assert list(dict.fromkeys(machine.opened)) == [FULL, HALF]


def test_the_next_click_starts_where_the_last_one_worked():
    machine = Machine({HALF: 99})
    engine = Engine(machine)
    click(engine)
    machine.opened.clear()
    matte = engine.solve(Request(IMAGE, "b", Recipe(CLICK, "big")))
    assert machine.opened == []
    assert matte.timings.device == "cpu/fp32"
    assert "too little memory" in matte.timings.notes[0]


def test_a_smaller_model_is_still_tried_where_a_large_one_failed():
    machine = Machine({HALF: 2})
    engine = Engine(machine)
    assert click(engine).timings.device == "cpu/fp32"
    matte = click(engine, "small")
    assert matte.timings.device == "cuda:0/fp16"
    assert matte.timings.notes == ()


def test_preparing_steps_down_as_well():
    engine = Engine(Machine({HALF: 99}))
    timings = engine.prepare(Request(IMAGE, "a", Recipe(PromptSet(), "big")))
    assert timings.device == "cpu/fp32"
    assert timings.notes


def test_memory_freed_by_a_withdrawn_request_is_noted_by_the_next_matte():
    machine = Machine({HALF: 1})
    engine = Engine(machine)
    cancelled = iter([False, False, False, False, True])  # after the second encoding
    with pytest.raises(Cancelled):
        engine.solve(Request(IMAGE, "a", Recipe(CLICK, "big")), lambda: next(cancelled))
    assert machine.failures[HALF] == 0
    assert "dropped" in click(engine).timings.notes[0]
    assert click(engine).timings.notes == (), "reported once"


def test_memory_freed_by_a_search_is_noted_by_the_next_matte():
    machine = Machine({HALF: 1})
    engine = Engine(machine)
    engine.everything(Request(IMAGE, "a", Recipe(PromptSet(), "big")))
    assert machine.failures[HALF] == 0
    assert "dropped" in click(engine).timings.notes[0]
    assert click(engine).timings.notes == (), "reported once"


def test_the_last_rung_gives_up_with_a_cure():
    engine = Engine(Machine({HALF: 99, ON_CPU: 99}))
    with pytest.raises(DeviceError, match=r"not enough memory for big on CPU.*smaller"):
        click(engine)


def test_a_machine_without_a_card_retries_once(monkeypatch):
    monkeypatch.setattr(devices, "available_devices", lambda: (CPU,))
    machine = Machine({BEST_ON_CPU: 1}, MemoryError())
    assert click(Engine(machine)).timings.device == "cpu/auto"
    machine = Machine({BEST_ON_CPU: 2}, MemoryError())
    with pytest.raises(DeviceError):
        click(Engine(machine))


def test_memory_is_freed_before_the_work_is_done_again():
    machine = Machine({})
    engine = Engine(machine)
    click(engine, "first")
    assert len(engine.cache) == 1
    machine.failures = {HALF: 1}
    engine.solve(Request(IMAGE, "b", Recipe(CLICK, "second")))
    assert len(engine.cache) == 1, "only the second model's features are left"
    machine.opened.clear()
    engine.solve(Request(IMAGE, "c", Recipe(CLICK, "first")))
    assert machine.opened == [HALF], "the first model was released"


def test_an_overflow_in_half_precision_takes_full_precision():
    machine = Machine({HALF: 1}, PrecisionOverflow(), at="decode")
    matte = click(Engine(machine))
    assert matte.timings.device == "cuda:0/fp32"
    assert "overflows in fp16" in matte.timings.notes[0]


def test_an_unusable_device_is_passed_over_unless_it_was_chosen():
    error = DeviceError("ONNX Runtime cannot use cuda:0 here.", "Install it.")
    machine = Machine({HALF: 99}, error, at="open")
    matte = click(Engine(machine))
    assert matte.timings.device == "cpu/fp32"
    assert matte.timings.notes[0].startswith("ONNX Runtime cannot use cuda:0 here.")
    engine = Engine(machine)
    engine.set_device(DeviceChoice("cuda:0"))
    with pytest.raises(DeviceError, match="cannot use cuda:0"):
        click(engine)


def test_other_errors_are_not_swallowed():
    for error in (RuntimeError("shape mismatch"), Cancelled(), PromptError("no")):
        machine = Machine({HALF: 1}, error)
        with pytest.raises(type(error)):
            click(Engine(machine))
        assert machine.opened == [HALF]


def test_another_device_can_be_chosen_at_any_time():
    machine = Machine({})
    engine = Engine(machine)
    click(engine)
    engine.set_device(DeviceChoice("cpu"))
    assert click(engine).timings.device == "cpu/auto"
    engine.set_device(DeviceChoice("cpu"))
    click(engine)
    assert machine.opened == [HALF, BEST_ON_CPU], "the same choice loads nothing again"


def test_a_device_that_is_not_there_is_named():
    engine = Engine(Machine({}))
    engine.set_device(DeviceChoice("cuda:7"))
    with pytest.raises(DeviceError, match=r"no device cuda:7.*cuda:0, cpu"):
        click(engine)


@pytest.mark.parametrize(
    ("choice", "placements"),
    [
        (DeviceChoice(), (HALF, ON_CPU)),
        (DeviceChoice("cuda", "fp32"), (FULL, HALF, ON_CPU)),
        (DeviceChoice("cuda:0", "bf16"), (Placement("cuda:0", "bf16"), HALF, ON_CPU)),
        (DeviceChoice("cpu"), (BEST_ON_CPU,)),
        (DeviceChoice("cpu", "fp16"), (ON_CPU,)),
    ],
)
def test_fallback_placements(choice, placements):
    assert fallback_placements(choice) == placements


@pytest.mark.parametrize(
    ("time", "asked", "by_itself"),
    [(np.inf, "fp32", "fp32"), (0.7, "bf16", "fp32"), (0.2, "bf16", "bf16")],
)
def test_the_cpu_takes_bf16_where_it_is_faster(monkeypatch, time, asked, by_itself):
    monkeypatch.setattr(devices, "bf16_time_on_cpu", lambda: time)
    assert fallback_placements(DeviceChoice("cpu", "bf16")) == (
        Placement("cpu", asked),
    )
    assert devices.usable_precision("cpu", "auto", large_products=True) == by_itself
    assert devices.usable_precision("cpu", "auto") == "fp32"
    assert devices.usable_precision("cpu", "fp32", large_products=True) == "fp32"


def test_vits_take_bf16_by_themselves_and_give_it_up_where_it_overflows(
    small_vit, monkeypatch
):
    monkeypatch.setattr(devices, "bf16_time_on_cpu", lambda: 0.2)
    opened = []

    def open_model(model, placement):
        opened.append(placement.precision)
        backend = TorchBackend(small_vit, placement.device, placement.precision)
        if len(opened) == 1:
            nothing = torch.full((1, 4, 64, 64), torch.nan)
            decoded = nothing, torch.zeros(1, 4)
            monkeypatch.setattr(backend.model, "decode", lambda *args: decoded)
        else:
            monkeypatch.undo()
        return backend

    engine = Engine(open_model)
    engine.set_device(DeviceChoice("cpu"))
    answer = click(engine)
    assert opened == ["auto", "fp32"]
    assert answer.timings.device == "CPU (fp32)"
    assert "overflows in bf16" in str(answer.timings.notes)


def test_an_old_card_runs_in_full_precision(monkeypatch):
    monkeypatch.setattr(devices, "_has_tensor_cores", lambda device: False)
    assert fallback_placements(DeviceChoice())[0] == FULL


def test_real_allocation_failures_are_recognised():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)
    with pytest.raises(MemoryError) as caught:
        np.empty(1 << 60, np.uint8)
    assert is_out_of_memory(caught.value)
    assert is_out_of_memory(OUT)
    onnx = type("Fail", (Exception,), {"__module__": "onnxruntime.capi"})
    assert is_out_of_memory(onnx("Failed to allocate memory for requested buffer"))
    assert not is_out_of_memory(RuntimeError("shapes do not match"))
    assert not is_out_of_memory(ValueError("out of memory"))


def test_half_precision_gives_nearly_the_same_matte_and_is_labelled(
    small_vit, monkeypatch
):
    monkeypatch.setattr(devices, "bf16_time_on_cpu", lambda: 0.2)
    full, half = TorchBackend(small_vit, "cpu", "fp32"), TorchBackend(small_vit, "cpu")
    assert (full.device_label, half.device_label) == ("CPU (fp32)", "CPU (bf16)")
    assert full.fingerprint != half.fingerprint
    mattes = [
        click(Engine(lambda model, placement, b=b: b)).alpha for b in (full, half)
    ]
    difference = np.abs(mattes[0].astype(float) - mattes[1]) / 65535
    assert 0 < difference.mean() < 0.02


def test_on_a_cpu_half_precision_is_for_the_encoder_alone(small_vit, monkeypatch):
    monkeypatch.setattr(devices, "bf16_time_on_cpu", lambda: 0.2)
    full = TorchBackend(small_vit, "cpu", "fp32")
    half = TorchBackend(small_vit, "cpu", "bf16")
    view = View.whole(*IMAGE.shape[:2], full.config.image_size)
    encoded = half.encode(IMAGE, view)
    exact = full.encode(IMAGE, view).features.embeddings
    assert (encoded.features.embeddings != exact).any()
    assert all(tensor.dtype == torch.float32 for tensor in encoded.features.tensors())
    prompts = view.apply(CLICK)
    for answer, same in zip(
        half.decode(encoded, prompts), full.decode(encoded, prompts), strict=True
    ):
        np.testing.assert_array_equal(answer, same)


def test_nothing_finite_in_half_precision_is_an_overflow(small_vit, monkeypatch):
    monkeypatch.setattr(devices, "bf16_time_on_cpu", lambda: 0.2)
    backend = TorchBackend(small_vit, "cpu", "bf16")
    nothing = torch.full((1, 4, 64, 64), torch.nan)
    monkeypatch.setattr(
        backend.model, "decode", lambda *args: (nothing, torch.zeros(1, 4))
    )
    view = View.whole(*IMAGE.shape[:2], backend.config.image_size)
    with pytest.raises(PrecisionOverflow):
        backend.decode(backend.encode(IMAGE, view), view.apply(CLICK))


def test_freeing_also_empties_the_cards_cache(monkeypatch):
    emptied = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append(1))
    oom_fallback._empty_caches()
    assert emptied


def test_memory_that_runs_out_while_loading_is_no_damaged_file(monkeypatch, tmp_path):
    (tmp_path / "large.pth").write_bytes(b"x")
    reads = []

    def load(*args, **kwargs):
        reads.append(1)
        raise MemoryError

    monkeypatch.setattr(torch, "load", load)
    monkeypatch.setattr(devices, "available_devices", lambda: (CPU,))
    with pytest.raises(DeviceError, match="not enough memory"):
        click(Engine(), str(tmp_path / "large.pth"))
    assert len(reads) == 2, "tried again after memory was freed"
