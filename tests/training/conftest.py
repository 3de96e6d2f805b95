import cv2
import numpy as np
import pytest

from training.datasets import scan


@pytest.fixture(scope="session")
def training_folder(tmp_path_factory):
    """A small training folder: labels, mattes, cut-outs and backgrounds."""
    root = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for kind in ("seg", "matte", "cutout", "background"):
        (root / kind).mkdir()
    for i in range(3):
        image = cv2.resize(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8), (160, 120))
        y, x = np.mgrid[:120, :160]
        disc = np.hypot(x - 60 - 20 * i, y - 60) < 30
        image[disc] = (200, 40, 40)
        labels = np.where(disc, 1, 2).astype(np.uint8)
        labels[:4] = 0
        soft = cv2.GaussianBlur(disc.astype(np.float32), (0, 0), 2)
        alpha = (soft * 255).astype(np.uint8)
        cv2.imwrite(str(root / "seg" / f"bsds__{i}.jpg"), image)
        cv2.imwrite(str(root / "seg" / f"bsds__{i}.labels.png"), labels)
        cv2.imwrite(str(root / "matte" / f"aim__{i}.jpg"), image)
        cv2.imwrite(str(root / "matte" / f"aim__{i}.alpha.png"), alpha)
        cv2.imwrite(str(root / "cutout" / f"fluent__{i}.png"), image)
        cv2.imwrite(str(root / "cutout" / f"fluent__{i}.alpha.png"), alpha)
        cv2.imwrite(str(root / "background" / f"b__{i}.jpg"), image)
    return root


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """Headers of the tests' images are not remembered for the user."""
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setattr(scan.platformdirs, "user_cache_path", lambda *a, **k: cache)
