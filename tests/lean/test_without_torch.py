"""The core does what it is for without torch, and names the extra for all that it lacks."""

import json
import re
import subprocess
import textwrap
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import Said

Lean = Callable[..., Said]
PICTURES = 34
ZOO = "PyTorch is not installed; to add it: pip install 'kkcv[zoo]'"


@pytest.fixture(scope="module")
def gallery(lean: Lean, pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gallery of photographs, made by the core with an empty cache."""
    folder = tmp_path_factory.mktemp("made") / "g.kkcv"
    groups = sorted(p for p in (pictures / "near_dup_caltech").iterdir() if p.is_dir())
    said = lean("index", folder, *groups[:5], "--json")
    assert (said.code, said.json()["added"]) == (0, PICTURES), said
    return folder


@pytest.fixture(scope="module")
def service(
    lean_python: Path, gallery: Path, environment: dict[str, str]
) -> Iterator[Callable[[str, dict[str, Any]], tuple[int, Any]]]:
    """``service("/v1/search", {...})`` → status and JSON of ``kkcv serve``."""
    process = subprocess.Popen(
        [lean_python, "-m", "kkcv", "serve", gallery, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    line = next(line for line in process.stdout if "http://" in line)
    found = re.search(r"http://127\.0\.0\.1:\d+", line)
    assert found

    def ask(path: str, body: dict[str, Any]) -> tuple[int, Any]:
        request = urllib.request.Request(
            found[0] + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    with process:
        yield ask
        process.terminate()


def test_the_environment_has_no_torch(in_lean_python: Callable[[str], str]) -> None:
    code = """
        from importlib.util import find_spec
        print([m for m in ("torch", "torchvision", "openvino", "triton") if find_spec(m)])
    """

    assert in_lean_python(textwrap.dedent(code)) == "[]\n"


def test_a_picture_is_found(lean: Lean, gallery: Path, album: list[Path]) -> None:
    said = lean("search", gallery, album[0], "-k", "3", "--json")

    hits: Any = said.json()["hits"]
    assert Path(hits[0]["path"]).name == album[0].name
    assert hits[0]["score"] > 0.999


def test_scores_are_those_of_an_environment_with_torch(
    lean: Lean, gallery: Path, album: list[Path]
) -> None:
    """This process has it, and OpenVINO perhaps, whose bfloat16 is less exact."""
    from kkcv import Gallery

    said = lean("search", gallery, album[1], "-k", "12", "--json")

    with Gallery.open(gallery) as opened:
        scores = {hit.id: hit.score for hit in opened.search(album[1], 12)}
    hits: Any = said.json()["hits"]
    assert {hit["id"]: hit["score"] for hit in hits} == pytest.approx(scores, abs=0.02)


@pytest.mark.parametrize(
    "command",
    [
        ("stats",),
        ("duplicates",),
        ("doctor",),
        ("selfcheck", "--sample", "8"),
        ("calibrate", "--sample", "8"),
        ("tune",),
    ],
    ids=lambda command: command[0],
)
def test_a_gallery_is_looked_after(lean: Lean, gallery: Path, command: tuple[str, ...]) -> None:
    said = lean(*command, gallery, "--json")

    assert said.code == 0, said.err
    assert said.json()


def test_a_backup_is_restored(lean: Lean, gallery: Path, tmp_path: Path) -> None:
    backup = lean("backup", gallery, tmp_path / "backup")
    restored = lean("restore", tmp_path / "backup", tmp_path / "again.kkcv")

    assert (backup.code, restored.code) == (0, 0), backup.err + restored.err
    assert lean("stats", tmp_path / "again.kkcv", "--json").json()["pictures"] == PICTURES


def test_hits_are_verified(lean: Lean, gallery: Path, album: list[Path]) -> None:
    said = lean("search", gallery, album[0], "--verify", "--json")

    hits: Any = said.json()["hits"]
    assert hits[0]["place"]


def test_a_picture_is_classified(lean: Lean, pictures: Path) -> None:
    said = lean("classify", pictures / "imagenet_sample_300" / "n01440764_tench.JPEG", "--json")

    answers: Any = said.json()["pictures"]
    assert answers[0]["guesses"][0]["label"] == "tench"


def test_two_pictures_are_explained(lean: Lean, album: list[Path], tmp_path: Path) -> None:
    said = lean("explain", album[0], album[1], "-o", tmp_path / "why.png", "--json")

    assert said.code == 0, said.err
    assert (tmp_path / "why.png").stat().st_size > 10_000


def test_the_zoo_is_read(lean: Lean) -> None:
    networks: Any = lean("zoo", "list", "--json").json()["networks"]

    assert "resnet50_v1.5" in {row["network"] for row in networks}
    assert lean("zoo", "show", "resnet50").code == 0


def test_the_service_searches_classifies_and_explains(
    service: Callable[[str, dict[str, Any]], tuple[int, Any]], album: list[Path]
) -> None:
    import base64

    first, second = (base64.b64encode(path.read_bytes()).decode() for path in album[:2])

    found = service("/v1/search", {"image": first, "k": 2})
    named = service("/v1/classify", {"image": first})
    explained = service("/v1/explain", {"query": {"image": first}, "hit": {"image": second}})

    assert (found[0], named[0], explained[0]) == (200, 200, 200), (found, named, explained)
    assert found[1]["hits"][0]["score"] > 0.999
    assert len(named[1]["guesses"]) == 5
    assert 0 < explained[1]["score"] < 1


NEEDS = [
    (("index", "x.kkcv", "PICTURES", "--model", "resnet18", "--weights", "none"), "zoo"),
    (("index", "x.kkcv", "PICTURES", "--model", "resnet50"), "zoo"),
    (("index", "x.kkcv", "PICTURES", "--runtime", "pytorch"), "zoo"),
    (("index", "x.kkcv", "PICTURES", "--runtime", "openvino"), "openvino"),
    (("index", "x.kkcv", "PICTURES", "--precision", "int8"), "int8"),
    (("index", "x.kkcv", "PICTURES", "--backend", "torchvision"), "zoo"),
    (("index", "x.kkcv", "PICTURES", "--model", "timm:resnet18"), "timm"),
    (("index", "x.kkcv", "PICTURES", "--model", "torchvision:swin_t"), "zoo"),
    (("index", "x.kkcv", "PICTURES", "--model", "open_clip:RN50"), "open-clip"),
    (
        ("index", "x.kkcv", "PICTURES", "--model", "transformers:facebook/dinov2-base"),
        "transformers",
    ),
    (("classify", "PICTURE", "--model", "resnet18", "--weights", "none"), "zoo"),
    (("classify", "PICTURE", "--device", "cuda"), "zoo"),
    (
        ("explain", "PICTURE", "PICTURE", "--json", "--model", "resnet18", "--weights", "none"),
        "zoo",
    ),
    (("zoo", "draw", "lenet5_1998"), "zoo"),
    (("zoo", "verify", "lenet5_1998"), "zoo"),
    (("zoo", "bench", "lenet5_1998"), "zoo"),
    (("adapt", "GALLERY", "--labels", "folder"), "adapt"),
    (("train", "PICTURES", "--out", "run"), "train"),
    (("export", "GALLERY", "x.parquet"), "parquet"),
    (("stats", "milvus://127.0.0.1:9/none"), "milvus"),
    (("web", "GALLERY"), "web"),
]


@pytest.mark.parametrize(
    ("arguments", "extra"), NEEDS, ids=lambda value: value if isinstance(value, str) else value[0]
)
def test_what_is_not_installed_is_named_in_one_line(
    lean: Lean, gallery: Path, album: list[Path], arguments: tuple[str, ...], extra: str
) -> None:
    meant = {"PICTURES": album[0].parent, "PICTURE": album[0], "GALLERY": gallery}

    said = lean(*(meant.get(word, word) for word in arguments))

    assert said.code == 2, said.err + said.out
    (line,) = said.err.splitlines()
    assert line.startswith("kkcv: ")
    assert line.endswith(f"to add it: pip install 'kkcv[{extra}]'")


def test_the_service_answers_501_for_what_is_not_installed() -> None:
    from kkcv.errors import MissingExtra
    from kkcv.serve.problems import problem_of

    for error in (MissingExtra("PyTorch", "zoo"), ModuleNotFoundError(name="torch")):
        problem = problem_of(error)

        assert problem.document()["type"] == "/problems/missing-extra"
        assert (problem.status, problem.detail) == (501, ZOO)


def test_nothing_reports_to_the_maker_of_the_runtime(
    lean_python: Path, environment: dict[str, str], album: list[Path], tmp_path: Path
) -> None:
    """ONNX Runtime's telemetry keeps its queue in the user's cache folder."""
    subprocess.run(
        [lean_python, "-m", "kkcv", "classify", album[0]],
        env={**environment, "HOME": str(tmp_path)},
        check=True,
        capture_output=True,
    )

    assert not any(tmp_path.iterdir())


def test_python_gets_a_missing_extra(in_lean_python: Callable[[str], str]) -> None:
    code = """
        from kkcv import Classifier, Embedder, KkcvError, zoo
        from kkcv.errors import MissingExtra
        for ask in (
            lambda: Embedder.load("resnet18", "none"),
            lambda: Classifier.load("resnet18", "none"),
            lambda: zoo.create("resnet18"),
        ):
            try:
                ask()
            except MissingExtra as error:
                assert isinstance(error, KkcvError)
                print(error)
    """

    assert in_lean_python(textwrap.dedent(code)).splitlines() == [ZOO] * 3
