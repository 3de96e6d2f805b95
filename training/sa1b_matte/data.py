"""Training samples with the paper's prompts, also from shards of SA1B-Matte.

A view is the whole image, flipped at random, with two prompt sets for one matte: its
box, and clicks as in RITM.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from torch import Tensor

from training.prompt_sampling import sample_clicks
from training.sa1b_matte.shards import ShardItem, Shards, read_image, read_matte
from training.samples import PromptSamples, RejectionDataset
from training.sources import Scene
from zim_model.network.config import ZimConfig
from zim_model.prompts import Box, PromptSet

MAX_CLICKS = 24
"""RITM's limit of sampled clicks of each sign, without those on prediction errors."""
MAX_TOKENS = 2 * MAX_CLICKS + 1
MERGED_SHARE = 0.15
"""How often the target is two objects, as in RITM."""
MIN_MATTE_AREA = 48
"""Smallest number of pixels of a usable matte."""
MAX_OTHER_OBJECTS = 3
"""Largest number of other objects for negative clicks."""
SHARD_WINDOW = 8
"""Number of shards whose images are shuffled together."""


class PaperSamples(PromptSamples):
    """Samples with the paper's prompts, see :class:`training.samples.PromptSamples`."""

    def draw_prompts(
        self, rng: np.random.Generator, scene: Scene
    ) -> tuple[Scene, Sequence[PromptSet], int]:
        if rng.random() < 0.5:
            scene = scene.crop(np.s_[:, ::-1])
        mask = scene.alpha > 0.5
        if mask.sum() < MIN_MATTE_AREA:
            return scene, (), MAX_TOKENS
        objects = scene.merged or (mask,)
        clicks = sample_clicks(rng, objects, scene.other_objects, max_points=MAX_CLICKS)
        box = Box.around(scene.alpha > 0)
        return scene, (PromptSet((), box), PromptSet(clicks)), MAX_TOKENS


class ShardSamples(PaperSamples):
    """Samples from shards: each image once per epoch, with one of its mattes.

    Sample i is a pure function of the seed and i.  Only a few shards are read at a
    time, so that reads are mostly sequential.
    """

    def __init__(
        self, shards: Shards, config: ZimConfig, sizes: Sequence[int], seed: int
    ) -> None:
        RejectionDataset.__init__(self, len(sizes), seed)  # without a SceneReader
        self.config, self.sizes = config, sizes
        self.order = ShuffledOrder(shards, seed)

    def summary(self) -> str:
        return f"{len(self.order.items)} images of shards"

    def attempt(
        self, rng: np.random.Generator, index: int, attempt: int
    ) -> dict[str, Tensor] | None:
        # After a damaged image, a random other one.
        item = self.order.item_at(index) if attempt == 0 else self.order.draw(rng)
        return self.sample(rng, make_scene(rng, item), int(self.sizes[index]))


def make_scene(rng: np.random.Generator, item: ShardItem) -> Scene:
    """Make a scene of an image with one or two of its mattes, chosen at random.

    Raises:
        ZimError: the shard is damaged.
    """
    record, image = read_image(item)
    order = rng.permutation(len(record.mattes)).tolist()
    count = 2 if len(order) > 1 and rng.random() < MERGED_SHARE else 1
    mattes = [read_matte(item, record, number) for number in order[:count]]
    alpha = np.asarray(np.maximum.reduce(mattes) / 255, np.float32)
    other_objects = np.zeros(alpha.shape, bool)
    for number in order[count : count + MAX_OTHER_OBJECTS]:
        other_objects |= read_matte(item, record, number) > 127
    other_objects &= alpha <= 0.5
    objects = [matte > 127 for matte in mattes]
    merged = tuple(objects) if count > 1 and all(m.any() for m in objects) else ()
    known = np.ones(alpha.shape, bool)
    return Scene(image, alpha, known, other_objects, True, merged=merged)


class ShuffledOrder:
    """The shuffled order of a data set's images, epoch after epoch.

    An epoch takes the shards in random order, :data:`SHARD_WINDOW` at a time, and
    shuffles the images of each window.
    """

    def __init__(self, shards: Shards, seed: int) -> None:
        self.seed = seed
        self.items: list[ShardItem] = [
            item for shard in shards.shards for item in shard
        ]
        ends = np.cumsum([len(shard) for shard in shards.shards])
        self._ranges = [
            np.arange(end - len(shard), end)
            for shard, end in zip(shards.shards, ends, strict=True)
        ]
        self._epoch, self._order = -1, np.arange(0)

    def item_at(self, number: int) -> ShardItem:
        """Return the item of a sample."""
        epoch, position = divmod(number, len(self.items))
        if epoch != self._epoch:
            self._epoch, self._order = epoch, self._permutation(epoch)
        return self.items[int(self._order[position])]

    def draw(self, rng: np.random.Generator) -> ShardItem:
        """Draw a random item."""
        return self.items[int(rng.integers(len(self.items)))]

    def _permutation(self, epoch: int) -> npt.NDArray[np.int64]:
        rng = np.random.default_rng((self.seed, epoch))
        shards = rng.permutation(len(self._ranges))
        windows = [
            rng.permutation(
                np.concatenate([self._ranges[i] for i in shards[k : k + SHARD_WINDOW]])
            )
            for k in range(0, len(shards), SHARD_WINDOW)
        ]
        return np.concatenate(windows)
