"""Training: determinism, recipes, and that networks learn."""

from functools import partial
from threading import Thread

import numpy as np
import pytest
import torch
from torch import nn

from analysis.data.images import load_images
from analysis.models.architectures import cnn, mlp, resnet
from analysis.models.training import PAPER_CNN, PAPER_MLP, Recipe, accuracy, fit, predict, train

BUILD = partial(mlp, (16,), size=8)
RECIPE = Recipe(lr=1e-2, batch=32, epochs=2)


@pytest.fixture(scope="module")
def digits():
    return load_images("digits", size=8)


def same(first: nn.Module, second: nn.Module) -> bool:
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("build", [BUILD, partial(cnn, (3, 4), size=10), partial(resnet, (4,), 1, size=8)])
def test_a_seed_decides_every_bit(digits, build):
    x = nn.functional.interpolate(digits.x[:200], 10) if build.func is cnn else digits.x[:200]
    first, again, other = (train(build, RECIPE, x, digits.y[:200], seed=seed) for seed in (3, 3, 4))
    assert same(first, again)
    assert not same(first, other)


def test_the_number_of_threads_changes_nothing_and_is_given_back(digits):
    threads = torch.get_num_threads()
    results = []
    try:
        for n_threads in (1, 3):
            torch.set_num_threads(n_threads)
            results.append(train(BUILD, RECIPE, digits.x, digits.y, seed=0))
            assert torch.get_num_threads() == n_threads
    finally:
        torch.set_num_threads(threads)
    assert same(*results)


def test_global_random_state_is_neither_read_nor_changed(digits):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = train(BUILD, RECIPE, digits.x, digits.y, seed=0)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert same(first, train(BUILD, RECIPE, digits.x, digits.y, seed=0))


