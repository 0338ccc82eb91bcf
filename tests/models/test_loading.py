"""Models from entries: module, preprocessing, layers and classes."""

import numpy as np
import pytest
import torch
from torch import nn

from analysis.data.categories import CIFAR10
from analysis.models.activations import record
from analysis.models.entries import Entry, LineupError, check
from analysis.models.lineup import read_lineup
from analysis.models.loading import load_model, stages
from analysis.models.preprocessing import Grey, Normalised

SQUARE = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5), "size": 32}
RESNET = {"name": "resnet", "source": "analysis.models.cifar10:resnet20", "training": "untrained"}


def test_a_builder_with_its_preprocessing_and_classes():
    model = load_model(Entry(**RESNET, **SQUARE, classes="cifar10"))
    assert model.prepare == Normalised(32, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    assert model.classes == CIFAR10
    assert model.layers == ("stem", "stage1", "stage2", "stage3")
    assert not model.module.training


def test_without_preprocessing_there_is_no_guess():
    with pytest.raises(LineupError, match="must have 'mean', 'std' and 'size': its source prescribes none"):
        load_model(Entry(**RESNET))


def test_an_untrained_twin_follows_the_seed_and_leaves_the_global_state_alone():
    before = torch.get_rng_state()
    first, second, other = (load_model(Entry(**RESNET, **SQUARE), seed=seed).module for seed in (0, 0, 1))
    weights = [next(module.parameters()) for module in (first, second, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert torch.equal(before, torch.get_rng_state())


def test_a_layer_that_does_not_exist_is_named_with_the_nearest():
    with pytest.raises(LineupError, match="has no layer 'stage4': did you mean 'stage"):
        load_model(Entry(**RESNET, **SQUARE, layers=("stage4",)))
    assert load_model(Entry(**RESNET, **SQUARE), layers=["stage1.0"]).layers == ("stage1.0",)


def test_the_zoos_networks_are_a_source():
    (entry,) = read_lineup("zoo:vit-40-d4-p4-untrained")
    model = load_model(entry)
    assert model.prepare == Grey(16)
    assert model.classes == tuple("0123456789")


def test_a_users_file_is_run_beside_its_neighbours(tmp_path):
    (tmp_path / "parts.py").write_text("from torch import nn\nhead = nn.Linear(4, 2)\n")
    (tmp_path / "nets.py").write_text(
        "from torch import nn\nfrom parts import head\n\ndef build():\n"
        "    return nn.Sequential(nn.Conv2d(3, 4, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)\n"
    )
    model = load_model(Entry(name="mine", source=f"{tmp_path / 'nets.py'}:build", classes=("a", "b"), **SQUARE))
    assert model.layers == ("0",)
    assert model.classes == ("a", "b")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def build():\n    return 3\n", "must make a torch module, got int"),
        ("import nowhere_at_all\ndef build():\n    pass\n", "could not be run: ModuleNotFoundError"),
        ("from torch import nn\ndef build():\n    return nn.Flatten()\n", "must have 'layers'"),
    ],
)
def test_a_file_that_makes_no_model_is_refused(tmp_path, source, message):
    (tmp_path / "nets.py").write_text(source)
    with pytest.raises(LineupError, match=message):
        load_model(Entry(name="mine", source=f"{tmp_path / 'nets.py'}:build", **SQUARE))


def test_unknown_classes_are_refused():
    with pytest.raises(LineupError, match="'classes' must be names, 'cifar10' or 'imagenet', got 'cifar'"):
        load_model(Entry(**RESNET, **SQUARE, classes="cifar"))


# Stages


class Wrapper(nn.Module):
    def __init__(self, inside):
        super().__init__()
        self.inside = inside


class Blocks(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Conv2d(3, 8, 4)
        self.blocks = nn.ModuleList(nn.Linear(8, 8) for _ in range(3))
        self.drop, self.norm, self.head = nn.Dropout(), nn.LayerNorm(8), nn.Linear(8, 2)


def test_stages_open_wrappers_and_lists_and_leave_out_the_answers():
    blocks = ("embed", "blocks.0", "blocks.1", "blocks.2", "norm")
    assert stages(Blocks()) == blocks
    assert stages(Wrapper(Blocks())) == tuple(f"inside.{name}" for name in blocks)


def test_stages_open_the_largest_container_while_there_are_few():
    features = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3))
    network = nn.Sequential(features, nn.Flatten(), nn.Linear(8, 2))
    assert stages(network) == ("0.0", "0.2", "0.4")


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention, self.mlp = Wrapper(nn.Linear(8, 8)), nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8))


