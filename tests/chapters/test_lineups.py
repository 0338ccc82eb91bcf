"""Every chapter takes models and pictures of the reader's own, and refuses bad ones before anything runs."""

import pytest

from analysis.runs import catalogue
from analysis.runs.parameters import ParameterError

CHAPTERS = [name for name in catalogue.chapters() if "models" in catalogue.parameters_of(name).model_fields]
N_MODELS = 10
"""As many as the chapter that wants the most."""


@pytest.fixture(params=CHAPTERS)
def chapter(request):
    return request.param


@pytest.fixture
def values(tmp_path, line_up):
    return line_up(tmp_path, n_models=N_MODELS)


def test_all_four_papers_and_the_page_about_ones_own_models_take_them():
    papers = {"neuron_correlation", "contrastive_stimuli", "recovery_curve", "metric_correlation"}
    assert {*CHAPTERS} >= papers | {"your_models"}


def test_models_and_pictures_are_taken(chapter, values):
    assert catalogue.checked(chapter, "default", values).models == values["models"]


def test_a_misspelt_model_is_refused(chapter, values):
    names = ["mlp-100", "cnn", "cnn-slim", "resnet-8-b1", "resnet-8-b2", "resnet-8-b3", "vit-24-d3-p8", "mlp-60-40"]
    models = ",".join(f"zoo:{name}" for name in (*names, "resnet-16-b1", "resnet-24-b2"))
    with pytest.raises(
        ParameterError, match="Unknown model of the line-up 'zoo' 'resnet-24-b2': did you mean 'resnet-"
    ):
        catalogue.checked(chapter, "default", values | {"models": models})


def test_a_layer_that_does_not_exist_is_refused(chapter, values, tmp_path):
    path = tmp_path / "models.yml"
    path.write_text(path.read_text().replace("size: 16", "size: 16, layers: ['0', '22']"))
    with pytest.raises(ParameterError, match="Model 'net0' has no layer '22': did you mean '2'?"):
        catalogue.checked(chapter, "default", values)


def test_a_layer_of_the_zoo_that_does_not_exist_is_refused_without_training(chapter, values, tmp_path, monkeypatch):
    monkeypatch.setattr("analysis.models.loading.load_network", lambda *_, **__: pytest.fail("trained"))
    path = tmp_path / "models.yml"
    path.write_text(path.read_text() + "  - {name: cnn, source: 'zoo:cnn', layers: [stage7]}\n")
    with pytest.raises(ParameterError, match="Model 'cnn' has no layer 'stage7': did you mean 'stage"):
        catalogue.checked(chapter, "default", values)


def test_a_folder_without_pictures_is_refused(chapter, values, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("none yet")
    with pytest.raises(ParameterError, match="must hold pictures, got no JPEG, .* among 1 files"):
        catalogue.checked(chapter, "default", values | {"images": str(tmp_path / "empty")})


def test_a_folder_that_is_no_line_up_is_refused(chapter, values, tmp_path):
    with pytest.raises(ParameterError, match="'models': must be a line-up or a folder that 'extract' wrote"):
        catalogue.checked(chapter, "default", values | {"models": str(tmp_path / "pictures")})


def test_several_line_ups_are_for_a_sweep(chapter, values):
    with pytest.raises(ParameterError, match="must be one line-up, got 'cifar10;imagenet': only 'sweep --grid' takes"):
        catalogue.checked(chapter, "default", values | {"models": "cifar10;imagenet"})
