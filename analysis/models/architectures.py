"""Small image classifiers: the architectures of the embedded model zoo.

Every builder takes the side of the square images and the number of classes and returns a network from
``(n, 1, size, size)`` to ``(n, n_classes)`` scores. Its parts are named children in the order they run, and the layers
to record are the children called ``stage0``, ``stage1``, ... (see `recorded_layers`).
"""

import torch
import torch.nn.functional as F
from torch import nn


def recorded_layers(network: nn.Module) -> tuple[str, ...]:
    """Names of the layers to record, from the input to the output.

    Examples
    --------
    >>> recorded_layers(mlp((60, 40), size=16))
    ('stage0', 'stage1')
    """
    return tuple(name for name, _ in network.named_children() if name.startswith("stage"))


def mlp(widths: tuple[int, ...], *, size: int, n_classes: int = 10, dropout: float = 0.5) -> nn.Sequential:
    """ReLU perceptron with dropout before the readout; each stage is a hidden layer of ReLU units.

    Parameters
    ----------
    widths : tuple of int
        Units of each hidden layer.
    size, n_classes : int
        Side of the images in pixels, and number of classes.
    dropout : float
        Share of the last hidden layer dropped in training.
    """
    network = _named(input=nn.Flatten())
    n_inputs = size * size
    for depth, width in enumerate(widths):
        network.append_named(f"stage{depth}", nn.Sequential(nn.Linear(n_inputs, width), nn.ReLU()))
        n_inputs = width
    network.append_named("dropout", nn.Dropout(dropout))
    return network.append_named("readout", nn.Linear(n_inputs, n_classes))


