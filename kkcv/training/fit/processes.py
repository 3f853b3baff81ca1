"""The processes that train together, as torchrun starts them."""

import datetime
import sys
from typing import Any, NamedTuple

import torch
import torch.distributed as dist

from kkcv.environment import launched
from kkcv.errors import TrainingError

PATIENCE = datetime.timedelta(hours=12)  # the first process inspects the data; the others wait


class Processes(NamedTuple):
    """This process among all: ``rank`` of ``world``, of which ``local`` on this machine."""

    rank: int = 0
    world: int = 1
    local: int = 1

    @property
    def first(self) -> bool:
        return self.rank == 0

    def wait(self) -> None:
        """Until all processes are here; the others exit when the first has failed and said why."""
        if self.world == 1:
            return
        try:
            dist.barrier()
        except RuntimeError:
            if self.first:
                raise
            sys.exit(2)

    def gather(self, value: Any) -> list[Any]:
        """The values of all processes, in order of rank."""
        if self.world == 1:
            return [value]
        values = [None] * self.world
        dist.all_gather_object(values, value)
        return values


def join(device: torch.device) -> Processes:
    """Meet the others that torchrun has started, if it has.

    Raises TrainingError when there are more processes than GPUs.
    """
    place = launched()
    if place is None or place.world == 1:
        return Processes()
    here = Processes(place.rank, place.world, place.local_world)
    if device.type == "cuda":
        if here.local > torch.cuda.device_count():
            raise TrainingError(
                f"{here.local} processes want a GPU each, and there are "
                f"{torch.cuda.device_count()}; start fewer"
            )
        torch.cuda.set_device(place.local_rank)
    if not dist.is_initialized():
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    return here
