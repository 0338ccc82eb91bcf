"""What the paper claims, with the rules that judge it. Committed before any run is judged by them."""

from dataclasses import replace

from analysis.chapters.contrastive_stimuli.reported import N_COMPARED, N_MODELS
from analysis.runs.claims import Claim, Hypothesis
from analysis.runs.rules import Above

PAPER = "cheung2024"

_LOWER = "Contrastive stimuli lower κ at every level of accuracy (smallest drop over the accuracy bins)"
_DROP = "smallest drop of κ over accuracy bins, all against contrastive stimuli"
_STABLE = "The stimuli that split one set of models split others too: agreement per stimulus in one accuracy bin ranks "
_ACCURATE = "The more accurate a model, the more it agrees with the others (rank correlation over models)"
_IDENTIFY = "gain in identified models, contrastive against random stimuli"


def _claim(name: str, statement: str, where: str, quantity: str = "", reported: str = "figure only") -> Claim:
    return Claim(name, PAPER, statement, where, Above(0), reported, quantity)


_INVENTORY = _claim(
    "inventory",
    f"ImageNet accuracy of {N_MODELS:,} models rises with their release date.",
    "Fig. 2 (neither the models nor their dates are here)",
)
_OBJECTNET = _claim("kappa-objectnet", f"{_LOWER}: ObjectNet.", "Fig. 3 (answers to ObjectNet are not here)")

CLAIMS = (
    _claim(
        "squares-form-blocks",
        "Squares placed apart at random distances give higher CKA within convolution and within attention than between "
        "the two (standardised difference).",
        f"Fig. 1 ({N_COMPARED} networks)",
    ),
    _claim(
        "squares-separate-better",
        "Squares separate convolution from attention better than natural images do (difference of the two standardised "
        "differences).",
        f"Fig. 1 ({N_COMPARED} networks)",
    ),
    _claim("lower-kappa-clean", f"{_LOWER}: clean images.", "Fig. 3 (ImageNet)", _DROP),
    _claim("lower-kappa-corrupted", f"{_LOWER}: harder images, here corrupted ones.", "Fig. 3 (ObjectNet)", _DROP),
    _claim(
        "accurate-models-agree", f"{_ACCURATE}.", "Fig. 3", "rank correlation of accuracy and agreement with the others"
    ),
    _claim(
        "stable-stimuli", f"{_STABLE}as in the others.", "Fig. 4", "rank correlation of agreement between accuracy bins"
    ),
    _claim(
        "identify-models",
        "A model is identified from noisy answers more often with contrastive stimuli than with as many random ones, "
        "chosen and tested on different models.",
        "title",
        _IDENTIFY,
        "",
    ),
    _OBJECTNET,
    _INVENTORY,
)

HYPOTHESES = (
    Hypothesis(
        "lower-kappa-chosen-elsewhere",
        f"{_LOWER}: clean images, stimuli chosen on one half of the models, κ reported on the other.",
        Above(0),
        f"{_DROP} that other models chose",
    ),
)

PUBLIC_CLAIMS = (
    _claim("lower-kappa", f"{_LOWER}: 14 networks, ImageNet.", "Fig. 3 (ImageNet)"),
    _claim("accurate-models-agree", f"{_ACCURATE}: ImageNet.", "Fig. 3"),
    _claim("stable-stimuli", f"{_STABLE}as in the others: ImageNet.", "Fig. 4"),
    _claim(
        "identify-models",
        "A network is identified from noisy answers more often with contrastive ImageNet images than with as many "
        "random ones, chosen and tested on different networks.",
        "title",
        "",
        "",
    ),
    _OBJECTNET,
    _INVENTORY,
)

PUBLIC_HYPOTHESES = (
    Hypothesis(
        "lower-kappa-chosen-elsewhere",
        f"{_LOWER}: 14 networks, ImageNet, stimuli chosen on one half of the networks, κ reported on the other.",
        Above(0),
    ),
    Hypothesis(
        "people-split-alike",
        "People are split where networks are split (rank correlation of agreement per image, mean over "
        "five image sets).",
        Above(0),
    ),
    Hypothesis(
        "errors-less-consistent",
        "People and networks err less consistently on contrastive images than on all (drop of error consistency, mean "
        "over five image sets; images chosen on one half of the networks, reported on the other).",
        Above(0),
    ),
)

_TRAINED = "25 trained networks, CIFAR-10"

PHOTOGRAPHS_CLAIMS = (
    _claim(
        "cifar10-squares-form-blocks",
        "Squares placed apart at random distances give higher CKA within convolution and within attention than between "
        "the two (standardised difference): two attention networks and convolutional ones of like accuracy, all "
        "robustly trained.",
        f"Fig. 1 ({N_COMPARED} networks)",
    ),
    _claim(
        "cifar10-squares-separate-better",
        "Squares separate convolution from attention better than photographs do (difference of the two standardised "
        "differences): the same networks.",
        f"Fig. 1 ({N_COMPARED} networks)",
    ),
    _claim("cifar10-lower-kappa", f"{_LOWER}: {_TRAINED}.", "Fig. 3 (ImageNet)"),
    _claim("cifar10-accurate-models-agree", f"{_ACCURATE}: {_TRAINED}.", "Fig. 3"),
    _claim("cifar10-stable-stimuli", f"{_STABLE}as in the others: {_TRAINED}.", "Fig. 4"),
    _claim(
        "cifar10-identify-models",
        "A network is identified from noisy answers more often with contrastive photographs than with as many random "
        "ones, chosen and tested on different networks.",
        "title",
        "",
        "",
    ),
)

PHOTOGRAPHS_HYPOTHESES = (
    Hypothesis(
        "cifar10-lower-kappa-chosen-elsewhere",
        f"{_LOWER}: {_TRAINED}, photographs chosen on one half of the networks, κ reported on the other.",
        Above(0),
    ),
    Hypothesis(
        "cifar10-people-split-alike",
        "People are split where networks are split (rank correlation of agreement per photograph, 25 trained networks "
        "and about 51 people).",
        Above(0),
    ),
    Hypothesis(
        "cifar10-people-kappa-lower",
        "People agree less on the photographs that split the networks than on all (difference of κ; people had no part "
        "in the choice).",
        Above(0),
    ),
    Hypothesis(
        "cifar10-published-nearer-to-people",
        "People are split where strong networks are split, more than where robustly trained ones are (difference of "
        "the two rank correlations).",
        Above(0),
    ),
)

_ZOOS = "Over zoos whose networks, images and draws have other seeds: "
_OVER_ZOOS = {
    *("squares-form-blocks", "squares-separate-better", "lower-kappa-clean", "lower-kappa-corrupted"),
    *("accurate-models-agree", "stable-stimuli", "identify-models"),
}
ZOOS_CLAIMS = tuple(replace(claim, statement=f"{_ZOOS}{claim.statement}") for claim in CLAIMS if claim.id in _OVER_ZOOS)
"""The chapter's claims, judged by the mean over zoos."""
ZOOS_HYPOTHESES = tuple(replace(entry, statement=f"{_ZOOS}{entry.statement}") for entry in HYPOTHESES)
