"""PyTorch, on the processor or on a GPU."""

import numpy as np
import torch

from kkcv.checkpoint import Checkpoint
from kkcv.errors import RequestError
from kkcv.machine import cores

from . import Runtime


class PyTorch(Runtime):
    """The network as it is, in channels-last, which is the faster layout on CPUs.

    ``bfloat16`` is autocast: products in bfloat16, sums and statistics in float32.
    """

    def __init__(
        self, checkpoint: Checkpoint, device: str | None = None, precision: str = "float32"
    ) -> None:
        self.device = device_named(device)
        self._normalize = checkpoint.preprocess.normalize
        self.autocast = precision == "bfloat16"
        self.network = checkpoint.build().to(memory_format=torch.channels_last).to(self.device)
        # with OMP_NUM_THREADS=1, as in kkcv serve, a run takes one core: several may run beside
        on_cpu = self.device.type == "cpu"
        self.lanes = max(1, cores() // torch.get_num_threads()) if on_cpu else 1
        assert self.network.spec is not None
        self.dim = self.network.spec.embedding_dim

    @torch.inference_mode()
    def run(self, crops: np.ndarray) -> np.ndarray:
        images = torch.from_numpy(self._normalize(crops)).to(
            self.device, memory_format=torch.channels_last
        )
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast):
            return self.network.embedding(images).float().cpu().numpy()


def device_named(name: str | None) -> torch.device:
    """``cpu``, ``cuda``, ``cuda:1``, ``mps``; None is the best. Raises RequestError."""
    there = {
        "cpu": 1,
        "cuda": torch.cuda.device_count() if torch.cuda.is_available() else 0,
        "mps": int(torch.backends.mps.is_available()),
    }
    kind, numbered, number = (name or best_device()).partition(":")
    if there.get(kind, 0) and (not numbered or number in map(str, range(there[kind]))):
        return torch.device(name or kind)
    usable = ", ".join(each for each, count in there.items() if count)
    raise RequestError(f"no device {name!r} on this machine; there are: {usable}")


def best_device() -> str:
    """A GPU where there is one."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
