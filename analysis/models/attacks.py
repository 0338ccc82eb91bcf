"""Adversarial images by the sign of the loss gradient."""

from collections.abc import Callable, Iterable

import torch
import torch.nn.functional as F
from torch import nn

from analysis.models.training import Recipe, fit, train

EPSILON = 10 / 255
"""Step of the neuron-correlation paper, in units of the pixel range."""


def sign_gradient_step(
    network: nn.Module, x: torch.Tensor, y: torch.Tensor, *, epsilon: float = EPSILON, batch: int = 512
) -> torch.Tensor:
    """Images moved by `epsilon` along the sign of the network's loss gradient and clipped to [0, 1].

    One step of the fast gradient sign method. The network is in evaluation mode, without dropout; a pixel without
    gradient does not move.

    Parameters
    ----------
    network : torch.nn.Module
        From images to class scores.
    x : tensor of shape (n, 1, size, size), in [0, 1]
    y : tensor of shape (n,), int64
    epsilon : float
        Size of the step, at least 0.
    batch : int
        Images in one pass.

    Returns
    -------
    tensor of the shape of `x`, on its device

    References
    ----------
    Goodfellow et al. (2015), Explaining and harnessing adversarial examples. https://arxiv.org/abs/1412.6572

    Examples
    --------
    >>> network = nn.Sequential(nn.Flatten(), nn.Linear(1, 2))
    >>> _ = network.load_state_dict({"1.weight": torch.tensor([[1.0], [-1.0]]), "1.bias": torch.zeros(2)})
    >>> sign_gradient_step(network, torch.full((1, 1, 1, 1), 0.5), torch.tensor([0]), epsilon=0.2).item()
    0.30000001192092896
    """
    if not epsilon >= 0:
        raise ValueError(f"'epsilon' must be at least 0, got {epsilon}.")
    network.eval()
    device = next(network.parameters()).device
    parts = zip(x.split(batch), y.split(batch), strict=True)
    signs = [_gradient(network, images.to(device), labels.to(device)).sign() for images, labels in parts]
    return (x + epsilon * torch.cat(signs).to(x.device)).clamp(0, 1)


def accumulated_sign_gradient(
    build: Callable[[], nn.Module],
    recipe: Recipe,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    n_rounds: int = 10,
    epsilon: float = EPSILON,
    seed: int,
    device: str | torch.device = "cpu",
    progress: Callable[[Iterable, str, int], Iterable] = lambda steps, label, total: steps,
) -> torch.Tensor:
    """Adversarial images after each round of a network that learns the very images it attacks.

    In each round the adversary is trained on the images as they are, and then every image moves by `epsilon` along the
    sign of the adversary's loss gradient and is clipped to [0, 1]. The adversary starts fresh; its weights carry over
    from round to round, its optimiser does not. No pixel ends further than ``n_rounds * epsilon`` from where it began.

    Parameters
    ----------
    build : callable
        Returns a new adversary.
    recipe : Recipe
        Training in each round (the paper: a convolutional network, Adam at 0.002, 10 epochs).
    x : tensor of shape (n, 1, size, size), in [0, 1]
        The images to attack.
    y : tensor of shape (n,), int64
    n_rounds : int
        At least 1.
    epsilon : float
        Step of a round.
    seed : int
    device : str or torch.device
        Where the adversary is trained.
    progress : callable
        Wraps the rounds: ``progress(iterable, label, total)``.

    Returns
    -------
    tensor of shape (n_rounds, n, 1, size, size), on the device of `x`
        The last entry holds the final images.

    References
    ----------
    Ehsani Oskouie et al. (2024), experiment 2. https://arxiv.org/abs/2408.08448

    Examples
    --------
    >>> from functools import partial
    >>> from analysis.models.architectures import mlp
    >>> x, y = torch.rand(8, 1, 4, 4), torch.arange(8) % 2
    >>> adversary = partial(mlp, (4,), size=4, n_classes=2)
    >>> rounds = accumulated_sign_gradient(adversary, Recipe(epochs=1), x, y, n_rounds=3, epsilon=0.1, seed=0)
    >>> rounds.shape, bool((rounds[-1] - x).abs().max() <= 0.3 + 1e-6)
    (torch.Size([3, 8, 1, 4, 4]), True)
    """
    if n_rounds < 1:
        raise ValueError(f"'n_rounds' must be at least 1, got {n_rounds}.")
    images, rounds, adversary = x, [], None
    for step in progress(range(n_rounds), "attack", n_rounds):
        if adversary is None:
            adversary = train(build, recipe, images, y, seed=seed, device=device)
        else:
            fit(adversary, recipe, images, y, seed=seed + step)
        images = sign_gradient_step(adversary, images, y, epsilon=epsilon)
        rounds.append(images)
    return torch.stack(rounds)


def _gradient(network: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    x = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(F.cross_entropy(network(x), y, reduction="sum"), x)
    return gradient
