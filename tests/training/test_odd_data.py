"""Whatever lies in the folders, a run is finished or refused in one line."""

import numpy as np
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from PIL import Image

from kkcv.errors import KkcvError
from kkcv.training.data.source import Source
from kkcv.training.recipe import Recipe
from kkcv.training.reporter import Reporter
from kkcv.training.run import train

NAMES = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="/\\"),
    min_size=1,
    max_size=20,
).filter(lambda name: name.strip(". ") == name and len(name.encode()) < 200)
KINDS = st.sampled_from(["different", "alike", "flat", "copies"])
CLASSES = st.dictionaries(NAMES, st.tuples(st.integers(0, 5), KINDS), min_size=1, max_size=4)
QUICK = Recipe(model="lenet5_modern", weights="none", epochs=1, batch_size=4, augment="none")


def picture(kind, generator, scene):
    if kind == "flat":
        return Image.new("L", (32, 32), int(generator.integers(0, 256)))
    pixels = scene if kind != "different" else generator.integers(0, 255, (32, 32), np.uint8)
    if kind == "alike":
        pixels = np.clip(pixels + generator.integers(-2, 3, pixels.shape), 0, 255).astype(np.uint8)
    return Image.fromarray(pixels)


@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # a run is too slow to be made smaller
)
@given(classes=CLASSES, seed=st.integers(0, 99))
def test_any_folders_are_trained_on_or_refused_in_one_line(tmp_path_factory, classes, seed):
    root = tmp_path_factory.mktemp("data")
    generator = np.random.default_rng(seed)
    for number, (name, (count, kind)) in enumerate(classes.items()):
        (root / "d" / name).mkdir(parents=True)
        scene = generator.integers(0, 255, (32, 32), np.uint8)
        for i in range(count):
            picture(kind, generator, scene).save(root / "d" / name / f"{number}-{i}.png")
    said: list[str] = []
    results, refusal = {}, ""

    try:
        results = train(Source(root / "d"), QUICK, root / "run", Reporter(say=said.append))
    except KkcvError as error:
        refusal = str(error)

    counts = [count for count, _ in classes.values() if count]
    if len(counts) < 2 or max(counts) < 2:
        assert refusal
        assert "\n" not in refusal
        assert not (root / "run").exists()
    else:
        assert refusal == ""
        assert 0 <= results["parts"]["val"]["accuracy"] <= 1
        empty = [line for line in said if line.startswith("left out, an empty class folder: ")]
        assert len(empty) == len(classes) - len(counts)


def test_pictures_of_a_fixed_camera_are_trained_on_with_a_warning(tmp_path):
    generator = np.random.default_rng(0)
    room = Image.fromarray(generator.integers(0, 255, (12, 16, 3), np.uint8)).resize((320, 240))
    for label, color in (("open", (250, 200, 180)), ("closed", (40, 60, 200))):
        (tmp_path / "d" / label).mkdir(parents=True)
        for i in range(20):
            x, y = (int(v) for v in generator.integers(100, 108, 2))
            scene = room.copy()
            scene.paste(color, (x, y, x + 20, y + 20))
            scene.save(tmp_path / "d" / label / f"{i:02}.png")
    said: list[str] = []

    results = train(Source(tmp_path / "d"), QUICK, tmp_path / "run", Reporter(say=said.append))

    assert results["parts"]["test"]["pictures"] == 6
    warnings = [line for line in said if line.startswith("warning: ")]
    assert [line.split(" is mostly one run of ")[0] for line in warnings] == [
        "warning: 'closed'",
        "warning: 'open'",
    ]
    assert all("so the figures of this class are too good" in line for line in warnings)
