import pytest
import torch
import torch.nn.functional as F

from zim_model.network.fused_upsample import ROWS, upsample_conv_relu


def drawn(*shape):
    return torch.randn(*shape).contiguous(memory_format=torch.channels_last)


@pytest.fixture
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.parametrize("threads", [1, 3], indirect=True)
@pytest.mark.parametrize(
    ("count", "height", "width"),
    [(1, 2 * ROWS, 9), (2, 2 * ROWS + 3, 5), (1, 1, 1), (3, 2, 7), (1, ROWS + 1, 2)],
)
def test_it_is_the_convolution_of_the_doubled_map(count, height, width, threads):
    torch.manual_seed(0)
    x, weight = drawn(count, 6, height, width), drawn(4, 6, 3, 3)
    out = drawn(count, 4, 2 * height, 2 * width)
    doubled = F.interpolate(x, scale_factor=2, mode="bilinear")
    expected = (out + F.conv2d(doubled, weight, padding=1)).relu()
    with torch.inference_mode():
        actual = upsample_conv_relu(out.clone(), x.clone(), weight)
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-5)


def test_the_number_of_threads_does_not_change_a_bit():
    torch.manual_seed(0)
    x, weight, out = drawn(1, 6, 40, 40), drawn(4, 6, 3, 3), drawn(1, 4, 80, 80)
    before = torch.get_num_threads()
    results = []
    for count in (1, 2, 3):
        torch.set_num_threads(count)
        results.append(upsample_conv_relu(out.clone(), x, weight))
    torch.set_num_threads(before)
    assert torch.equal(results[0], results[1])
    assert torch.equal(results[0], results[2])
