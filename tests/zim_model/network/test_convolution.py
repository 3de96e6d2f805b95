import pytest
import torch
from torch import nn

from zim_model.network.convolution import Conv2d


@pytest.mark.parametrize("kernel", [3, 5, 7])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("padding", [0, 2])
@pytest.mark.parametrize("bias", [True, False])
def test_gradients_are_those_of_finite_differences(kernel, stride, padding, bias):
    torch.manual_seed(0)
    conv = Conv2d(2, 2, kernel, stride, padding, groups=2, bias=bias).double()
    for size in ((9, 8), (10, 7)):  # rows and columns that no kernel reaches
        x = torch.randn(2, 2, *size, dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradcheck(
            lambda x, *tensors: conv(x), (x, *conv.parameters())
        )


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (5, 1), (5, 2)])
def test_mixed_precision_gives_gradients_of_the_leaves_dtype(kernel, stride):
    torch.manual_seed(0)
    ours, theirs = (
        cls(16, 16, kernel, stride, groups=16) for cls in (Conv2d, nn.Conv2d)
    )
    theirs.load_state_dict(ours.state_dict())
    found = []
    for conv in (ours, theirs):
        torch.manual_seed(1)
        x = torch.randn(2, 16, 21, 20).contiguous(memory_format=torch.channels_last)
        x.requires_grad_()
        with torch.autocast("cpu", torch.bfloat16):
            out = conv(x)
        out.backward(torch.randn(out.shape).to(out.dtype))
        assert conv.weight.grad.dtype == x.grad.dtype == torch.float32
        found.append((out.float(), x.grad, conv.weight.grad, conv.bias.grad))
    for a, b in zip(*found, strict=True):
        assert torch.linalg.vector_norm(a - b) < 0.01 * torch.linalg.vector_norm(b)


def test_frozen_kernels_get_no_gradient():
    conv = Conv2d(4, 4, 5, padding=2, groups=4).requires_grad_(requires_grad=False)
    x = torch.randn(1, 4, 8, 8, requires_grad=True)
    conv(x).sum().backward()
    assert x.grad is not None
    assert conv.weight.grad is None
    assert conv.bias.grad is None
