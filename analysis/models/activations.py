"""Layer activations of any `torch.nn.Module`, through forward hooks."""

import contextlib
import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from analysis.checks import ArrayLike, choose


@dataclass(frozen=True, eq=False)
class Activations:
    """Activations of one network to a set of stimuli.

    Parameters
    ----------
    values : torch.Tensor of shape (n_stimuli, n_units), float32, on the CPU
    layer : torch.Tensor of shape (n_units,), int64
        Position in `names` of each unit's layer.
    names : tuple of str
        The recorded layers.
    """

    values: torch.Tensor
    layer: torch.Tensor
    names: tuple[str, ...]

    def by_layer(self, layer: str | int) -> torch.Tensor:
        """Activations of one layer, given by its name or its position, shape (n_stimuli, n_units of the layer)."""
        if isinstance(layer, str):
            layer = self.names.index(choose(layer, "layer", self.names))
        return self.values[:, self.layer == choose(layer, "layer", range(len(self.names)))]


def record(
    module: nn.Module,
    x: ArrayLike,
    layers: Sequence[str] | str,
    *,
    batch_size: int = 256,
    pool: str | None = None,
    device: str | torch.device | None = None,
) -> Activations:
    """Outputs of named layers for every stimulus, in evaluation mode and without gradients.

    Outputs are copied when the layer returns, so a later in-place operation does not change them. A module that runs
    several times in one forward pass gives the units of all its calls, in the order of the calls. Of an output that is
    a tuple, list or dict, the first tensor is recorded.

    Parameters
    ----------
    module : torch.nn.Module
        Any network, for instance of torchvision or timm. Its training flags, device and hooks are left as they were.
    x : array or tensor of shape (n_stimuli, ...)
        What the network takes, one stimulus a row. Bytes and float64 are cast to the numbers that the network computes
        in; their values stay what they are, 0 to 255 for instance.
    layers : str or sequence of str
        Names from ``module.named_modules()``, in the order in which the layers are to be numbered.
    batch_size : int
        Stimuli in one forward pass.
    pool : {None, "mean"}
        None: every output value of a stimulus is a unit. ``"mean"``: maps of shape (n, channels, height, width) are
        averaged over space, so are square ones with their channels last (n, side, side, channels), and outputs of shape
        (n, tokens, dim) over tokens; other shapes are flattened.
    device : str or torch.device, optional
        Where to run the network. None: where its parameters are.

    Returns
    -------
    Activations

    Raises
    ------
    ValueError
        If a name is unknown (the message suggests the nearest), a layer does not run, has no tensor among its outputs,
        or its output does not have one row a stimulus, or its number of units changes between batches.

    Examples
    --------
    >>> network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(16, 3))
    >>> activations = record(network, torch.rand(5, 1, 4, 4), ["0", "3"])
    >>> activations.values.shape, activations.by_layer("3").shape
    (torch.Size([5, 19]), torch.Size([5, 3]))
    >>> record(network, torch.rand(5, 1, 4, 4), "0", pool="mean").values.shape
    torch.Size([5, 4])
    """
    names = _known((layers,) if isinstance(layers, str) else tuple(layers), module)
    choose(pool, "pool", (None, "mean"))
    stimuli = torch.as_tensor(x)
    if stimuli.ndim == 0 or len(stimuli) == 0:
        raise ValueError(f"'x' must have at least 1 stimulus, got shape {tuple(stimuli.shape)}.")
    if batch_size < 1:
        raise ValueError(f"'batch_size' must be at least 1, got {batch_size}.")
    with torch.no_grad(), _evaluating(module), _placed(module, device) as place, calls_of(module, names, pool) as calls:
        return _assemble(module, _cast(stimuli, module).split(batch_size), place, names, calls)


def _cast(stimuli: torch.Tensor, module: nn.Module) -> torch.Tensor:
    """Images as they come from files or NumPy, in the network's own numbers; others, such as tokens, as they are."""
    if stimuli.dtype not in (torch.uint8, torch.float64):
        return stimuli
    own = (part.dtype for part in (*module.parameters(), *module.buffers()) if part.is_floating_point())
    return stimuli.to(next(own, torch.float32))


