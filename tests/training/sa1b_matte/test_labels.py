from collections import Counter

import numpy as np
import pytest

from training.sa1b_matte.labels import Filters, IdentityLabeller, make_mattes
from training.sa1b_matte.sa1b import AnnotatedImage
from zim_model.matting.rle import encoded


def an_annotation(mask, **more):
    record = {"id": 7, "segmentation": encoded(mask), "area": int(mask.sum())}
    return {**record, "predicted_iou": 0.9, "stability_score": 0.96, **more}


def mattes_of(annotations, labeller=None):
    image = AnnotatedImage(b"", np.zeros((40, 50, 3), np.uint8), annotations)
    dropped, faults = Counter(), []
    mattes = list(
        make_mattes(
            labeller or IdentityLabeller(),
            image,
            Filters(100),
            dropped,
            faults.append,
        )
    )
    return [record.id for record, _ in mattes], dict(dropped), faults


def a_mask(height=40, width=50):
    mask = np.zeros((height, width), bool)
    mask[5:25, 10:30] = True
    return mask


class Answers:
    """Test converter with one alpha everywhere."""

    def __init__(self, value):
        self.value = value

    def convert(self, image, mask):
        return np.full(mask.shape, self.value, np.uint16)


@pytest.mark.parametrize(
    ("changes", "labeller", "reason"),
    [
        ({"area": 99}, None, "too small"),
        ({"predicted_iou": 0.8}, None, "of low predicted IoU"),
        ({"stability_score": float("nan")}, None, "of low stability"),
        ({}, Answers(0), "empty"),
        ({}, Answers(65535), "unlike their masks"),
    ],
)
def test_what_is_left_out_is_counted_by_reason(changes, labeller, reason):
    ids, dropped, faults = mattes_of([an_annotation(a_mask(), **changes)], labeller)
    assert (ids, dropped, faults) == ([], {reason: 1}, [])


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        (an_annotation(a_mask(41, 50)), "mask of 50 x 41 pixels belongs to another"),
        ({**an_annotation(a_mask()), "id": None}, "malformed"),
        ({"id": 3}, "malformed"),
        (
            an_annotation(a_mask(), segmentation={"size": [40, 50], "counts": [7]}),
            "does not fill",
        ),
        (an_annotation(a_mask(), segmentation=[[1, 2, 3]]), "run-length"),
        (
            an_annotation(
                a_mask(), segmentation={"size": [40, 50], "counts": [2**62] * 4}
            ),
            "does not fill",
        ),
    ],
)
def test_a_mask_that_cannot_be_used_is_named_and_the_others_stay(annotation, message):
    ids, dropped, faults = mattes_of([annotation, an_annotation(a_mask())])
    assert (ids, dropped) == ([7], {})
    (fault,) = faults
    assert fault.startswith("annotation 0: ")
    assert message in fault
