import threading

import pytest
import torch
from threadpoolctl import threadpool_info

from zim_model.runtime.threads import parallel_for, single_blas_thread


@pytest.fixture(params=[1, 3])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_every_part_is_done_once_with_one_thread_of_torch_each(threads):
    done, inside, lock = [], set(), threading.Lock()

    def work(i, j):
        with lock:
            done.append((i, j))
            inside.add(torch.get_num_threads())

    parts = [(i, i + 1) for i in range(7)]
    parallel_for(work, parts)
    assert sorted(done) == parts
    assert inside == {1}


def test_no_thread_stays_and_torch_keeps_its_number(threads):
    before = set(threading.enumerate())
    parallel_for(lambda i, j: None, [(0, 0), (1, 1), (2, 2)])
    assert set(threading.enumerate()) == before
    assert torch.get_num_threads() == threads
    inherited = []
    thread = threading.Thread(target=lambda: inherited.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert inherited == [threads]


def test_inference_mode_holds_in_the_parts(threads):
    with torch.inference_mode():
        total = torch.zeros(3)

        def add(i, j):
            total[i] += j  # an inference tensor takes no change outside

        parallel_for(add, [(0, 1), (1, 2), (2, 3)])
    assert total.tolist() == [1, 2, 3]


def test_an_error_in_a_part_is_raised(threads):
    def fail(i, j):
        raise ValueError(f"part {i}")

    with pytest.raises(ValueError, match="part"):
        parallel_for(fail, [(0, 0), (1, 1), (2, 2)])
    assert torch.get_num_threads() == threads


def blas_threads() -> set[int]:
    pools = threadpool_info()
    return {pool["num_threads"] for pool in pools if pool["user_api"] == "blas"}


@pytest.mark.skipif(not blas_threads(), reason="NumPy has another BLAS here")
def test_products_inside_take_one_thread_and_others_as_many_as_before():
    before = blas_threads()
    with single_blas_thread():
        assert blas_threads() == {1}
    assert blas_threads() == before