def named(**parts):
    network = nn.Sequential()
    for name, part in parts.items():
        network.add_module(name, part)
    return network


def blocks(n):
    return nn.Sequential(*(Block() for _ in range(n)))


def test_stages_open_the_trunk_of_composite_parts_and_no_stage_among_others():
    stem, norm = nn.Conv2d(3, 8, 4), nn.LayerNorm(8)
    inside = tuple(f"blocks.{number}" for number in range(12))
    assert stages(named(stem=stem, blocks=blocks(12), norm=norm, head=nn.Linear(8, 2))) == ("stem", *inside, "norm")
    several = {f"layer{number}": blocks(5) for number in range(3)}
    assert stages(named(stem=stem, **several)) == ("stem", *several)


def test_only_the_last_linear_layer_is_the_answers():
    stem, body = nn.Conv2d(3, 8, 4), {f"layer{number}": nn.Linear(8, 8) for number in range(4)}
    head = nn.Sequential(nn.LayerNorm(8), nn.Flatten(), nn.Linear(8, 2))
    assert stages(named(stem=stem, **body, head=head)) == ("stem", *body, "head.0")
    assert stages(named(stem=stem, **body, head=nn.Sequential(nn.Flatten(), nn.Linear(8, 2)))) == ("stem", *body)
    assert stages(named(stem=stem, **body, answers=nn.Conv2d(8, 2, 1))) == ("stem", *body, "answers")
    assert stages(nn.Sequential(*(nn.Linear(8, 8) for _ in range(3)))) == ("0", "1")


@pytest.fixture
def exported(tmp_path):
    """A small network, and the file of its exported program."""
    stage = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True))
    network = nn.Sequential(stage, nn.Conv2d(4, 8, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3)).eval()
    pictures = torch.rand(2, 3, 32, 32)
    program = torch.export.export(network, (pictures,), dynamic_shapes=({0: torch.export.Dim("n")},))
    torch.export.save(program, tmp_path / "net.pt2")
    return network, tmp_path / "net.pt2"


def test_an_exported_program_answers_and_its_layers_are_recorded(exported):
    network, path = exported
    model = load_model(Entry(name="exported", source=str(path), **SQUARE, layers=("0", "1")))
    x = torch.rand(5, 3, 32, 32)
    assert torch.equal(model.module(x), network(x))
    torch.testing.assert_close(record(model.module, x, ["0", "1"]).values, record(network, x, ["0", "1"]).values)


def test_a_damaged_exported_program_is_refused_by_name(exported):
    _, path = exported
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(LineupError, match=r"Model 'exported': '.*net\.pt2' could not be read"):
        load_model(Entry(name="exported", source=str(path), **SQUARE))


def test_an_onnx_file_is_a_source_with_stages_of_its_own(tmp_path):
    onnx = pytest.importorskip("onnx")
    helper, number = onnx.helper, onnx.TensorProto.FLOAT
    kernel = helper.make_tensor("w", number, (2, 3, 1, 1), [1.0, 0.0, 0.0, 0.0, 0.0, 1.0])
    readout = helper.make_tensor("r", number, (2, 2), [1.0, 0.0, 0.0, 1.0])
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("ReduceMean", ["b"], ["c"], axes=[2, 3], keepdims=0),
        helper.make_node("Gemm", ["c", "r"], ["y"]),
    ]
    ends = [helper.make_tensor_value_info(name, number, ["n", "m"]) for name in ("x", "y")]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], [kernel, readout])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]), tmp_path / "net.onnx")
    model = load_model(Entry(name="net", source=str(tmp_path / "net.onnx"), **SQUARE))
    assert model.layers == ("ReduceMean_1",)
    x = torch.rand(4, 3, 32, 32)
    torch.testing.assert_close(model.module(x), x[:, [0, 2]].mean((2, 3)))


