"""What the paper claims, with the rules that judge it. Committed before any run is judged by them."""

from analysis.chapters.contrastive_stimuli.reported import N_COMPARED, N_MODELS
from analysis.runs.claims import Claim
from analysis.runs.rules import Above

PAPER = "cheung2024"

_LOWER = "Contrastive stimuli lower κ at every level of accuracy (smallest drop over the accuracy bins)"
_STABLE = "The stimuli that split one set of models split others too: agreement per stimulus in one accuracy bin ranks "
_ACCURATE = "The more accurate a model, the more it agrees with the others (rank correlation over models)"
_INVENTORY = Claim(
    "inventory",
    PAPER,
    f"ImageNet accuracy of {N_MODELS:,} models rises with their release date.",
    "Fig. 2 (neither the models nor their dates are here)",
    Above(0),
    "figure only",
)
_OBJECTNET = Claim(
    "kappa-objectnet",
    PAPER,
    f"{_LOWER}: ObjectNet.",
    "Fig. 3 (answers to ObjectNet are not here)",
    Above(0),
    "figure only",
)

CLAIMS = (
    Claim(
        "squares-form-blocks",
        PAPER,
        "Squares placed apart at random distances give higher CKA within convolution and within attention than between "
        "the two (standardised difference).",
        f"Fig. 1 ({N_COMPARED} networks)",
        Above(0),
        "figure only",
    ),
    Claim(
        "squares-separate-better",
        PAPER,
        "Squares separate convolution from attention better than natural images do (difference of the two standardised "
        "differences).",
        f"Fig. 1 ({N_COMPARED} networks)",
        Above(0),
        "figure only",
    ),
    Claim("lower-kappa-clean", PAPER, f"{_LOWER}: clean images.", "Fig. 3 (ImageNet)", Above(0), "figure only"),
    Claim(
        "lower-kappa-corrupted",
        PAPER,
        f"{_LOWER}: harder images, here corrupted ones.",
        "Fig. 3 (ObjectNet)",
        Above(0),
        "figure only",
    ),
    Claim(
        "lower-kappa-chosen-elsewhere",
        PAPER,
        f"{_LOWER}: clean images, stimuli chosen on one half of the models, κ reported on the other.",
        "not in the paper",
        Above(0),
    ),
    Claim("accurate-models-agree", PAPER, f"{_ACCURATE}.", "Fig. 3", Above(0), "figure only"),
    Claim("stable-stimuli", PAPER, f"{_STABLE}as in the others.", "Fig. 4", Above(0), "figure only"),
    Claim(
        "identify-models",
        PAPER,
        "A model is identified from noisy answers more often with contrastive stimuli than with as many random ones, "
        "chosen and tested on different models.",
        "title",
        Above(0),
    ),
    _OBJECTNET,
    _INVENTORY,
)

PUBLIC_CLAIMS = (
    Claim("lower-kappa", PAPER, f"{_LOWER}: 14 networks, ImageNet.", "Fig. 3 (ImageNet)", Above(0), "figure only"),
    Claim(
        "lower-kappa-chosen-elsewhere",
        PAPER,
        f"{_LOWER}: 14 networks, ImageNet, stimuli chosen on one half of the networks, κ reported on the other.",
        "not in the paper",
        Above(0),
    ),
    Claim("accurate-models-agree", PAPER, f"{_ACCURATE}: ImageNet.", "Fig. 3", Above(0), "figure only"),
    Claim("stable-stimuli", PAPER, f"{_STABLE}as in the others: ImageNet.", "Fig. 4", Above(0), "figure only"),
    Claim(
        "identify-models",
        PAPER,
        "A network is identified from noisy answers more often with contrastive ImageNet images than with as many "
        "random ones, chosen and tested on different networks.",
        "title",
        Above(0),
    ),
    Claim(
        "people-split-alike",
        PAPER,
        "People are split where networks are split (rank correlation of agreement per image, mean over "
        "five image sets).",
        "not in the paper",
        Above(0),
    ),
    Claim(
        "errors-less-consistent",
        PAPER,
        "People and networks err less consistently on contrastive images than on all (drop of error consistency, mean "
        "over five image sets; images chosen on one half of the networks, reported on the other).",
        "not in the paper",
        Above(0),
    ),
    _OBJECTNET,
    _INVENTORY,
)
