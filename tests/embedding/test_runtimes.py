"""Every runtime says what PyTorch says in float32; one that fails takes nothing with it."""

import json
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from kkcv.checkpoint import Checkpoint, pretrained
from kkcv.embedding import choice, measuring, networks
from kkcv.embedding.choice import Choice, choose
from kkcv.embedding.embedder import Embedder
from kkcv.embedding.networks import exported
from kkcv.embedding.record import Measured, read, record_file, write
from kkcv.embedding.runtimes import RUNTIMES
from kkcv.embedding.runtimes.openvino import CHUNK
from kkcv.errors import RequestError, WeightsError
from kkcv.images.decode import decode
from kkcv.images.folder import find_pictures
from kkcv.zoo.weights import WeightsFile

# A network that is quick to export.
SMALL = "shufflenet_v2_x0.5"


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KKCV_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache that the tests of this file fill once."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KKCV_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="module")
def photos(pictures: Path) -> list[np.ndarray]:
    return [decode(p) for p in list(find_pictures(pictures / "imagenet_sample_300"))[::15]]


@pytest.fixture(scope="module")
def truth(photos: list[np.ndarray]) -> np.ndarray:
    """Unit vectors of PyTorch in float32: (20, 1280)."""
    return Embedder.load(runtime="pytorch", precision="float32", device="cpu").embed(photos)


def in_a_process(code: str, **environment: str) -> str:
    """The output of a program of its own; its warnings are errors."""
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(code)]
    return subprocess.check_output(command, text=True, env={**os.environ, **environment}).strip()


@pytest.mark.parametrize(
    ("runtime", "precision", "mean", "least"),
    [
        ("openvino", "float32", 0.99999, 0.9999),
        ("openvino", "bfloat16", 0.998, 0.99),
        ("onnxruntime", "float32", 0.99999, 0.9999),
        ("pytorch", "bfloat16", 0.998, 0.99),
    ],
)
def test_a_runtime_makes_the_embeddings_of_pytorch(
    runtime: str,
    precision: str,
    mean: float,
    least: float,
    photos: list[np.ndarray],
    truth: np.ndarray,
    shared_cache: Path,
) -> None:
    embedder = Embedder.load(runtime=runtime, precision=precision)

    vectors = embedder.embed(photos)

    cosine = (vectors * truth).sum(1)
    assert cosine.mean() > mean
    assert cosine.min() > least


def test_vectors_of_both_precisions_may_be_mixed(
    photos: list[np.ndarray], truth: np.ndarray, shared_cache: Path
) -> None:
    """So they are one space: queries in one find in the other what they find in their own."""
    embedder = Embedder.load(runtime="openvino", precision="bfloat16")

    vectors = embedder.embed(photos)

    moved = np.abs(vectors @ truth.T - truth @ truth.T)
    assert moved.max() < 0.02
    assert (np.argmax(vectors @ truth.T, axis=1) == np.arange(len(photos))).all()
    assert embedder.space == Embedder.load(runtime="openvino", precision="float32").space


def test_threads_get_their_own_answers(
    photos: list[np.ndarray], truth: np.ndarray, shared_cache: Path
) -> None:
    embedder = Embedder.load(runtime="openvino", precision="float32")
    turns = [list(np.roll(np.arange(len(photos)), turn)) for turn in range(16)]

    def ask(order: list[int]) -> np.ndarray:
        return embedder.embed([photos[i] for i in order[: 1 + order[0] % (2 * CHUNK + 1)]])

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, turns))

    for order, answer in zip(turns, answers, strict=True):
        np.testing.assert_allclose(answer, truth[order[: len(answer)]], atol=1e-4)


@pytest.mark.slow
def test_one_picture_does_not_wait_for_an_import(shared_cache: Path) -> None:
    runtime = RUNTIMES["openvino"](pretrained(SMALL, "none"), None, "float32")
    many = np.zeros((200 * CHUNK, 224, 224, 3), np.uint8)
    begun = threading.Event()

    def run_many() -> None:
        begun.set()
        runtime.run(many)

    with ThreadPoolExecutor(1) as pool:
        importing = pool.submit(run_many)
        assert begun.wait(30)
        runtime.run(many[:1])
        finished = importing.done()

    assert not finished


def test_a_search_with_openvino_imports_no_torch(
    pictures: Path, shared_cache: Path, tmp_path: Path
) -> None:
    folder = pictures / "near_dup_caltech"
    code = f"""
        import sys
        from kkcv import Gallery
        from kkcv.embedding.embedder import Embedder
        from kkcv.search.importing import import_pictures
        with Gallery.create({str(tmp_path / "g")!r}, Embedder.load()) as gallery:
            import_pictures(gallery, [{str(next(p for p in folder.iterdir() if p.is_dir()))!r}])
            picture = next(gallery.pictures())
        with Gallery.open({str(tmp_path / "g")!r}) as gallery:
            assert gallery.search(gallery.path(picture), 1)[0].id == picture.id
        print([m for m in ("torch", "openvino_telemetry", "openvino.tools.ovc", "rich")
               if sys.modules.get(m)])
    """

    loaded = in_a_process(code, KKCV_RUNTIME="openvino")

    assert loaded == "[]"


