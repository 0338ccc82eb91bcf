"""What the paper claims, with the rules that judge it. Committed before any run is judged by them."""

from analysis.chapters.neuron_correlation.reported import NET_CNN, NET_NET, ROBUST_ACCURACY, printed_correlation
from analysis.runs.claims import Claim, Hypothesis
from analysis.runs.rules import Above, Below, OneMore

PAPER = "oskouie2024"

CLAIMS = (
    Claim(
        "matching-units",
        PAPER,
        "Perceptrons trained alike have matching units: their score is above the chance level of unrelated units.",
        "Table 1, net–net (MNIST)",
        Above(0),
        "scores .572 to .733; chance level about .02",
    ),
    Claim(
        "deep-net-apart",
        PAPER,
        "The five-layer net scores lower with the other nets than they do with each other.",
        "Table 1, net–net (MNIST)",
        Below(0),
        ".576 against .677 on average",
    ),
    Claim(
        "units-shared-with-cnn",
        PAPER,
        "The perceptrons' units have twins in the trusted CNN: their scores with it are above chance level.",
        "Table 2, net → CNN (10 probe images)",
        Above(0),
        ".921 .905 .930 .893 .562",
    ),
    Claim(
        "robust-nets",
        PAPER,
        "Among the five nets, a higher score with the trusted CNN goes with more accuracy under attack.",
        "Experiment 2 (one seed, five nets)",
        Above(0),
        f"r = {printed_correlation():.2f} in the printed tables",
    ),
    Claim(
        "like-built",
        PAPER,
        "Networks built alike score higher with each other than networks built differently.",
        "Experiment 3 (ImageNet)",
        Above(0),
        "figure only",
    ),
    Claim(
        "predicts-clean",
        PAPER,
        "Across networks, the score with a trusted network predicts accuracy on clean images.",
        "title and abstract",
        Above(0),
    ),
    Claim(
        "predicts-corrupted",
        PAPER,
        "Across networks, the score with a trusted network predicts accuracy on corrupted images.",
        "title and abstract",
        Above(0),
    ),
    Claim(
        "predicts-attacked",
        PAPER,
        "Across networks, the score with a trusted network predicts accuracy under attack.",
        "Experiment 2, tested on the zoo",
        Above(0),
    ),
    Claim(
        "imagenet-table",
        PAPER,
        "ResNets, DenseNets and EfficientNets trained on ImageNet form blocks in the table of scores.",
        "Experiment 3 (ImageNet networks and images, neither of which is embedded here)",
        Above(0),
        "figure only",
    ),
)

ROBUST_NETS_CORRECTED = Hypothesis(
    "robust-nets-corrected",
    "Among the five nets, a higher score with the trusted CNN goes with more accuracy under attack, once chance level "
    "and ceiling are taken out of the score.",
    Above(0),
)
HYPOTHESES = (
    ROBUST_NETS_CORRECTED,
    Hypothesis(
        "training-matters",
        "Trained networks score higher with the trusted network than untrained ones of the same architecture do "
        "(difference of corrected scores).",
        Above(0),
    ),
)
MNIST_HYPOTHESES = (ROBUST_NETS_CORRECTED,)

TOLERANCE = 0.05  # of a printed accuracy, stated beside the verdict; the paper has one seed and prints no interval
_NO_CLASS = 0.1  # accuracy of answers that ignore the image


def _printed(kind: str, where: str, statement: str, numbers: dict, null: float = 0.0) -> list[Claim]:
    return [
        Claim(
            f"{kind}-{name if isinstance(name, str) else '-'.join(name)}",
            PAPER,
            statement.format(name if isinstance(name, str) else " → ".join(name)),
            where,
            OneMore(value, null),
            f"{value:.3f}",
        )
        for name, value in numbers.items()
    ]


def _elsewhere(name: str, what: str) -> Claim:
    return Claim(name, PAPER, what, "not in the registry of public data", Above(0), "printed tables")


MNIST_CLAIMS = (
    *[claim for claim in CLAIMS if claim.id in {"matching-units", "deep-net-apart", "units-shared-with-cnn"}],
    *_printed("net-net", "Table 1, MNIST", "Score {} on 17,500 images.", NET_NET),
    *_printed("net-cnn", "Table 2, MNIST", "Score {} → CNN on 10 images.", NET_CNN),
    *_printed("robust", "Experiment 2, MNIST", "Accuracy of {} on the attacked images.", ROBUST_ACCURACY, _NO_CLASS),
    *[claim for claim in CLAIMS if claim.id == "robust-nets"],
    _elsewhere("kuzushiji", "The same tables for Kuzushiji-MNIST."),
    _elsewhere("afro", "The same tables for Ethiopic Afro-MNIST."),
    _elsewhere("fashion", "Scores on random noise for networks trained on Fashion-MNIST."),
)

NETWORKS_CLAIMS = (
    Claim(
        "imagenet-blocks",
        PAPER,
        "Networks built alike score higher with each other than networks built differently (difference of corrected "
        "scores, ImageNet networks on 500 photographs).",
        "Experiment 3 (ImageNet)",
        Above(0),
        "figure only",
    ),
    Claim(
        "cifar10-blocks",
        PAPER,
        "Networks built alike score higher with each other than networks built differently (difference of corrected "
        "scores, CIFAR-10 networks).",
        "Experiment 3, on other networks and photographs",
        Above(0),
        "figure only",
    ),
    Claim(
        "predicts-accuracy",
        PAPER,
        "Across networks, the score with a trusted network predicts accuracy (rank correlation, corrected score).",
        "title and abstract",
        Above(0),
    ),
)
NETWORKS_HYPOTHESES = (
    *[
        Hypothesis(
            f"{lineup}-training",
            f"Trained {name} networks match each other better than their untrained twins do (difference of corrected "
            "scores).",
            Above(0),
        )
        for lineup, name in (("cifar10", "CIFAR-10"), ("imagenet", "ImageNet"))
    ],
    Hypothesis(
        "predicts-within-training",
        "Among networks of one kind of training, the score with the trusted network predicts accuracy.",
        Above(0),
    ),
)
