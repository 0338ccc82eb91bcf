"""Numbers printed in the paper (arXiv 2408.08448), as the book compares itself with them."""

import numpy as np

NETS = {"net1": (100,), "net2": (60, 40), "net3": (40, 60), "net4": (50, 50), "net5": (20, 20, 20, 20, 20)}
"""Hidden widths of the paper's five perceptrons."""

NET_NET = {
    ("net1", "net2"): 0.644,
    ("net1", "net3"): 0.647,
    ("net1", "net4"): 0.642,
    ("net1", "net5"): 0.576,
    ("net2", "net3"): 0.698,
    ("net2", "net4"): 0.699,
    ("net2", "net5"): 0.581,
    ("net3", "net4"): 0.733,
    ("net3", "net5"): 0.575,
    ("net4", "net5"): 0.572,
}
"""MNIST: score of the first net's units among the second's, on the 17,500 test images."""

NET_CNN = dict(zip(NETS, (0.921, 0.905, 0.930, 0.893, 0.562), strict=True))
"""MNIST: score of each net's units among the CNN's two pooled layers, on 10 test images."""

CNN_LAYER_SIZES = (32 * 13 * 13, 64 * 5 * 5)
"""Units of the CNN's two pooled layers on 28 × 28 images."""

N_PROBE = 10
"""Images that the paper's comparison with the CNN rests on."""

ROBUST_ACCURACY = dict(zip(NETS, (0.737, 0.657, 0.694, 0.674, 0.535), strict=True))
"""MNIST: accuracy of each net on the images attacked through a CNN trained on them."""


def printed_correlation(without: str | None = None) -> float:
    """Pearson's r between the paper's printed net → CNN scores and accuracies under attack."""
    nets = [net for net in NETS if net != without]
    return float(np.corrcoef([NET_CNN[net] for net in nets], [ROBUST_ACCURACY[net] for net in nets])[0, 1])
