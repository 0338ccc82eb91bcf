"""The accumulated sign-gradient attack: its bound, its steps, and that it fools networks."""

from functools import partial

import pytest
import torch
from torch import nn

from analysis.data.images import load_images
from analysis.models.architectures import mlp
from analysis.models.attacks import accumulated_sign_gradient, sign_gradient_step
from analysis.models.training import Recipe, accuracy, fit, train

BUILD = partial(mlp, (24,), size=8)
RECIPE = Recipe(lr=1e-2, batch=64, epochs=4)


@pytest.fixture(scope="module")
def digits():
    return load_images("digits", size=8).subset(range(500))


@pytest.fixture(scope="module")
def network(digits):
    return train(BUILD, Recipe(lr=1e-2, batch=32, epochs=10), digits.x, digits.y, seed=5)


@pytest.fixture(scope="module")
def rounds(digits):
    return accumulated_sign_gradient(BUILD, RECIPE, digits.x, digits.y, n_rounds=4, epsilon=0.05, seed=0)


def test_a_step_follows_the_sign_of_the_loss_gradient_image_by_image(digits, network):
    x, y = digits.x[:5], digits.y[:5]
    moved = sign_gradient_step(network, x, y, epsilon=0.1, batch=2)
    for image, label, result in zip(x, y, moved, strict=True):
        leaf = image[None].clone().requires_grad_()
        (gradient,) = torch.autograd.grad(nn.functional.cross_entropy(network(leaf), label[None]), leaf)
        torch.testing.assert_close(result, (image + 0.1 * gradient[0].sign()).clamp(0, 1))


def test_a_step_leaves_images_network_and_dropout_alone(digits, network):
    network.train()
    before = digits.x.clone()
    first = sign_gradient_step(network, digits.x, digits.y)
    assert torch.equal(first, sign_gradient_step(network, digits.x, digits.y))
    assert torch.equal(digits.x, before)
    assert all(parameter.grad is None for parameter in network.parameters())
    assert not first.requires_grad


def test_no_step_moves_nothing(digits, network):
    assert torch.equal(sign_gradient_step(network, digits.x, digits.y, epsilon=0), digits.x)


def test_one_step_lowers_accuracy(digits, network):
    moved = sign_gradient_step(network, digits.x, digits.y, epsilon=0.15)
    assert accuracy(network, moved, digits.y) < accuracy(network, digits.x, digits.y) - 0.3


def test_each_round_moves_every_pixel_by_at_most_epsilon(digits, rounds):
    images = torch.cat([digits.x[None], rounds])
    assert rounds.shape == (4, *digits.x.shape)
    assert float((images[1:] - images[:-1]).abs().max()) <= 0.05 + 1e-6
    assert float((rounds[-1] - digits.x).abs().max()) > 0.1
    assert float(rounds.min()) >= 0
    assert float(rounds.max()) <= 1


def test_rounds_are_training_and_step_by_hand(digits, rounds):
    adversary = train(BUILD, RECIPE, digits.x, digits.y, seed=0)
    images = sign_gradient_step(adversary, digits.x, digits.y, epsilon=0.05)
    assert torch.equal(rounds[0], images)
    fit(adversary, RECIPE, images, digits.y, seed=1)
    assert torch.equal(rounds[1], sign_gradient_step(adversary, images, digits.y, epsilon=0.05))


def test_later_rounds_fool_another_network_more(digits, network, rounds):
    kept = [accuracy(network, images, digits.y) for images in (digits.x, rounds[0], rounds[-1])]
    assert kept[0] > kept[1] > kept[2]


def test_a_seed_decides_every_bit(digits, rounds):
    attack = partial(accumulated_sign_gradient, BUILD, RECIPE, digits.x, digits.y, n_rounds=2, epsilon=0.05)
    assert torch.equal(attack(seed=0), rounds[:2])
    assert not torch.equal(attack(seed=1), rounds[:2])


def test_progress_sees_every_round(digits):
    seen = []

    def progress(iterable, label, total):
        for step in iterable:
            seen.append((label, step, total))
            yield step

    x, y = digits.x[:20], digits.y[:20]
    accumulated_sign_gradient(BUILD, Recipe(epochs=1), x, y, n_rounds=3, seed=0, progress=progress)
    assert seen == [("attack", 0, 3), ("attack", 1, 3), ("attack", 2, 3)]


def test_bad_input(digits, network):
    with pytest.raises(ValueError, match="'n_rounds' must be at least 1, got 0"):
        accumulated_sign_gradient(BUILD, RECIPE, digits.x, digits.y, n_rounds=0, seed=0)
    with pytest.raises(ValueError, match=r"'epsilon' must be at least 0, got -0\.1"):
        sign_gradient_step(network, digits.x, digits.y, epsilon=-0.1)