# Models of packages: built from a configuration, so that nothing is downloaded

VISION = {
    "ViTForImageClassification": {
        "hidden_size": 16, "num_hidden_layers": 5, "num_attention_heads": 2, "intermediate_size": 32,
        "image_size": 64, "patch_size": 8,
    },
    "ConvNextForImageClassification": {"hidden_sizes": [8, 8, 16, 16], "depths": [1, 1, 1, 1]},
    "ResNetForImageClassification": {"embedding_size": 8, "hidden_sizes": [8, 8, 16, 16], "depths": [1, 1, 1, 1]},
    "SwinForImageClassification": {
        "image_size": 64, "embed_dim": 8, "depths": [1] * 4, "num_heads": [2] * 4, "window_size": 2
    },
    "MobileNetV2ForImageClassification": {"image_size": 32, "depth_multiplier": 0.25},
    "Dinov2Model": {"hidden_size": 16, "num_hidden_layers": 4, "num_attention_heads": 2, "image_size": 28},
}  # fmt: skip


@pytest.mark.parametrize("kind", VISION)
def test_vision_models_of_transformers(tmp_path, kind):
    transformers = pytest.importorskip("transformers", reason="transformers is an optional extra")
    build = getattr(transformers, kind)
    names = {"num_labels": 3, "id2label": {0: "cat", 1: "dog", 2: "owl"}} if "Classification" in kind else {}
    torch.manual_seed(0)
    network = build(build.config_class(**VISION[kind], **names)).eval()
    network.save_pretrained(tmp_path)
    processor = transformers.ViTImageProcessor(size={"height": 64, "width": 64}, image_std=[0.5, 0.25, 0.125])
    processor.save_pretrained(tmp_path)
    (entry,) = read_lineup(f"transformers:{tmp_path}")
    model = load_model(entry)
    assert model.classes == (("cat", "dog", "owl") if names else None)
    assert len(model.layers) >= 4
    pictures = [np.full((50, 70, 3), (0, 51, 255), np.uint8), np.full((64, 64, 3), 127, np.uint8)]
    x = model.prepare(pictures)
    np.testing.assert_allclose(x[0, :, 5, 5], [-1, (0.2 - 0.5) / 0.25, 0.5 / 0.125], atol=1e-2)
    found = record(model.module, x, model.layers, pool="mean")
    assert found.values.isfinite().all()
    with torch.inference_mode():
        torch.testing.assert_close(model.module(x)[0], network(x)[0])


@pytest.mark.parametrize(
    ("package", "name", "last"),
    [
        ("torchvision", "resnet18", "layer4"),
        ("torchvision", "vit_b_16", "encoder.ln"),
        ("timm", "vit_tiny_patch16_224", "norm"),
        ("timm", "convnext_atto", "head.norm"),
    ],
)
def test_models_of_torchvision_and_timm(package, name, last):
    pytest.importorskip(package, reason=f"{package} is an optional extra", exc_type=ImportError)
    entry = Entry(name="net", source=f"{package}:{name}", training="untrained", **(SQUARE | {"size": 224}))
    check(entry)
    model = load_model(entry)
    assert model.layers[-1] == last
    x = model.prepare([np.zeros((240, 300, 3), np.uint8)] * 2)
    assert record(model.module, x, model.layers[:3], pool="mean").values.isfinite().all()
    with pytest.raises(LineupError, match=f"Unknown model of {package} '{name}x': did you mean '{name}'"):
        check(Entry(name="net", source=f"{package}:{name}x"))
