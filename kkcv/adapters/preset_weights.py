"""The weights of presets: a local file or folder, or the hub's file, kept in the cache.

    presets/dinov3-small/
    ├── model.safetensors   as the hub has it
    └── sha256              of that file: with the exported network it is enough to search

A file of gigabytes is hashed once: ``hashes/`` remembers what was found, with size and date.
"""

import hashlib
import json
from pathlib import Path

from kkcv.disk import typed, write_file
from kkcv.environment import cache_folder, make_cache_folder, model_hub
from kkcv.errors import WeightsError
from kkcv.extras import need
from kkcv.presets.preset import FILES, Preset
from kkcv.zoo.download import NotThere, fetch
from kkcv.zoo.weights import WeightsFile, sha256

OWN = "imagenet"  # what every command calls the network's own public weights
RANDOM = "none"


def weights_of(preset: Preset, weights: str) -> WeightsFile | None:
    """The file that ``weights`` means (WeightsError); None for random ones.

    ``imagenet`` are the preset's own, downloaded once. Else it is a file, or a folder in which the
    library's file lies as in its repository. A file that has gone may still be named: the exported
    network does without.
    """
    if weights == RANDOM:
        return None
    if weights == OWN:
        return own_weights(preset)
    file = Path(typed(weights)).absolute()
    if file.is_dir():
        found = [file / name for name in FILES[preset.library] if (file / name).is_file()]
        if not found:
            raise WeightsError(f"{file} holds no {' or '.join(FILES[preset.library])}")
        file = found[0]
    if digest := remembered(file):
        return WeightsFile(file, digest)
    raise WeightsError(
        f"no weights {weights!r} for {preset.name}: imagenet (its own), none (random), a file, "
        f"or a folder with {FILES[preset.library][0]}"
    )


def own_weights(preset: Preset) -> WeightsFile:
    """The public weights, downloaded if neither they nor their hash are here (WeightsError)."""
    folder = folder_of(preset)
    there = [folder / name for name in FILES[preset.library] if (folder / name).is_file()]
    file = there[0] if there else folder / FILES[preset.library][0]
    try:
        return WeightsFile(file, (folder / "sha256").read_text(encoding="ascii").strip())
    except OSError:
        file = downloaded(preset)
        digest = sha256(file)
        write_file(folder / "sha256", digest)
        return WeightsFile(file, digest)


def present(preset: Preset, file: Path) -> Path:
    """The file itself, to build the network: downloaded again if it has gone (WeightsError)."""
    if file.is_file():
        return file
    if file.parent == folder_of(preset):
        return downloaded(preset)
    raise WeightsError(f"the weights of {preset.name} are no longer in {file}")


def downloaded(preset: Preset) -> Path:
    for module in ("torch", preset.library):
        need(module)  # before a download that nothing here could use
    first, *others = FILES[preset.library]
    try:
        try:
            return fetched(preset, first)
        except NotThere:
            return fetched(preset, others[0])
    except WeightsError as error:
        raise WeightsError(
            f"the weights of {preset.name} cannot be downloaded from {preset.repository} ({error})"
            "; give a file or a folder with --weights, or a mirror of the hub with HF_ENDPOINT"
        ) from None


def fetched(preset: Preset, name: str) -> Path:
    """A file of the repository, in the cache (WeightsError)."""
    address = f"{model_hub()}/{preset.repository}/resolve/main/{name}"
    return fetch(address, folder_of(preset) / name, must_tell=False)


def folder_of(preset: Preset) -> Path:
    return cache_folder() / "presets" / preset.name


def remembered(file: Path) -> str:
    """The sha256 of a file, computed once; of a file that has gone, the last; else empty."""
    key = hashlib.sha256(str(file).encode("utf-8", "surrogateescape")).hexdigest()[:32]
    memory = cache_folder() / "hashes" / f"{key}.json"
    try:
        size, mtime_ns, digest = json.loads(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        size, mtime_ns, digest = -1, -1, ""
    if not file.is_file():
        return str(digest)
    stat = file.stat()
    if (stat.st_size, stat.st_mtime_ns) == (size, mtime_ns):
        return str(digest)
    digest = sha256(file)
    try:
        make_cache_folder(memory.parent)
        write_file(memory, json.dumps([stat.st_size, stat.st_mtime_ns, digest]))
    except OSError:
        pass  # then it is computed again
    return digest