def test_trainings_in_threads_do_not_disturb_each_other(digits):
    alone = [train(BUILD, RECIPE, digits.x, digits.y, seed=seed) for seed in range(3)]
    together = {}

    def work(seed):
        together[seed] = train(BUILD, RECIPE, digits.x, digits.y, seed=seed)

    threads = [Thread(target=work, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(same(network, together[seed]) for seed, network in enumerate(alone))


def test_networks_learn_the_digits_and_come_in_evaluation_mode(digits):
    build = partial(mlp, (64,), size=8)
    network = train(build, Recipe(lr=1e-2, batch=32, epochs=12), digits.x[:900], digits.y[:900], seed=0)
    assert not any(module.training for module in network.modules())
    assert accuracy(network, digits.x[900:], digits.y[900:]) > 0.85


def test_gradient_descent_equals_the_update_rule_by_hand(digits):
    x, y = digits.x[:64], digits.y[:64]
    recipe = Recipe(optimiser="sgd", lr=0.3, batch=64, epochs=2)
    network = train(partial(mlp, (5,), size=8, dropout=0), Recipe(epochs=0), x, y, seed=0)
    by_hand = {name: value.clone().requires_grad_() for name, value in network.named_parameters()}
    for _ in range(2):
        loss = nn.functional.cross_entropy(torch.func.functional_call(network, by_hand, x), y)
        steps = torch.autograd.grad(loss, list(by_hand.values()))
        pairs = zip(by_hand.items(), steps, strict=True)
        by_hand = {name: (value - 0.3 * step).detach().requires_grad_() for (name, value), step in pairs}
    fit(network, recipe, x, y, seed=0)
    for name, value in network.named_parameters():
        torch.testing.assert_close(value.detach(), by_hand[name].detach(), rtol=1e-5, atol=1e-6)


def test_no_epoch_leaves_the_initial_weights_whatever_the_data(digits):
    untrained = Recipe(epochs=0)
    first = train(BUILD, untrained, digits.x, digits.y, seed=0)
    assert same(first, train(BUILD, untrained, digits.x[:10], digits.y[:10], seed=0))


def test_fit_goes_on_from_present_weights(digits):
    x, y = digits.x[:400], digits.y[:400]
    network = train(BUILD, RECIPE, x, y, seed=0)
    loss = nn.functional.cross_entropy(network(x), y)
    fit(network, RECIPE, x, y, seed=1)
    assert nn.functional.cross_entropy(network(x), y) < loss


def seen(recipe: Recipe, x, y, seed=0):
    """Images and labels that a network meets in training."""
    met = []

    class Spy(nn.Module):
        def __init__(self):
            super().__init__()
            self.readout = nn.Linear(x[0].numel(), int(y.max()) + 1)

        def forward(self, batch):
            met.append(batch)
            return self.readout(batch.flatten(1))

    train(Spy, recipe, x, y, seed=seed)
    return met


def test_every_image_is_seen_once_an_epoch():
    x, y = torch.arange(50.0).reshape(50, 1, 1, 1), torch.arange(50) % 2
    met = seen(Recipe(lr=1e-6, batch=16, epochs=3), x, y)
    assert [len(batch) for batch in met] == [16, 16, 16, 2] * 3
    epochs = torch.cat(met).flatten().reshape(3, 50)
    assert torch.equal(epochs.sort(1).values, torch.arange(50.0).expand(3, 50))
    assert not torch.equal(epochs[0], epochs[1])


@pytest.mark.parametrize(
    ("settings", "count"),
    [({"validation": 0.2}, 80), ({"fraction": 0.1}, 10), ({"validation": 0.5, "fraction": 0.2}, 10)],
)
def test_images_set_aside_are_never_seen(settings, count):
    x, y = torch.arange(100.0).reshape(100, 1, 1, 1), torch.arange(100) % 2
    met = torch.cat(seen(Recipe(lr=1e-6, epochs=2, **settings), x, y)).flatten()
    assert len(met.unique()) == count
    assert len(met) == 2 * count


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_label_noise_changes_that_share_and_never_to_the_right_class(share):
    from analysis.models.training import _with_noise

    y = torch.arange(1000) % 10
    noisy = _with_noise(y, share, 10, torch.Generator().manual_seed(0))
    assert int((noisy != y).sum()) == share * 1000
    assert set(noisy.tolist()) <= set(range(10))
    shifts = torch.bincount((noisy - y)[noisy != y] % 10, minlength=10)
    assert share == 0 or int(shifts[1:].min()) > 0


def test_label_noise_harms(digits):
    recipe = {"lr": 1e-2, "batch": 32, "epochs": 8}
    clean, noisy = (
        accuracy(
            train(BUILD, Recipe(**recipe, label_noise=share), digits.x[:900], digits.y[:900], seed=0),
            digits.x[900:],
            digits.y[900:],
        )
        for share in (0, 0.8)
    )
    assert noisy < clean - 0.1


def test_one_cycle_rises_and_falls_to_nothing():
    from analysis.models.training import _rate

    rates = [_rate("one-cycle", progress) for progress in np.linspace(0, 1, 101)]
    peak = int(np.argmax(rates))
    assert (peak, max(rates)) == (20, 1.0)
    assert rates[0] == 0
    assert rates[-1] == pytest.approx(0)
    assert np.all(np.diff(rates[:21]) > 0)
    assert np.all(np.diff(rates[21:]) < 0)


def test_predictions_are_the_highest_score_in_any_batches(digits):
    network = train(BUILD, RECIPE, digits.x, digits.y, seed=0)
    expected = network(digits.x).argmax(1)
    assert torch.equal(predict(network, digits.x, batch=100), expected)
    assert predict(network, digits.x).dtype == torch.int64
    assert accuracy(network, digits.x, expected) == 1.0
    assert accuracy(network, digits.x, (expected + 1) % 10) == 0.0


def test_the_papers_recipes():
    assert (PAPER_MLP.optimiser, PAPER_MLP.lr, PAPER_MLP.batch, PAPER_MLP.epochs) == ("sgd", 0.1, 128, 20)
    assert (PAPER_CNN.optimiser, PAPER_CNN.lr, PAPER_CNN.epochs) == ("adam", 2e-3, 10)
    assert (PAPER_MLP.validation, PAPER_MLP.schedule, PAPER_MLP.weight_decay) == (0.2, "constant", 0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"optimiser": "lbfgs"}, "'optimiser' must be one of 'sgd', 'adam', got 'lbfgs'"),
        ({"schedule": "step"}, "'schedule' must be one of"),
        ({"lr": 0}, "'lr' must be above 0, got 0"),
        ({"lr": float("nan")}, "'lr' must be"),
        ({"batch": 0}, "'batch' must be at least 1"),
        ({"epochs": -1}, "'epochs' must be at least 0"),
        ({"weight_decay": -1}, "'weight_decay' must be at least 0"),
        ({"validation": 1}, "'validation' must be a share"),
        ({"fraction": 0}, "'fraction' must be a share"),
        ({"label_noise": 1.1}, "'label_noise' must be a share"),
    ],
)
def test_recipes_that_cannot_be(settings, message):
    with pytest.raises(ValueError, match=message):
        Recipe(**settings)


def test_data_that_cannot_be_trained_on(digits):
    with pytest.raises(ValueError, match="'x' and 'y' must have the same length, got 5 and 4"):
        train(BUILD, RECIPE, digits.x[:5], digits.y[:4], seed=0)
    with pytest.raises(ValueError, match="must leave at least 1 training image"):
        train(BUILD, Recipe(fraction=0.05), digits.x[:5], digits.y[:5], seed=0)
