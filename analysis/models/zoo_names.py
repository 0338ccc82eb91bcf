"""The names of the zoo's networks, for those who need no more: the networks themselves take PyTorch."""

TRAINED = (
    *("mlp-100", "mlp-60-40", "mlp-40-60", "mlp-50-50", "mlp-20x5"),
    *("cnn", "cnn-slim"),
    *("resnet-8-b1", "resnet-8-b2", "resnet-8-b3", "resnet-16-b1", "resnet-16-b2", "resnet-24-b1"),
    *("densenet-8-222", "densenet-6-222", "densenet-8-24", "densenet-10-222"),
    *("vit-24-d2-p4", "vit-32-d3-p4", "vit-32-d5-p4", "vit-48-d2-p4", "vit-64-d2-p4", "vit-24-d4-p5"),
    *("vit-40-d3-p5", "vit-32-d2-p6", "vit-48-d3-p6", "vit-24-d3-p8", "vit-48-d4-p8", "vit-64-d6-p8"),
    *("mlp-80-noise", "resnet-12-b1-noise", "vit-40-d2-p4-noise"),
    *("cnn-16-32-few", "resnet-12-s2-few", "vit-32-d2-p8-few"),
)
"""Those whose answers count: an untrained network names one class throughout, and would decide what splits models."""

UNTRAINED = ("resnet-12-s2-b2-untrained", "vit-40-d4-p4-untrained")