def test_the_converter_of_openvino_stays_usable() -> None:
    code = """
        from kkcv.embedding.runtimes.openvino import import_openvino
        import_openvino()
        import openvino, openvino.tools.ovc
        assert callable(openvino.convert_model)
        print(openvino.tools.ovc.convert_model.__name__)
    """

    assert in_a_process(code) == "convert_model"


@pytest.mark.slow
def test_a_damaged_network_in_the_cache_is_exported_again(shared_cache: Path) -> None:
    checkpoint = pretrained(SMALL, "none")
    first = exported(checkpoint, "openvino")
    weights = first.file.with_suffix(".bin")
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-4] + b"rot!")

    again = exported(checkpoint, "openvino")

    assert again == first
    assert weights.read_bytes() == whole


@pytest.mark.slow
def test_two_processes_that_export_at_once_share_one_network(empty_cache: Path) -> None:
    code = f"""
        from kkcv.checkpoint import pretrained
        from kkcv.embedding.networks import exported
        network = exported(pretrained({SMALL!r}, "none"), "openvino")
        print(network.file.stat().st_ino)
    """

    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(in_a_process, [code, code]))

    assert made[0] == made[1]
    left = [p for p in (empty_cache / "networks").iterdir() if p.is_dir()]
    assert len(left) == 1  # and nothing unfinished


