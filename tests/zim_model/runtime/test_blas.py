"""Numpy's products on one thread."""

import pytest
from threadpoolctl import threadpool_info

from zim_model.runtime.blas import single_blas_thread


def threads() -> set[int]:
    pools = threadpool_info()
    return {pool["num_threads"] for pool in pools if pool["user_api"] == "blas"}


@pytest.mark.skipif(not threads(), reason="numpy has another BLAS here")
def test_products_inside_take_one_thread_and_others_as_many_as_before():
    before = threads()
    with single_blas_thread():
        assert threads() == {1}
    assert threads() == before