def _assemble(module, batches, device, names: tuple[str, ...], calls: dict[str, list[torch.Tensor]]) -> Activations:
    values, widths, done = None, None, 0
    for batch in batches:
        for outputs in calls.values():
            outputs.clear()
        module(batch.to(device))
        parts = [one_row_a_stimulus(calls[name], name, len(batch)) for name in names]
        if values is None:
            widths = [part.shape[1] for part in parts]
            values = torch.empty(sum(map(len, batches)), sum(widths))
        now = [part.shape[1] for part in parts]
        if widths != now:
            raise ValueError(f"'layers' must give as many units in every batch, got {widths} and then {now}.")
        torch.cat(parts, 1, out=values[done : done + len(batch)])
        done += len(batch)
    return Activations(values, torch.arange(len(names)).repeat_interleave(torch.tensor(widths)), names)


def one_row_a_stimulus(outputs: list[torch.Tensor], name: str, n_stimuli: int) -> torch.Tensor:
    """All outputs of a layer in one forward pass side by side, shape (n_stimuli, n_units); checked."""
    if not outputs:
        raise ValueError(f"'layers' must run in the forward pass, got '{name}', which was never called.")
    for output in outputs:
        if output.ndim == 0 or len(output) != n_stimuli:
            got = f"shape {tuple(output.shape)} from '{name}'"
            raise ValueError(f"'layers' must give one row for each of {n_stimuli} stimuli, got {got}.")
    return torch.cat([output.flatten(1) if output.ndim > 1 else output[:, None] for output in outputs], 1)


@contextlib.contextmanager
def calls_of(module: nn.Module, names: tuple[str, ...], pool: str | None) -> Iterator[dict[str, list[torch.Tensor]]]:
    """Outputs of named layers as the module runs, call by call, float32 on the CPU; empty the lists between batches."""
    calls = {name: [] for name in names}
    with contextlib.ExitStack() as hooks:
        for name in names:

            def keep(_module, _inputs, output, name=name):
                tensor = first_tensor(output)
                if tensor is None:
                    raise ValueError(f"'layers' must give a tensor, got {type(output).__name__} from '{name}'.")
                calls[name].append(_pooled(tensor, pool).to("cpu", torch.float32, copy=True))

            hooks.callback(module.get_submodule(name).register_forward_hook(keep).remove)
        yield calls


def _pooled(tensor: torch.Tensor, pool: str | None) -> torch.Tensor:
    if pool == "mean" and tensor.ndim == 3:
        return tensor.mean(1)
    if pool == "mean" and tensor.ndim == 4 and tensor.shape[1] == tensor.shape[2] != tensor.shape[3]:
        return tensor.mean((1, 2))  # a square map with its channels last, as of Swin transformers
    if pool == "mean" and tensor.ndim > 3:
        return tensor.flatten(2).mean(2)
    return tensor


def first_tensor(output) -> torch.Tensor | None:
    """The first tensor of what a module returns, in tuples, lists and mappings too; None if there is none."""
    if isinstance(output, torch.Tensor):
        return output
    if isinstance(output, dict):
        output = tuple(output.values())
    found = (first_tensor(part) for part in output) if isinstance(output, tuple | list) else ()
    return next((tensor for tensor in found if tensor is not None), None)


def _known(names: tuple[str, ...], module: nn.Module) -> tuple[str, ...]:
    known = [name for name, _ in module.named_modules(remove_duplicate=False)]
    for name in names:
        if name not in known:
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0)
            raise ValueError(f"'layers' must be names of modules, got {name!r}; the nearest is {nearest[0]!r}.")
    if not names or len(set(names)) < len(names):
        raise ValueError(f"'layers' must be one or more different names, got {names}.")
    return names


@contextlib.contextmanager
def _evaluating(module: nn.Module):
    training = {part: part.training for part in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for part, flag in training.items():
            part.training = flag


@contextlib.contextmanager
def _placed(module: nn.Module, device: str | torch.device | None) -> Iterator[torch.device]:
    """Run on `device` and move back after; with None the module stays where it is, even if spread over devices."""
    home = next((tensor.device for tensor in (*module.parameters(), *module.buffers())), torch.device("cpu"))
    if device is None:
        yield home
        return
    module.to(device)
    try:
        yield torch.device(device)
    finally:
        module.to(home)