def test_weights_that_are_gone_are_no_fault_of_the_runtime(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    processors(monkeypatch, "x86_64")
    gone = WeightsFile(empty_cache / "gone.safetensors", "0" * 64)
    checkpoint = Checkpoint("file", SMALL, gone, pretrained().preprocess)

    with pytest.raises(WeightsError, match=r"gone\.safetensors"):
        choose(checkpoint)

    assert not read(record_file(checkpoint))


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), signal.SIGKILL)", "time.sleep(60)"])
def test_an_export_that_is_killed_or_hangs_is_tried_again_another_time(
    end: str, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    processors(monkeypatch, "x86_64")
    answers(monkeypatch, f"import os, signal, time; {end}")
    monkeypatch.setattr(networks, "EXPORT_SECONDS", 0.5)

    with pytest.warns(RuntimeWarning, match=r"openvino cannot .*(ended with -9|hung for)"):
        chosen = choose(pretrained())

    assert chosen == Choice("onnxruntime", "float32")
    assert not read(record_file(pretrained()))


# Choosing


def answers(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Children that try a runtime run this instead."""
    child = [sys.executable, "-c", textwrap.dedent(code)]
    run = subprocess.run

    def instead(command: list[str], **options: object) -> object:
        return run([*child, *command[4:]], **options)  # type: ignore[call-overload]

    monkeypatch.setattr(measuring.subprocess, "run", instead)


def processors(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A machine of this kind, without a GPU."""
    monkeypatch.setattr(choice.platform, "machine", lambda: name)
    monkeypatch.setattr(choice, "Path", lambda _: Path("nowhere"))


@pytest.mark.parametrize("machine", ["x86_64", "AMD64", "aarch64", "arm64"])
def test_openvino_is_taken_without_measuring_when_it_answers_rightly(
    machine: str, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    processors(monkeypatch, machine)
    monkeypatch.setattr(measuring, "measure", pytest.fail)

    first = choose(pretrained())
    monkeypatch.setattr(measuring, "check", pytest.fail)  # it is checked once

    assert first == choose(pretrained())
    assert first.runtime == "openvino"
    assert choose(pretrained(), precision="float32") == Choice("openvino", "float32")


def test_a_runtime_that_crashes_gives_way_with_a_warning_and_is_not_tried_again(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    processors(monkeypatch, "x86_64")
    answers(monkeypatch, "import os, signal; os.kill(os.getpid(), signal.SIGILL)")

    with pytest.warns(RuntimeWarning, match="openvino cannot be used here .* ended with -4"):
        chosen = choose(pretrained())

    assert chosen == choose(pretrained()) == Choice("onnxruntime", "float32")


def test_what_cannot_be_exported_is_said_why(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch, "raise SystemExit('no such operation')")

    with pytest.raises(RequestError, match=r"kkcv\.embedding\.convert ended with 1: no such opera"):
        exported(pretrained(), "openvino")


def test_a_runtime_that_hangs_is_given_up(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch, "import time; time.sleep(60)")
    monkeypatch.setattr(measuring, "CHECK_SECONDS", 0.2)

    found = measuring.check(pretrained(), "openvino")

    assert found == Measured("openvino", "float32", None, "it hung")


def test_where_the_answer_is_not_known_the_fastest_is_measured_and_remembered(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    processors(monkeypatch, "riscv64")
    rates = {"openvino": 100.0, "onnxruntime": 200.0, "pytorch": 300.0}

    def measure(_: Checkpoint, runtime: str, __: float) -> list[Measured]:
        return [
            Measured(runtime, p, rates[runtime] + (p == "bfloat16"))
            for p in measuring.PRECISIONS[runtime]
        ]

    monkeypatch.setattr(measuring, "rates", measure)
    first = choose(pretrained())
    monkeypatch.setattr(measuring, "rates", pytest.fail)

    assert first == choose(pretrained()) == Choice("pytorch", "bfloat16")
    assert choose(pretrained(), precision="float32") == Choice("pytorch", "float32")
    assert choose(pretrained(), device="cpu") == Choice("onnxruntime", "float32")


def test_what_was_measured_goes_before_what_is_known(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    processors(monkeypatch, "x86_64")
    found = [Measured("openvino", "float32", 10.0), Measured("onnxruntime", "float32", 11.0)]

    write(record_file(pretrained()), pretrained(), found)

    assert choose(pretrained()) == Choice("onnxruntime", "float32")


def test_a_runtime_that_answers_wrongly_is_not_taken(shared_cache: Path) -> None:
    from kkcv.embedding.probe import check

    class Shuffled:
        def __init__(self, real: object) -> None:
            self.real, self.dim = real, 1024

        def run(self, crops: np.ndarray) -> np.ndarray:
            return self.real.run(crops)[:, ::-1]  # type: ignore[attr-defined]

    real = RUNTIMES["openvino"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(RUNTIMES, "openvino", lambda *about: Shuffled(real(*about)))

        found = check(pretrained(SMALL, "none"), "openvino", "float32")

    assert found.rate is None
    assert found.failure.startswith("its embeddings are not PyTorch's: cosine")


def test_a_chosen_runtime_that_does_not_start_gives_way_to_the_next(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RequestError("no room on the disk")

    processors(monkeypatch, "x86_64")
    monkeypatch.setitem(RUNTIMES, "openvino", broken)
    measured = [Measured("openvino", "bfloat16", 10.0)]
    write(record_file(pretrained()), pretrained(), measured)

    with pytest.warns(RuntimeWarning, match="no room on the disk; kkcv goes on with onnxruntime"):
        embedder = Embedder(pretrained())

    assert embedder.choice == Choice("onnxruntime", "float32")
    with pytest.raises(RequestError, match="no room on the disk"):
        Embedder(pretrained(), runtime="openvino")


@pytest.mark.parametrize("text", ["", "{", '{"measured": 3}', '{"measured": [{"a": 1}]}'])
def test_a_damaged_record_is_made_again(
    text: str, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = record_file(pretrained())
    file.parent.mkdir(parents=True)
    file.write_text(text)
    found = [Measured("pytorch", "float32", 1.0)]
    monkeypatch.setattr(measuring, "measure", lambda _: found)

    assert measuring.measured(pretrained()) == found
    assert read(file) == found
    assert json.loads(file.read_text())["network"] == "efficientnet_lite0"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"runtime": "tea"}, "no runtime 'tea'; there are: auto, openvino, onnxruntime, pytorch"),
        ({"precision": "int1"}, "no precision 'int1'; there are: auto, float32, bfloat16, int8"),
        ({"runtime": "openvino", "device": "cuda"}, "openvino runs on the cpu here, not on 'cuda'"),
    ],
)
def test_what_cannot_be_asked_for_is_said(options: dict[str, str], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        Embedder.load(**options)  # type: ignore[arg-type]


def test_the_environment_chooses_where_nobody_else_did(
    monkeypatch: pytest.MonkeyPatch, shared_cache: Path
) -> None:
    monkeypatch.setenv("KKCV_RUNTIME", "pytorch")
    monkeypatch.setenv("KKCV_PRECISION", "bfloat16")

    assert Embedder.load(SMALL, "none").choice == Choice("pytorch", "bfloat16")
    assert Embedder.load(SMALL, "none", precision="float32").choice == Choice("pytorch", "float32")


@pytest.mark.parametrize("change", ["weights", "network", "code"])
def test_another_network_is_another_export(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before: Callable[[], str] = lambda: networks.fingerprint(pretrained("resnet18", "none"))  # noqa: E731
    first = before()
    if change == "code":
        monkeypatch.setattr(networks, "code_of_the_zoo", lambda: "mended")
        assert before() != first
    else:
        other = pretrained() if change == "weights" else pretrained("resnet34", "none")
        assert networks.fingerprint(other) != first
