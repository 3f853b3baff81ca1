"""The command line in Chinese: where the locale is Chinese, complete, and never stale."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from errno import EACCES, EISDIR, ELOOP, ENOENT, ENOTDIR
from importlib import resources
from pathlib import Path

import click
import pytest

from kkcv import environment, errors
from kkcv.cli import COMMANDS, main
from kkcv.cli.index import ONE, passed_over
from kkcv.cli.language import each_said, paragraphs, say, sections, texts
from kkcv.cli.output import tell_skipped
from kkcv.search.importing.importing import SHEETS

PACKAGE = Path(__file__).parents[2] / "kkcv"


def kkcv(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    names = ("KKCV_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
    rest = {name: value for name, value in os.environ.items() if name not in names}
    return subprocess.run(
        [sys.executable, "-m", "kkcv", *map(str, arguments)],
        env={**rest, "PYTHONUTF8": "1", **variables},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "zh_TW.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "KKCV_LANG": "en"}, "en"),
        ({"LANG": "de_DE.UTF-8", "KKCV_LANG": "zh-Hans"}, "zh"),
        ({"LANG": "C.UTF-8"}, "en"),
    ],
)
def test_the_language_is_the_locales_unless_kkcv_lang_says_another(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], language: str
) -> None:
    for name in ("KKCV_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert environment.language() == language


def test_help_errors_and_tables_are_chinese_and_json_keys_are_not(
    made_gallery: Path, album: list[Path]
) -> None:
    chinese = {"KKCV_LANG": "zh"}

    assert "用法：" in kkcv("search", "--help", **chinese).stdout
    assert "搜索" in kkcv(LANG="zh_CN.UTF-8").stderr + kkcv("--help", LANG="zh_CN.UTF-8").stdout
    unknown = kkcv("stats", "nowhere", **chinese)
    assert unknown.returncode == 2
    assert "不是图库；要新建：kkcv index" in unknown.stderr
    assert kkcv("serch", **chinese).stderr.startswith("kkcv: 没有命令 'serch'（是否想用")
    stats = kkcv("stats", made_gallery, **chinese).stdout
    assert not re.findall(r"^ ([a-z].*?)  ", stats, re.MULTILINE)
    assert "可用" in kkcv("roots", made_gallery, **chinese).stdout
    found = kkcv("search", made_gallery, album[0], "-k", 2, **chinese)
    assert (
        found.stdout.split()[:4] == ["名次", "分数", "偶然概率", "编号"] or "编号" in found.stdout
    )
    assert "特征维数" in kkcv("zoo", "list", "resnet18", **chinese).stdout
    as_json = kkcv("search", made_gallery, album[0], "-k", 2, "--json", **chinese)
    english = kkcv("search", made_gallery, album[0], "-k", 2, "--json", KKCV_LANG="en")
    assert json.loads(as_json.stdout) == json.loads(english.stdout)


def test_what_is_filled_in_is_said_too_but_a_name_stays(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("kkcv.cli.language.language", lambda: "zh")

    assert say("skipped: a.jpg: its data are damaged [corrupt]") == (
        "跳过：a.jpg：数据已损坏 [corrupt]"
    )
    tell_skipped([{"message": "a.jpg: 9 bytes are more than the limit of 5", "reason": "large"}])
    assert capsys.readouterr().err == "跳过：a.jpg：9 字节超过上限 5 [large]\n"
    assert passed_over(Counter({"other files": 1, "galleries": 2})) == "2 个图库，1 个其他文件"
    assert each_said("mirrored, with more around it") == "镜像，四周还有其他内容"
    assert say("JPEG quality 50") == "JPEG 质量 50"
    assert say("a is no Parquet file that kkcv exported: this is a folder").endswith("：这是文件夹")
    assert say("max_chance is a rate above 0 and up to 1, such as 0.1, got 3") == (
        "max_chance（rate）的范围：大于 0、不超过 1，例如 0.1；得到的是 3"
    )
    assert say("  cats: 28 train, 6 val, 0 test") == "  cats：28 train，6 val，0 test"
    assert say(
        "val (6 pictures): accuracy 1.0000 (0.6–1.0), f1 1.0000, auc not known, log_loss 0.1"
    ) == ("val（6 张图片）：准确率 1.0000 (0.6–1.0)，F1 1.0000，AUC 未知，对数损失 0.1")
    assert say("no picture has the key label; the nearest that there is: rank") == (
        "没有图片有键 label；最接近的是：rank"
    )
    assert say("the filter 'a >' cannot be read: one thing that nobody has said") == (
        "筛选条件 'a >' 无法理解：one thing that nobody has said"
    )


def test_names_are_in_the_language_unless_lang_says_another(
    tmp_path: Path, album: list[Path]
) -> None:
    def words_of(*command: object) -> str:
        """The Chinese that a command prints or draws where the locale is Chinese."""
        file = tmp_path / "lenet.svg"
        drawn = ("-o", file) if command[0] == "zoo" else ()
        last = kkcv(*command, *drawn, KKCV_LANG="zh").stdout.strip().splitlines()[-1]
        text = file.read_text("utf-8") if drawn else last
        return "".join(re.findall(r"[\u4e00-\u9fff]", text))

    assert words_of("zoo", "draw", "lenet5")
    assert not words_of("zoo", "draw", "lenet5", "--lang", "en")
    assert words_of("classify", album[0], "-k", 1)
    assert not words_of("classify", album[0], "-k", 1, "--json")


def commands(command: click.Command) -> Iterator[click.Command]:
    yield command
    if isinstance(command, click.Group):
        for name in command.commands:
            yield from commands(command.commands[name])


def helps() -> Iterator[str]:
    """Every paragraph and option of the help, except examples."""
    for command in commands(main):
        yield from (p for p in paragraphs(command.help or "") if p and "\b" not in p)
        yield from (o.help for o in command.params if isinstance(o, click.Option) and o.help)


def test_the_help_is_complete() -> None:
    assert [text for text in helps() if text not in texts()] == []
    assert [text for text in paragraphs(main.help or "") if text not in texts()] == []
    assert [heading for heading in COMMANDS if heading not in texts()] == []


def as_pattern(node: ast.expr | None) -> str | None:
    """The text of a literal, with {} for what is filled in."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(v.value) if isinstance(v, ast.Constant) else "{}" for v in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def modules() -> Iterator[ast.Module]:
    for path in PACKAGE.rglob("*.py"):
        yield ast.parse(path.read_text("utf-8"))


