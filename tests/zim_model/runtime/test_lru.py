"""The cache that is bounded in bytes."""

from __future__ import annotations

import numpy as np

from zim_model.runtime.lru import ByteBoundedLru


def test_the_least_recently_used_value_is_dropped_first():
    cache = ByteBoundedLru(20)
    for key in "abc":
        cache.put(key, np.zeros(10, np.uint8))
    assert cache.get("a") is None
    assert cache.get("b") is not None
    cache.put("d", np.zeros(10, np.uint8))
    assert cache.get("c") is None
    assert (len(cache), cache.nbytes) == (2, 20)


def test_the_newest_value_stays_whatever_its_size():
    cache = ByteBoundedLru(1)
    cache.put("a", np.zeros(10, np.uint8))
    assert cache.get("a") is not None


def test_a_value_is_replaced_by_another_of_its_key():
    cache = ByteBoundedLru(20)
    cache.put("a", np.zeros(20, np.uint8))
    cache.put("a", np.zeros(5, np.uint8))
    assert (len(cache), cache.nbytes) == (1, 5)


def test_a_lower_bound_drops_what_exceeds_it():
    cache = ByteBoundedLru(30)
    for key in "abc":
        cache.put(key, np.zeros(10, np.uint8))
    cache.resize(15)
    assert [cache.get(key) is None for key in "abc"] == [True, True, False]


def test_a_value_is_kept_in_another_size_in_its_place():
    cache = ByteBoundedLru(30)
    large, small = np.zeros(20, np.uint8), np.zeros(5, np.uint8)
    cache.put("a", large)
    cache.put("b", np.zeros(10, np.uint8))
    cache.replace(large, small)
    assert (cache.get("a") is small, cache.nbytes) == (True, 15)
    cache.replace(large, small)
    assert cache.nbytes == 15


def test_values_that_grow_drop_the_least_recently_used():
    cache = ByteBoundedLru(20)
    small = np.zeros(5, np.uint8)
    cache.put("a", np.zeros(10, np.uint8))
    cache.put("b", small)
    cache.replace(small, np.zeros(15, np.uint8))
    assert cache.get("a") is None
    assert (len(cache), cache.nbytes) == (1, 15)
