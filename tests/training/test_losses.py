import torch

from training.losses import gradients, matte_loss, region_loss, soft_iou, zim_loss

TARGET = torch.zeros(2, 16, 16)
TARGET[:, 4:12, 4:12] = 1
ONES = torch.ones_like(TARGET)


def test_a_perfect_answer_costs_nothing():
    assert matte_loss(TARGET, TARGET, ONES).max() == 0
    assert region_loss(40 * TARGET - 20, TARGET, ONES).max() < 1e-4
    assert torch.allclose(soft_iou(TARGET, TARGET, ONES), torch.ones(2))


def test_gradients_of_a_ramp_have_unit_gain():
    ramp = torch.arange(8.0).expand(8, 8)
    gx, gy = gradients(ramp)
    assert torch.allclose(gx[:, 1:-1], torch.ones(8, 6))
    assert torch.allclose(gy, torch.zeros(8, 8))


def test_unweighted_pixels_do_not_count():
    weight = ONES.clone()
    weight[:, :, :8] = 0
    wrong = TARGET.clone()
    wrong[:, :, :4] = 1
    assert matte_loss(wrong, TARGET, weight).max() == 0
    assert torch.allclose(soft_iou(wrong, TARGET, weight), torch.ones(2))


def test_only_the_best_alternative_is_corrected():
    logits = torch.zeros(2, 4, 16, 16)
    logits[:, 2] = 4 * TARGET - 2  # the best of the alternatives
    logits.requires_grad_()
    loss, parts = zim_loss(logits, torch.zeros(2, 4), TARGET, ONES, torch.ones(2))
    loss.backward()
    moved = logits.grad.abs().sum((0, 2, 3)) > 0
    assert moved.tolist() == [True, False, True, False]
    assert parts["iou"] < 1


def test_hard_labels_get_no_gradient_loss():
    logits = torch.randn(2, 4, 16, 16)
    _, hard = zim_loss(logits, torch.zeros(2, 4), TARGET, ONES, torch.zeros(2))
    _, soft = zim_loss(logits, torch.zeros(2, 4), TARGET, ONES, torch.ones(2))
    assert hard["matte"] == 0
    assert soft["matte"] > 0
    assert soft["loss"] > hard["loss"]
