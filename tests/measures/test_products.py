"""Products in full precision, and work side by side: the same results, and nothing of it is left afterwards."""

import numpy as np
import pytest
import threadpoolctl
import torch

from analysis.measures._products import cores_for_numpy, product, side_by_side
from analysis.measures.cka import cka_matrix
from analysis.measures.neurons import neuronal_correlation
from analysis.measures.rsa import _order, rsa_matrix

CPU = torch.device("cpu")
MEASURES = {
    "CKA": lambda x: cka_matrix(x),
    "debiased CKA": lambda x: cka_matrix(x, debiased=True),
    "RSA": lambda x: rsa_matrix(x),
    "units": lambda x: neuronal_correlation(torch.cat(x, 1), torch.cat(x[::-1], 1)).match,
}


def threads():
    return [torch.get_num_threads(), *(pool["num_threads"] for pool in threadpoolctl.threadpool_info())]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_product_is_written_where_it_is_asked_for(dtype):
    left, right = torch.randn(7, 5, dtype=dtype), torch.randn(5, 3, dtype=dtype)
    out = torch.empty(7, 3, dtype=dtype)
    assert product(left, right, out=out) is out
    np.testing.assert_allclose(out, left @ right, rtol=1e-5, atol=1e-6)
    assert torch.equal(product(left, right), out)


@pytest.mark.parametrize("n_tasks", [0, 1, 2, 20])
def test_results_come_in_the_order_of_their_tasks(n_tasks):
    found = side_by_side(lambda a, b: (a, b, torch.get_num_threads()), range(n_tasks), range(n_tasks), device=CPU)
    assert [task[:2] for task in found] == [(k, k) for k in range(n_tasks)]
    assert n_tasks < 3 or {task[2] for task in found} == {1}


def test_tasks_that_do_not_fit_together_are_refused():
    with pytest.raises(ValueError, match="shorter"):
        side_by_side(lambda a, b: a, [1, 2], [1], device=CPU)


def test_threads_are_as_they_were_also_after_an_error():
    before = threads()
    with pytest.raises(ZeroDivisionError):
        side_by_side(lambda d: 1 / d, [1, 2, 3, 0, 5], device=CPU)
    assert threads() == before


@pytest.mark.parametrize("name", MEASURES)
def test_measures_work_in_inference_mode_as_outside(name):
    features = [torch.randn(30, 700, generator=torch.Generator().manual_seed(k)) for k in range(4)]
    expected = MEASURES[name](features)
    with torch.inference_mode():
        inside = [x.clone() for x in features]
        np.testing.assert_array_equal(MEASURES[name](inside), expected)


@pytest.mark.parametrize("size", [3, 1000, 20_000])
def test_integers_sort_as_numbers_do(size):
    values = np.random.default_rng(size).exponential(size=size)
    values[1] = values[0]
    np.testing.assert_array_equal(_order(values), np.argsort(values, kind="stable"))
    np.testing.assert_array_equal(_order(1e-12 * values - 3e-16), np.argsort(values, kind="stable"))


def test_cores_are_lent_to_numpy_for_as_long_as_it_takes():
    before = torch.get_num_threads()
    with cores_for_numpy():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