def cnn(
    channels: tuple[int, int] = (32, 64), *, size: int, n_classes: int = 10, n_hidden: int = 100, dropout: float = 0.5
) -> nn.Sequential:
    """Two 3 × 3 convolutions without padding, each max-pooled, and two dense layers; the stages are the pooled maps.

    With 28 × 28 images the stages have 32 × 13 × 13 = 5,408 and 64 × 5 × 5 = 1,600 units.

    Parameters
    ----------
    channels : tuple of 2 ints
        Maps of the two convolutions.
    size, n_classes : int
        Side of the images in pixels (at least 10), and number of classes.
    n_hidden : int
        Units of the hidden dense layer.
    dropout : float
        Share of the second convolution's maps dropped in training.
    """
    if size < 10:
        raise ValueError(f"'size' must be at least 10 pixels for two unpadded pooled convolutions, got {size}.")
    first, second = channels
    side = ((size - 2) // 2 - 2) // 2
    return _named(
        stage0=nn.Sequential(nn.Conv2d(1, first, 3), nn.MaxPool2d(2)),
        relu0=nn.ReLU(),
        stage1=nn.Sequential(nn.Conv2d(first, second, 3), nn.Dropout2d(dropout), nn.MaxPool2d(2)),
        relu1=nn.ReLU(),
        hidden=nn.Sequential(nn.Flatten(), nn.Linear(second * side**2, n_hidden), nn.ReLU()),
        readout=nn.Linear(n_hidden, n_classes),
    )


def resnet(widths: tuple[int, ...], n_blocks: int, *, size: int, n_classes: int = 10) -> nn.Sequential:
    """Residual network; each stage halves the side of the maps and ends in ReLU units.

    Parameters
    ----------
    widths : tuple of int
        Maps of each stage.
    n_blocks : int
        Residual blocks in each stage.
    size, n_classes : int
        Side of the images in pixels (any: the maps are averaged over space), and number of classes.

    References
    ----------
    He et al. (2016), Deep residual learning for image recognition. https://doi.org/10.1109/CVPR.2016.90
    """
    network = _named(stem=_convolution(1, widths[0], stride=1))
    n_inputs = widths[0]
    for depth, width in enumerate(widths):
        blocks = [_Residual(n_inputs, width, stride=2)]
        blocks += [_Residual(width, width) for _ in range(n_blocks - 1)]
        network.append_named(f"stage{depth}", nn.Sequential(*blocks))
        n_inputs = width
    return network.append_named("readout", _pooled_readout(n_inputs, n_classes))


def densenet(growth: int, n_convolutions: tuple[int, ...], *, size: int, n_classes: int = 10) -> nn.Sequential:
    """Densely connected network; each stage is a dense block and the transition that halves maps and their side.

    Parameters
    ----------
    growth : int
        Maps that each convolution adds to all earlier ones of its block.
    n_convolutions : tuple of int
        Convolutions of each dense block.
    size, n_classes : int
        Side of the images in pixels (at least 2 to the power of the number of blocks), and number of classes.

    References
    ----------
    Huang et al. (2017), Densely connected convolutional networks. https://doi.org/10.1109/CVPR.2017.243
    """
    if size < 2 ** len(n_convolutions):
        raise ValueError(f"'size' must be at least {2 ** len(n_convolutions)} for {n_convolutions}, got {size}.")
    width = 2 * growth
    network = _named(stem=_convolution(1, width, stride=1))
    for depth, length in enumerate(n_convolutions):
        block = [_Dense(width + i * growth, growth) for i in range(length)]
        n_maps, width = width + length * growth, (width + length * growth) // 2
        transition = [_convolution(n_maps, width, kernel=1), nn.AvgPool2d(2)]
        network.append_named(f"stage{depth}", nn.Sequential(*block, *transition))
    return network.append_named("readout", _pooled_readout(width, n_classes))


def vit(
    width: int, n_blocks: int, *, patch: int = 4, n_heads: int = 4, size: int, n_classes: int = 10
) -> nn.Sequential:
    """Vision transformer without class token; each stage is a pre-norm block and gives ``(n, tokens, width)``.

    Parameters
    ----------
    width : int
        Length of a token, a multiple of `n_heads`.
    n_blocks : int
        Blocks of self-attention and perceptron.
    patch : int
        Side of a patch in pixels. Images that it does not divide are padded with zeros to the right and below.
    n_heads : int
        Attention heads.
    size, n_classes : int
        Side of the images in pixels, and number of classes.

    References
    ----------
    Dosovitskiy et al. (2021), An image is worth 16 × 16 words. https://openreview.net/forum?id=YicbFdNTTy
    """
    if width % n_heads:
        raise ValueError(f"'width' must be a multiple of n_heads={n_heads}, got {width}.")
    network = _named(patches=_Patches(width, patch, size))
    for depth in range(n_blocks):
        network.append_named(f"stage{depth}", _Transformer(width, n_heads))
    return network.append_named("readout", _TokenReadout(width, n_classes))


class _Named(nn.Sequential):
    def append_named(self, name: str, module: nn.Module) -> "_Named":
        self.add_module(name, module)
        return self


def _named(**parts: nn.Module) -> _Named:
    network = _Named()
    for name, module in parts.items():
        network.append_named(name, module)
    return network


def _convolution(n_inputs: int, n_outputs: int, *, kernel: int = 3, stride: int = 1, relu: bool = True) -> nn.Module:
    convolution = nn.Conv2d(n_inputs, n_outputs, kernel, stride, padding=kernel // 2, bias=False)
    parts = [convolution, nn.BatchNorm2d(n_outputs)]
    return nn.Sequential(*parts, nn.ReLU()) if relu else nn.Sequential(*parts)


def _pooled_readout(n_maps: int, n_classes: int) -> nn.Module:
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(n_maps, n_classes))


class _Residual(nn.Module):
    def __init__(self, n_inputs: int, n_outputs: int, stride: int = 1):
        super().__init__()
        self.first = _convolution(n_inputs, n_outputs, stride=stride)
        self.second = _convolution(n_outputs, n_outputs, relu=False)
        same = stride == 1 and n_inputs == n_outputs
        self.shortcut = (
            nn.Identity() if same else _convolution(n_inputs, n_outputs, kernel=1, stride=stride, relu=False)
        )

    def forward(self, x):
        return F.relu(self.second(self.first(x)) + self.shortcut(x))


class _Dense(nn.Module):
    def __init__(self, n_inputs: int, growth: int):
        super().__init__()
        self.convolution = _convolution(n_inputs, growth)

    def forward(self, x):
        return torch.cat([x, self.convolution(x)], 1)


POSITION_SPREAD = 0.02


class _Patches(nn.Module):
    def __init__(self, width: int, patch: int, size: int):
        super().__init__()
        self.patch, self.padding = patch, -size % patch
        n_tokens = ((size + self.padding) // patch) ** 2
        self.embed = nn.Linear(patch**2, width)
        self.position = nn.Parameter(0.5 * torch.randn(n_tokens, width))

    def forward(self, x):
        padded = F.pad(x, (0, self.padding, 0, self.padding))
        pixels = F.pixel_unshuffle(padded, self.patch).flatten(2).transpose(1, 2)  # a token is a patch's pixels
        return self.embed(pixels) + self.position


class _Transformer(nn.Module):
    def __init__(self, width: int, n_heads: int):
        super().__init__()
        self.attention = _Attention(width, n_heads)
        self.perceptron = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, x):
        x = x + self.attention(x)
        return x + self.perceptron(x)


class _Attention(nn.Module):
    def __init__(self, width: int, n_heads: int):
        super().__init__()
        self.n_heads = n_heads
        self.norm = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)

    def forward(self, x):
        heads = self.query_key_value(self.norm(x)).unflatten(2, (3, self.n_heads, -1)).permute(2, 0, 3, 1, 4)
        return self.output(F.scaled_dot_product_attention(*heads).transpose(1, 2).flatten(2))


class _TokenReadout(nn.Module):
    def __init__(self, width: int, n_classes: int):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.linear = nn.Linear(width, n_classes)

    def forward(self, x):
        return self.linear(self.norm(x.mean(1)))
