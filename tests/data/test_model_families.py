"""Families of models by their names."""

import pytest

from analysis.data.model_families import model_family


@pytest.mark.parametrize(
    ("names", "family"),
    [
        (("alexnet", "alexnet_training_seed_03", "vonealexnet_gaussian_noise_std4_fixed"), "alexnet"),
        (("resnet50", "RN50", "yudixie_resnet18_random_0_240719", "voneresnet-50", "CLIP_resnet50"), "resnet"),
        (("mobilenet_v2_1.4_224-tf", "mobilenet_v2_0_5_192"), "mobilenet_v2"),
        (("inception_resnet_v2", "inception_v3"), "inception"),
        (("ViT_B_16", "vit_large_patch14_clip_336:laion2b_ft_in1k"), "vit"),
        (("deit_small_patch16_224",), "deit"),
        (("effnetb1_272x240", "AdvProp_efficientnet-b0"), "efficientnet"),
        (("BiT-S-R50x1",), "bit"),
        (("hmax",), "hmax"),
        (("42",), "42"),
    ],
)
def test_families(names, family):
    assert {model_family(name) for name in names} == {family}
