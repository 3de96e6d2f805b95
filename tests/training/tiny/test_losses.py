import torch

from training.tiny.losses import PURE_LOGIT, detail_loss, purity_loss

SIDE = 64
TARGET = torch.zeros(1, SIDE, SIDE)
TARGET[:, 16:48, 16:48] = 1
WEIGHT = torch.ones_like(TARGET)
PURE = 2 * PURE_LOGIT * TARGET - PURE_LOGIT


def test_opaque_insides_and_empty_outsides_are_pure():
    assert purity_loss(PURE, TARGET, WEIGHT) == 0


def test_a_nearly_opaque_inside_is_corrected_as_strongly_as_a_faint_one():
    strengths = []
    for alpha in (0.6, 0.97):
        inside = torch.logit(torch.tensor(alpha))
        logits = torch.where(TARGET > 0, inside, -PURE_LOGIT).requires_grad_()
        purity_loss(logits, TARGET, WEIGHT).sum().backward()
        strengths.append(float(logits.grad[0, 32, 32]))
    assert strengths[0] == strengths[1] < 0


def test_soft_edges_and_undefined_pixels_are_free():
    soft = torch.linspace(0.1, 0.9, SIDE).expand(1, SIDE, SIDE)
    assert purity_loss(torch.zeros(1, SIDE, SIDE), soft, WEIGHT) == 0
    at_edge = PURE.clone()
    at_edge[:, 14:18, 20:44] = 0
    assert purity_loss(at_edge, TARGET, WEIGHT) == 0
    assert purity_loss(-PURE, TARGET, 0 * WEIGHT) == 0


def test_purity_is_a_part_of_the_detail_loss_by_its_weight():
    exact = torch.ones(1)
    plain, with_term = (
        detail_loss(0 * PURE, TARGET, WEIGHT, exact, weight)[0] for weight in (0.0, 0.5)
    )
    term = purity_loss(0 * PURE, TARGET, WEIGHT).mean()
    assert torch.isclose(with_term - plain, 0.5 * term)
