"""Which models of a table are near-copies of one another, by their names."""

import re

# The first that a name contains; the longer of two that overlap comes first.
_ARCHITECTURES = (
    *("realnet", "cornet", "inception", "mobilenet_v1", "mobilenet_v2", "mobilevit", "efficientnet", "alexnet"),
    *("resnext", "res2net", "densenet", "resnet", "grcnn", "nasnet", "convnext", "swin", "deit", "cvt", "mvit", "vit"),
    *("vgg", "squeezenet", "shufflenet", "regnet", "xception", "bit-", "selavi"),
)
_ABBREVIATED = {"rn50": "resnet50", "effnet": "efficientnet"}


def model_family(name: str) -> str:
    """The family of a network by its name: the architecture it contains, else the letters it starts with.

    Examples
    --------
    >>> model_family("alexnet_training_seed_03"), model_family("voneresnet-50"), model_family("hmax")
    ('alexnet', 'resnet', 'hmax')
    """
    plain = name.strip().lower()
    for short, full in _ABBREVIATED.items():
        plain = plain.replace(short, full)
    found = (architecture for architecture in _ARCHITECTURES if architecture in plain)
    start = re.search(r"[a-z]+", plain)
    return next(found, start.group() if start else plain).rstrip("-")