ERRORS = {
    name
    for name, each in vars(errors).items()
    if isinstance(each, type) and issubclass(each, errors.KkcvError)
}


def messages() -> Iterator[str]:
    """The messages that errors of kkcv are made with, there or in a variable of the function."""
    for module in modules():
        for function in ast.walk(module):
            if isinstance(function, ast.FunctionDef):
                yield from messages_in(function)


def messages_in(function: ast.FunctionDef) -> Iterator[str]:
    nodes = list(ast.walk(function))
    for call in nodes:
        if not isinstance(call, ast.Call) or not call.args:
            continue
        if getattr(call.func, "id", getattr(call.func, "attr", "")) not in ERRORS:
            continue
        message = call.args[0]
        places: list[ast.expr] = [message]
        if isinstance(message, ast.Name):
            places = [
                node.value
                for node in nodes
                if isinstance(node, ast.Assign)
                and message.id in {getattr(target, "id", "") for target in node.targets}
            ]
        for place in places:
            halves = [place.body, place.orelse] if isinstance(place, ast.IfExp) else [place]
            yield from filter(None, map(as_pattern, halves))


def test_every_error_has_its_chinese() -> None:
    """Names and numbers alone, such as "{}: {}" or the name of a library, need none."""
    with_words = {text for text in messages() if re.search(r"[a-z]{2,} |^[^{]* [^{]*$", text)}

    assert len(with_words) > 400
    assert sorted(with_words - set(texts())) == []


def notes_of_peers() -> set[str]:
    """Why some networks of other libraries are not compared (kkcv zoo verify --peers)."""
    toml = resources.files("kkcv.zoo").joinpath("peers.toml").read_text(encoding="utf-8")
    return set(tomllib.loads(toml)["differs"].values())


def test_every_note_about_a_peer_has_its_chinese() -> None:
    assert notes_of_peers() <= set(texts())


def test_every_text_is_still_said_somewhere() -> None:
    said = set(helps()) | set(COMMANDS) | notes_of_peers() | set(paragraphs(main.help or ""))
    for module in modules():
        said |= {text for node in ast.walk(module) if (text := as_pattern(node)) is not None}
    inside = "\n".join(said)
    names = {"milliseconds a query", "picture bytes", "catalog bytes"}
    of_index = (
        "kind",
        "efforts",
        "recall",
        "recall worst tenth",
        "recall at least",
        "milliseconds",
    )
    counts = ("memory a picture", "bytes a picture", "compared one by one", "indexed")
    of_the_system = {os.strerror(n) for n in (ENOENT, EACCES, EISDIR, ENOTDIR, ELOOP)}
    names |= {f"index {name}" for name in (*of_index, *counts)}  # kkcv stats puts them together
    counted = ("network", "check", "decision", "epoch", "folder", "group", "picture", "thread")
    names |= {f"{{}} {each}{end}" for each in counted for end in ("", "s")}
    names |= {f"{{}} {each}" for each in (*ONE, *ONE.values(), SHEETS)}

    stale = [
        text
        for section, own in sections().items()
        if section != "click"
        for text in own
        if text not in said
        and text not in inside
        and text not in names
        and text not in of_the_system
    ]

    assert stale == []


def test_what_is_filled_in_is_filled_in_in_both_languages() -> None:
    def places(text: str) -> list[str]:
        return re.findall(r"\{\w*(?:![rs])?\}", text)

    for english, own in texts().items():
        ours = [re.sub(r"\d", "", place) for place in places(own)]
        assert sorted(ours) == sorted(places(english)), english
