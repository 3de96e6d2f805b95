import pytest
import torch

from zim_model.network import attention
from zim_model.network.attention import biased_attention

HEIGHT, WIDTH = 24, 26


@pytest.fixture(params=["window", "cpu", "gradients"])
def way(request, monkeypatch):
    """Each implementation of the same result."""
    if request.param == "window":
        monkeypatch.setattr(attention, "WINDOW", HEIGHT * WIDTH)
    with torch.set_grad_enabled(request.param == "gradients"):
        yield request.param


@pytest.mark.parametrize("threads", [1, 3])
def test_all_implementations_match_the_definition(way, threads):
    torch.manual_seed(0)
    count = HEIGHT * WIDTH  # no multiple of what is treated at a time
    q, k, v = torch.randn(3, 2, 2, count, 8)
    rows, columns = torch.randn(2, 2, count, HEIGHT), torch.randn(2, 2, count, WIDTH)
    bias = (rows[..., :, None] + columns[..., None, :]).flatten(-2)
    expected = (q @ k.mT * 8**-0.5 + bias).softmax(-1) @ v
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        out = biased_attention(q, k, v, rows, columns)
    finally:
        torch.set_num_threads(before)
    torch.testing.assert_close(out, expected, rtol=1e-4, atol=1e-5)


def test_gradients_flow_through_large_grids():
    q, k, v = torch.randn(3, 1, 1, HEIGHT * WIDTH, 8).unbind()
    rows = torch.randn(1, 1, HEIGHT * WIDTH, HEIGHT, requires_grad=True)
    columns = torch.randn(1, 1, HEIGHT * WIDTH, WIDTH)
    biased_attention(q, k, v, rows, columns).sum().backward()
    assert rows.grad is not None
    assert rows.grad.abs().max() > 0


@pytest.mark.parametrize("length", [16, 64, 80])
def test_half_precision_rounds_only_what_goes_in_and_out(length):
    """The logits of a trained model are too large for bf16's three digits."""
    torch.manual_seed(0)
    q, k, v = (3 * torch.randn(3, 1, 1, HEIGHT * WIDTH, length)).bfloat16()
    rows = torch.randn(1, 1, HEIGHT * WIDTH, HEIGHT).bfloat16()
    columns = torch.randn(1, 1, HEIGHT * WIDTH, WIDTH).bfloat16()
    inputs = (q, k, v, rows, columns)
    with torch.no_grad():
        expected = biased_attention(*(x.float() for x in inputs))
        with torch.autocast("cpu", torch.bfloat16):
            actual = biased_attention(*inputs)
    assert actual.dtype == torch.bfloat16
    error = (actual.float() - expected).abs().mean()
    assert error < 0.004 * expected.abs().mean()
