"""The recorded facts of the networks are read without building them.

That it is what they are, test_proof_counts.py proves, where they are measured anyway.
"""

import subprocess
import sys

import pytest

from kkcv.errors import UnknownNetwork
from kkcv.zoo import recorded
from kkcv.zoo.registry import NETWORKS


@pytest.mark.parametrize(
    ("alias", "name"), [(alias, spec.name) for spec in NETWORKS.values() for alias in spec.aliases]
)
def test_a_network_goes_by_its_everyday_names(alias: str, name: str) -> None:
    assert recorded.recorded(alias).name == name


def test_every_network_is_listed_in_the_order_of_the_zoo() -> None:
    assert recorded.names() == list(NETWORKS)
    assert recorded.names("resnet*_v1.5") == ["resnet50_v1.5", "resnet101_v1.5", "resnet152_v1.5"]


def test_an_unknown_name_is_told_the_nearest() -> None:
    with pytest.raises(UnknownNetwork, match="no network 'resnet51' in the zoo; the nearest: res"):
        recorded.recorded("resnet51")


@pytest.mark.parametrize("arguments", [["zoo", "list"], ["zoo", "show", "resnet50"]])
def test_the_list_and_the_stages_are_read_without_numpy_or_torch(arguments: list[str]) -> None:
    heavy = ("torch", "numpy", "cv2", "faiss", "onnxruntime")
    code = (
        f"import sys; from kkcv.cli import main; main({arguments}, standalone_mode=False)\n"
        f"print([m for m in {heavy} if m in sys.modules])"
    )

    said = subprocess.check_output([sys.executable, "-c", code], text=True)

    assert said.splitlines()[-1] == "[]"
