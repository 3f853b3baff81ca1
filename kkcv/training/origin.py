"""Where a run comes from: command, date, duration, hardware, versions."""

import datetime
import platform
import shlex
from dataclasses import dataclass
from importlib.metadata import version

import torch

from kkcv.machine import cores, processor

from .fit.job import Job
from .run_data import RunData

PACKAGES = ("kkcv", "torch", "torchvision", "lightning", "numpy")


@dataclass(frozen=True)
class Origin:
    """How a run was made; ``command`` makes it again, in another folder."""

    command: str
    finished: str  # ISO 8601, local time with its offset
    seconds: float  # without the time between a stop and --resume
    hardware: str
    versions: dict[str, str]

    @classmethod
    def of(cls, job: Job, data: RunData, seconds: float) -> "Origin":
        """The origin of a run that ends now."""
        now = datetime.datetime.now().astimezone()
        return cls(
            command=command(job, data),
            finished=now.isoformat(timespec="seconds"),
            seconds=round(seconds, 1),
            hardware=hardware(job.device, job.threads),
            versions={"python": platform.python_version(), **{p: version(p) for p in PACKAGES}},
        )


def command(job: Job, data: RunData) -> str:
    """The command line that repeats the run."""
    table = [
        f"--{name.replace('_', '-')}={value}"
        for name, value in data.source.to_dict().items()
        if name != "path"
    ]
    words = ["kkcv", "train", str(data.source.path), "--out", "RUN", *table, *job.recipe.flags()]
    return shlex.join(words)


def hardware(device: torch.device, threads: int) -> str:
    """``Intel(R) Xeon(R) CPU, 2 cores, 2 threads``, with the GPU before it where one trained."""
    here = f"{processor()}, {cores()} cores, {threads} threads"
    if device.type != "cuda":
        return here
    return f"{torch.cuda.get_device_name(device)}, {here}"
