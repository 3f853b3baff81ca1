"""Wide ResNet: what is widened, and what stays."""

import pytest

from kkcv import zoo
from kkcv.zoo.registry import create_on_meta


@pytest.mark.parametrize(
    ("name", "like"), [("wide_resnet50_2", "resnet50"), ("wide_resnet101_2", "resnet101")]
)
def test_the_inner_convolutions_are_twice_as_wide_and_the_outputs_are_not(
    name: str, like: str
) -> None:
    ours, resnet = create_on_meta(name).stages, create_on_meta(like).stages

    for i in (2, 3, 4, 5):
        wide, plain = ours.get_submodule(f"conv{i}_x"), resnet.get_submodule(f"conv{i}_x")
        assert len(wide) == len(plain)
        assert wide[0].conv1.conv.out_channels == 2 * plain[0].conv1.conv.out_channels
        assert wide[0].conv2.conv.out_channels == 2 * plain[0].conv2.conv.out_channels
        assert wide[0].conv3.conv.out_channels == plain[0].conv3.conv.out_channels
        assert wide[0].conv2.conv.stride == plain[0].conv2.conv.stride


def test_its_embedding_is_as_long_as_resnets() -> None:
    assert zoo.spec("wide_resnet50_2").embedding_dim == zoo.spec("resnet50").embedding_dim
