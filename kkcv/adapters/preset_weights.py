"""The weights of presets: a local file or folder, or the hub's file, kept in the cache.

presets/siglip2-base/
├── open_clip_model.safetensors   as the hub has it
├── sha256                        of that file: with the exported network it is enough to search
└── tokenizer.json, …             of SigLIP 2 alone; those of other CLIPs come with open_clip
"""

from contextlib import suppress
from pathlib import Path

from kkcv.disk import sha256_of, typed, write_file
from kkcv.environment import cache_folder, model_hub
from kkcv.errors import WeightsError
from kkcv.extras import need
from kkcv.presets.preset import FILES, Preset
from kkcv.zoo.loading.digest import remembered
from kkcv.zoo.loading.download import NotThere, fetch
from kkcv.zoo.weights import WeightsFile

OWN = "imagenet"  # what every command calls the network's own public weights
RANDOM = "none"
TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")


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
        digest = sha256_of(file)
        write_file(folder / "sha256", digest)
        return WeightsFile(file, digest)


def present(preset: Preset, file: Path) -> Path:
    """The file itself, to build the network: downloaded again if it has gone (WeightsError)."""
    if file.is_file():
        return file
    if file.parent == folder_of(preset):
        return downloaded(preset)
    raise WeightsError(f"the weights of {preset.name} are no longer in {file}")


def tokenizer_folder(preset: Preset, file: Path | None) -> Path:
    """Where the files of the tokenizer lie: beside the weights, or downloaded (WeightsError)."""
    if file is not None and (file.parent / TOKENIZER[0]).is_file():
        return file.parent
    *needed, optional = TOKENIZER
    if all((folder_of(preset) / name).is_file() for name in needed):
        return folder_of(preset)
    try:
        with suppress(NotThere):
            fetched(preset, optional)  # first, for it is not asked for once the others are there
        for name in needed:
            fetched(preset, name)
    except WeightsError as error:
        raise WeightsError(
            f"the tokenizer of {preset.name} cannot be downloaded from {preset.repository} "
            f"({error}); put {' and '.join(needed)} beside the weights"
        ) from None
    return folder_of(preset)


def downloaded(preset: Preset) -> Path:
    for module in (preset.library, "torch"):
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
