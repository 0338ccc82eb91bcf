"""What can be run: chapters, profiles and their parameters agree."""

import pytest

from analysis.runs import catalogue
from analysis.runs.parameters import ChapterParameters, ParameterError


def test_default_profile_is_what_the_model_says():
    for chapter in catalogue.chapters():
        assert catalogue.checked(chapter, "default") == catalogue.parameters_of(chapter)()


def test_every_profile_is_valid_for_the_chapters_it_names():
    for profile in catalogue.profiles():
        for name in catalogue.public_runs() if profile == catalogue.PUBLIC else catalogue.chapters():
            assert isinstance(catalogue.checked(name, profile), ChapterParameters)


def test_values_go_on_top_of_the_profile():
    assert catalogue.given("neuron_correlation", "quick")["n_seeds"] == 2
    assert catalogue.given("neuron_correlation", "quick", {"n_seeds": "7"})["n_seeds"] == "7"
    assert catalogue.checked("neuron_correlation", "quick", {"n_seeds": "7"}).n_seeds == 7


def test_every_chapter_has_a_title_of_its_own():
    titles = [catalogue.title(catalogue.text_half(chapter)) for chapter in catalogue.chapters()]
    assert len(set(titles)) == len(titles)
    assert all(title and not title.startswith("#") for title in titles)


def test_public_runs_have_a_notebook_and_parameters_of_their_own():
    for chapter in catalogue.public_runs():
        assert catalogue.text_half(chapter, catalogue.PUBLIC).parent.name == "public"
        public = catalogue.parameters_of(chapter, catalogue.PUBLIC)
        assert public.__name__ != "Parameters"
        assert set(public().data_hashes()) == set(public().public_files())


def test_a_profile_without_the_chapter_is_refused(tmp_path, monkeypatch):
    (tmp_path / "mine.yml").write_text("recovery_curve: {seconds: 1, parameters: {}}")
    monkeypatch.setattr(catalogue, "PROFILES", tmp_path)
    with pytest.raises(ParameterError, match="'mine' has no parameters for chapter 'neuron_correlation'"):
        catalogue.profile_of("mine", "neuron_correlation")
