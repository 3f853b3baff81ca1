"""The maps of every stage of a network, as detectors and segmenters take them."""

from torch import Tensor, nn

from .network import Network
from .recorded import recorded


class FeatureMaps(Network):
    """A network without its neck and head, which answers with the map of each stage.

    ``names`` are the stages in the paper's words, ``channels`` those of their maps, and
    ``reductions`` how many pixels of the picture a position of the map stands for, along a side.
    """

    def __init__(self, network: Network) -> None:
        super().__init__(dict(network.stages.named_children()), nn.Identity(), nn.Identity())
        assert network.spec is not None
        self.spec = network.spec
        known = recorded(network.spec.name)
        stages = [stage for stage in known.stages if stage.part == "stages"]
        self.names = tuple(stage.name for stage in stages)
        self.channels = tuple(stage.shape[0] for stage in stages)
        self.reductions = tuple(round(known.input_size[1] / s.shape[1]) for s in stages)
        self.train(network.training)

    def forward(self, images: Tensor) -> list[Tensor]:  # type: ignore[override]
        """(N, C, H, W) → for each stage (N, c, h, w), from the picture to the embedding."""
        self.check(images)
        maps = []
        for stage in self.stages:
            images = stage(images)
            maps.append(images)
        return maps
