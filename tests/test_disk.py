"""Whole files are written in one way, and that way keeps the old file until the new one is safe."""

import ast
import os
import re
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kkcv.disk import atomic_folder, atomic_write, write_file

PACKAGE = Path(__file__).parents[1] / "kkcv"


def test_a_file_is_the_old_one_until_the_new_one_is_complete(tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_text("old")

    with atomic_write(file) as part:
        part.write_text("new")
        meanwhile = file.read_text()

    assert meanwhile == "old"
    assert file.read_text() == "new"
    assert os.listdir(tmp_path) == ["labels.csv"]


def test_an_error_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_text("old")

    with pytest.raises(TypeError), atomic_write(file) as part, part.open("w") as out:
        out.writelines(["half", 5])  # type: ignore[list-item]

    assert file.read_text() == "old"
    assert os.listdir(tmp_path) == ["labels.csv"]


def test_the_bytes_are_on_the_disk_before_the_name_and_the_name_before_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, synced = tmp_path / "labels.csv", []
    fsync = os.fsync

    def watched(handle: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file"
        synced.append((kind, file.exists()))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", watched)
    write_file(file, "new")

    assert synced == [("file", False), ("folder", True)]


def test_threads_that_write_one_file_do_not_disturb_each_other(tmp_path: Path) -> None:
    file, errors = tmp_path / "features", []

    def write(byte: int) -> None:
        try:
            for _ in range(20):
                write_file(file, bytes([byte]) * 100_000)
        except OSError as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(byte,)) for byte in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not errors
    assert len(set(file.read_bytes())) == 1
    assert os.listdir(tmp_path) == ["features"]


def test_a_long_name_is_no_obstacle_and_a_secret_file_is_never_open(tmp_path: Path) -> None:
    file = tmp_path / ("钥" * 85)  # 255 bytes, the most that a name may have

    with atomic_write(file, mode=0o600) as part:
        mode = stat.S_IMODE(part.stat().st_mode)

    assert mode == stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_link_stays_a_link_and_a_pipe_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_file(tmp_path / "link", "through the link")

    os.mkfifo(tmp_path / "pipe")
    heard: list[str] = []
    reader = threading.Thread(target=lambda: heard.append((tmp_path / "pipe").read_text()))
    reader.start()
    write_file(tmp_path / "pipe", "through the pipe")
    reader.join()

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "through the link"
    assert heard == ["through the pipe"]


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()

    with atomic_folder(tmp_path / "new") as part:
        (part / "file").write_text("text")
        early = (tmp_path / "new").exists()
    with pytest.raises(ZeroDivisionError), atomic_folder(tmp_path / "never") as part:
        raise ZeroDivisionError
    with pytest.raises(OSError, match="not empty"), atomic_folder(tmp_path / "full"):
        pass

    assert not early
    assert (tmp_path / "new" / "file").read_text() == "text"
    assert sorted(os.listdir(tmp_path)) == ["full", "new"]
    assert os.listdir(tmp_path / "full") == ["mine"]


# What writes a file or gives it its name. ``save`` of a picture is not here: it goes to memory.
WRITERS = {
    *("write_text", "write_bytes", "savez", "savez_compressed", "savefig", "copyfile"),
    *("copy", "copy2", "copytree", "move", "save_file", "save_model"),
    *("NamedTemporaryFile", "mkstemp", "fsync", "to_csv", "to_parquet", "ParquetWriter", "tofile"),
}
SAFE = {"atomic_write", "atomic_folder", "TemporaryDirectory"}
# Functions that write outside of a block of SAFE, and why they may.
ELSEWHERE = {
    "export.py:export": "writes into the folder of networks.make",
    "export.py:to_openvino": "writes into the folder of networks.make",
    "export_text.py:export": "writes into the folder of networks.make",
    "export.py:write_csv": "writes into the file of export",
    "export.py:write_jsonl": "writes into the file of export",
    "export.py:write_npz": "writes into the file of export",
    "projection_file.py:save": "writes to memory",
    "quantize.py:quantize": "writes into the folder of networks.make",
    "convert.py:convert": "writes into the folder of networks.make",
    "plan.py:write_list": "writes into the folder of make_plan",
    "parquet.py:parquet_writer": "writes into the file of export and of a shard",
    "backup.py:extract": "writes into the folder of restore",
    "doctor.py:set_aside": "moves a file",
    "records.py:Records.write": "writes into the file of snapshot.save",
    "adapt.py:learned": "writes to memory",
    "child.py:main": "writes to memory",
    "download.py:arrange_pets": "a folder of copies, deleted when it is not complete",
    "runs.py:Runs._start": "a log, which grows",
    "child.py:answer_all": "a pipe",
    "download.py:save": "a download, which is resumed",
    "download.py:unpacked": "a download out of its archive",
    "download.py:download": "a download out of its archive",
}


def writes(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    module = getattr(getattr(call.func, "value", None), "id", "")
    if name in ("open", "fdopen"):
        texts = [c.value for a in call.args[:2] for c in ast.walk(a) if isinstance(c, ast.Constant)]
        modes = [t for t in texts if isinstance(t, str) and re.fullmatch("[rwxabt+]+", t)]
        return any(set(mode) & set("wxa+") for mode in modes)
    if name in ("replace", "rename"):  # of a path, unlike that of a string, has one argument
        return bool(
            module == "os"
            or (isinstance(call.func, ast.Attribute) and len(call.args) == 1 and not call.keywords)
        )
    if name in ("save", "copy"):
        to_a_path = call.args and isinstance(call.args[0], ast.BinOp)  # folder / "model.onnx"
        return bool(to_a_path) or module in ("torch", "onnx", "np", "shutil")
    return name in WRITERS


def unsafe_writes(tree: ast.AST, within: str = "") -> Iterator[tuple[str, int]]:
    """The function and line of each write that is not in a block of SAFE."""
    for node in ast.iter_child_nodes(tree):
        inside = within
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            inside = f"{within}.{node.name}".lstrip(".")
        if isinstance(node, ast.With):
            opened = [item.context_expr for item in node.items]
            names = {
                getattr(c.func, "id", getattr(c.func, "attr", ""))
                for c in opened
                if isinstance(c, ast.Call)
            }
            if names & SAFE:
                continue
        if isinstance(node, ast.Call) and writes(node):
            yield within, node.lineno
        yield from unsafe_writes(node, inside)


def test_every_whole_file_is_written_by_disk() -> None:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        if path != PACKAGE / "disk.py":
            for function, line in unsafe_writes(ast.parse(path.read_text(encoding="utf-8"))):
                found[f"{path.name}:{function}"] = line

    assert {where: line for where, line in found.items() if where not in ELSEWHERE} == {}
    assert set(ELSEWHERE) - set(found) == set()  # no exception outlives its reason


@pytest.mark.parametrize(
    "line",
    [
        "open(path, 'w')", "path.open('wb')", "path.write_text('')", "part.replace(path)",
        "os.replace(a, b)", "torch.save(x, path)", "np.savez(path, x=x)", "save_file(state, path)",
        "shutil.copyfile(a, b)", "tempfile.NamedTemporaryFile(delete=False)",
    ],
)  # fmt: skip
def test_such_lines_are_found(line: str) -> None:
    safe = f"with atomic_write(path) as part:\n    {line}"

    assert list(unsafe_writes(ast.parse(f"def f():\n    {line}"))) == [("f", 2)]
    assert list(unsafe_writes(ast.parse(safe))) == []
