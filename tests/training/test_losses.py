import pytest
import torch

from training.config import TrainConfig
from training.losses import (
    REGION_LOSSES,
    gradients,
    matte_loss,
    region_loss,
    soft_iou,
    zim_loss,
)

TARGET = torch.zeros(2, 16, 16)
TARGET[:, 4:12, 4:12] = 1
ONES = torch.ones_like(TARGET)


def test_a_perfect_prediction_has_no_loss():
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


@pytest.mark.parametrize("kind", REGION_LOSSES)
def test_region_losses_fall_as_the_prediction_improves(kind):
    target = torch.zeros(1, 16, 16)
    target[:, 4:12, 4:12] = 1
    weight = torch.ones_like(target)
    sure = (2 * target - 1) * 4
    wrong = sure.clone()
    wrong[:, 4:8] = -4
    losses = [
        float(region_loss(logits, target, weight, kind))
        for logits in (sure, wrong, -sure)
    ]
    assert losses == sorted(losses)
    assert losses[0] < 0.2 * losses[1]
    settings = {"model": "zim-mini", "steps": 1, "region_loss": kind}
    assert TrainConfig.checked("a.toml", settings).region_loss == kind


def test_the_focal_loss_keeps_to_pixels_that_are_wrong():
    target = torch.zeros(1, 8, 8)
    weight = torch.ones_like(target)
    logits = torch.full((1, 8, 8), -3.0)
    logits[:, 0, 0] = 3.0
    logits.requires_grad_()
    region_loss(logits, target, weight, "focal").sum().backward()
    slope = logits.grad.abs()[0]
    assert slope[0, 0] > 100 * slope[4, 4]


def test_the_papers_loss_alone_trusts_no_edges_of_hard_labels():
    torch.manual_seed(0)
    logits, iou = torch.randn(1, 4, 8, 8), torch.zeros(1, 4)
    target = (torch.rand(1, 8, 8) > 0.5).float()
    weight = torch.ones_like(target)
    parts = [
        zim_loss(logits, iou, target, weight, torch.tensor([exact]), None)[0]
        for exact in (0.0, 1.0)
    ]
    absolute = (logits.sigmoid() - target[:, None]).abs().mean((-2, -1))[0]
    scores = (
        0.1
        * soft_iou(logits.sigmoid(), target[:, None].expand_as(logits), weight[:, None])
        .square()
        .mean()
    )
    expected = absolute[0] + 0.3 * absolute[1:].min() + scores
    assert float(parts[0]) == pytest.approx(float(expected), rel=1e-5)
    assert parts[1] > parts[0]


def test_without_cross_entropy_the_likelier_side_is_worth_taking():
    """With two thirds of object pixels cross-entropy is lowest at alpha 2/3."""
    target = (torch.arange(3 * 64).reshape(1, 8, 24) % 3 > 0).float()
    weight, exact, scores = torch.ones_like(target), torch.zeros(1), torch.zeros(1, 4)

    def loss(alpha, kind):
        logits = torch.full((1, 4, 8, 24), alpha).logit()
        return float(zim_loss(logits, scores, target, weight, exact, kind)[0])

    assert loss(0.67, "bce") < loss(0.95, "bce")
    assert loss(0.95, "iou") < loss(0.67, "iou")
