import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from zim_model.errors import PromptError
from zim_model.evaluation import (
    EvaluationOptions,
    ModelSystem,
    PromptKind,
    RowDone,
    evaluate,
)
from zim_model.evaluation.datasets import open_dataset
from zim_model.evaluation.mini import write_mini_dataset
from zim_model.request import ALPHA_MAX, Matte, Timings

INLINE = EvaluationOptions(jobs=0)
POINT, BOX, CLICKS = PromptKind("point"), PromptKind("box"), PromptKind("clicks", 3)
MODEL = ModelSystem("m", "m")


def run(dataset, out, engine, systems=(MODEL,), prompts=(BOX,), options=INLINE, **more):
    return list(
        evaluate(
            dataset,
            systems,
            out,
            prompts=prompts,
            options=options,
            engine=engine,
            **more,
        )
    )


def rows_of(events):
    return [event.row for event in events if isinstance(event, RowDone)]


def blank(path):
    with Image.open(path) as image:
        size = image.size
    Image.new("L", size).save(path)


class FakeEngine:
    """Predicts the box for a box and discs for clicks, and records its requests."""

    def __init__(self, decoder="hierarchical", fingerprint="abc"):
        self.decoder, self.fingerprint = decoder, fingerprint
        self.requests = []
        self.notes = ()
        self.refuses = None
        self.before = lambda request: None

    def backend(self, model):
        return SimpleNamespace(
            fingerprint=f"{self.fingerprint}-{model}/cpu/fp32",
            config=SimpleNamespace(binary=self.decoder == "sam"),
        )

    def solve(self, request, cancelled):
        self.before(request)
        self.requests.append(request)
        if self.refuses is not None and self.refuses in request.image_key:
            raise PromptError("This model does not like it.")
        height, width = request.image.shape[:2]
        alpha = np.zeros((height, width), np.float64)
        box = request.recipe.prompts.box
        if box is not None:
            alpha[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)] = 0.75
        y, x = np.mgrid[:height, :width]
        for point in request.recipe.prompts.points:
            near = np.hypot(x - point.x, y - point.y) < 30
            alpha[near] = 0.9 if point.positive else 0
        words = (alpha * ALPHA_MAX).astype(np.uint16)
        timings = Timings(3.0, 2.0, "fake", self.notes)
        return Matte(words, (), np.zeros(4, np.float32), 0, (0, 0, 1, 1), timings)


@pytest.fixture
def engine():
    return FakeEngine()


@pytest.fixture(scope="session")
def mini_root(tmp_path_factory):
    return write_mini_dataset(tmp_path_factory.mktemp("mini"), images=3)


@pytest.fixture(scope="session")
def mini(mini_root):
    return open_dataset(mini_root)


@pytest.fixture
def copy(mini_root, tmp_path):
    root = tmp_path / "MicroMat3K"
    shutil.copytree(mini_root, root)
    return root
