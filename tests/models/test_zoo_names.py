"""The zoo's names are those of its networks."""

from analysis.models.zoo_names import TRAINED, UNTRAINED
from analysis.models.zoo_networks import ZOO


def test_every_network_has_its_name_here():
    assert tuple(ZOO) == TRAINED + UNTRAINED
    assert tuple(name for name, kind in ZOO.items() if kind.training == "untrained") == UNTRAINED
