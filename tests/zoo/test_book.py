"""The textbook says what the code does: every shape, count, sum and line of source is held."""

import json
import re
import tomllib
from importlib import resources
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from nbclient import NotebookClient

from docs.zoo_pages.measure import facts
from docs.zoo_pages.trained import results
from kkcv.cli import main
from kkcv.cli.train import train
from kkcv.errors import RequestError, UnknownNetwork
from kkcv.training.recipe import Recipe
from kkcv.zoo.book import measured, recipes
from kkcv.zoo.book.chapter import MARK, answers, chapter, inline, prose
from kkcv.zoo.book.excerpts import excerpt
from kkcv.zoo.book.notebook import notebook
from kkcv.zoo.book.reading import for_reading
from kkcv.zoo.book.sums import value_of
from kkcv.zoo.facts import printed_of
from kkcv.zoo.recorded import families, recorded

ROOT = Path(__file__).parents[2]
WRITTEN = list(families())
CHAPTERS = [(name, language) for name in WRITTEN for language in ("en", "zh")]
PARTS = {"stages", "recipe", "answer", "end", "code"}


def test_what_the_chapters_quote_is_what_the_networks_measure() -> None:
    assert measured.document() == json.loads(json.dumps(facts())), "to measure again: make docs-zoo"


@pytest.mark.parametrize(("name", "language"), CHAPTERS)
def test_a_chapter_has_all_its_parts(name: str, language: str) -> None:
    kinds = [mark.split(" ")[0] for mark in MARK.findall(prose(name, language))]

    assert set(kinds) >= PARTS
    assert {"forward", "layers"} & set(kinds)
    assert kinds.count("answer") == 3
    assert "printed" in kinds or not any(printed_of(n) for n in families()[name].networks)
    assert "{{" not in chapter(name, language)


@pytest.mark.parametrize("name", WRITTEN)
def test_both_languages_quote_the_same_source_and_figures(name: str) -> None:
    english, chinese = (
        sorted({m for m in MARK.findall(prose(name, lang)) if not m.startswith("answer")})
        for lang in ("en", "zh")
    )

    assert english == chinese


@pytest.mark.parametrize("name", WRITTEN)
def test_a_chapter_has_the_length_of_a_lesson(name: str) -> None:
    english = re.sub(r"```.*?```", "", prose(name, "en"), flags=re.DOTALL)
    chinese = re.sub(r"[^\u4e00-\u9fff]", "", prose(name, "zh"))

    assert 500 <= len(english.split()) <= 1600
    assert 650 <= len(chinese) <= 3000


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITTEN)
def test_the_answers_hold(name: str) -> None:
    for code in answers(name):
        assert "assert" in code
        exec(compile(code.removeprefix("```python\n").removesuffix("```\n"), name, "exec"), {})


def test_a_wrong_sum_is_refused() -> None:
    assert inline("(5·5·1 + 1)·6 = parameters lenet5_1998 stages.C1") == "(5·5·1 + 1)·6 = 156"
    with pytest.raises(ValueError, match="is 150, but"):
        inline("5·5·6 = parameters lenet5_1998 stages.C1")


def test_sums_are_read_as_they_are_written() -> None:
    assert value_of("9·64² + 1,000 − 2×3") == 9 * 64**2 + 994
    with pytest.raises(ValueError, match="no sum of numbers"):
        value_of("open('x')")


def test_an_excerpt_is_what_a_name_stands_for() -> None:
    source = (ROOT / "kkcv/zoo/resnet.py").read_text(encoding="utf-8")

    assert excerpt("resnet.py", "BasicBlock.forward").startswith("def forward(self, x")
    assert excerpt("resnet.py", "shortcut") in source
    assert excerpt("resnet.py", "BASIC").startswith("# Table 1")
    with pytest.raises(KeyError, match=r"resnet\.py has no Nothing"):
        excerpt("resnet.py", "Nothing")


@pytest.mark.parametrize("name", recipes.names())
def test_a_preset_is_a_recipe_of_its_family(name: str) -> None:
    recipe = Recipe.from_dict(recipes.preset(name))

    assert recipe.model in families()[name].networks or name in recipe.model
    assert recipe.weights == "none"


def test_an_unknown_recipe_names_the_known_ones() -> None:
    with pytest.raises(RequestError, match="no recipe 'resnt'; there are: lenet"):
        recipes.preset("resnt")


def test_a_chapter_is_found_by_family_network_and_alias() -> None:
    assert for_reading("resnet50", "en") == for_reading("resnet", "en")
    assert for_reading("resnet", "zh").startswith("# ResNet\n")
    assert "<" not in re.sub(r"`[^`]*`", "", re.sub(r"```.*?```", "", for_reading("lenet", "en"),
                                                    flags=re.DOTALL))  # fmt: skip
    with pytest.raises(UnknownNetwork, match="the nearest: resnet"):
        for_reading("resnt", "en")


def glossary() -> dict[str, list[str]]:
    with resources.files("kkcv.zoo.book").joinpath("glossary.toml").open("rb") as file:
        return {row["zh"]: row.get("never", []) for row in tomllib.load(file)["terms"]}


CHINESE = [
    *sorted((ROOT / "docs/zh").rglob("*.md")),
    *sorted((ROOT / "kkcv/zoo/book/zh").glob("*.md")),
    ROOT / "README.zh-CN.md",
    ROOT / "kkcv/cli/strings.toml",
    ROOT / "kkcv/web/strings.toml",
    ROOT / "kkcv/zoo/book/recipes.toml",
    ROOT / "kkcv/zoo/diagram/words.toml",
    ROOT / "kkcv/zoo/page.toml",
]


@pytest.mark.parametrize("path", CHINESE, ids=lambda path: str(path.relative_to(ROOT)))
def test_one_word_for_one_thing(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    found = [word for others in glossary().values() for word in others if word in text]

    assert not found


@pytest.mark.parametrize("name", WRITTEN)
def test_lists_in_chinese_have_chinese_commas(name: str) -> None:
    text = re.sub(r"^```.*?^```", "", chapter(name, "zh"), flags=re.MULTILINE | re.DOTALL)

    assert re.findall(r"`,.*|`:$|[一-鿿]\s*[,:;].*", text, re.MULTILINE) == []


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", WRITTEN)
def test_a_chapter_is_a_notebook(name: str, language: str) -> None:
    made = nbformat.reads(notebook(name, language), as_version=4)

    nbformat.validate(made)
    assert sum(cell.cell_type == "code" for cell in made.cells) == 3 + 3  # answers, and the proof


@pytest.mark.slow
@pytest.mark.parametrize(("name", "language"), [("lenet", "en"), ("mobilenet_v2", "zh")])
def test_a_notebook_of_a_family_runs(name: str, language: str, tmp_path: Path) -> None:
    made = nbformat.reads(notebook(name, language), as_version=4)

    NotebookClient(
        made, timeout=600, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()


def test_a_notebook_is_not_written_over_a_file(tmp_path: Path) -> None:
    file = tmp_path / "lesson.ipynb"
    asked = ["zoo", "notebook", "resnet18", "--lang", "zh", "-o", str(file)]

    first = CliRunner().invoke(main, asked)
    again = CliRunner().invoke(main, asked)

    assert first.exit_code == 0
    assert '\\"resnet18\\"' in file.read_text(encoding="utf-8")
    assert again.exit_code != 0


def test_explain_prints_the_chapter_as_markdown() -> None:
    done = CliRunner().invoke(main, ["zoo", "explain", "resnet50", "--lang", "zh"])

    assert done.output.rstrip("\n") == for_reading("resnet", "zh").rstrip("\n")


def test_a_paper_s_recipe_gives_the_defaults_and_options_change_them() -> None:
    context = train.make_context(
        "train", ["data", "--out", "run", "--recipe", "resnet", "--epochs", "3"]
    )

    assert context.params["model"] == "resnet50"
    assert context.params["optimizer"] == "sgd"
    assert context.params["epochs"] == 3


def test_the_tree_names_every_family_once() -> None:
    known = tomllib.loads((ROOT / "docs/zoo_pages/tree.toml").read_text(encoding="utf-8"))

    assert sorted(name for row in known["rows"] for name in row) == sorted(families())
    assert {edge[1] for edge in known["edges"]} == {*families()} - {"lenet"}


def test_what_was_trained_here_is_of_every_family_with_its_smallest_network() -> None:
    assert list(results()) == list(families())
    for name, row in results().items():
        members = map(recorded, families()[name].networks)
        assert row.network == min(members, key=lambda known: known.macs).name
        assert [seconds for seconds, _, _ in row.curve] == sorted(s for s, _, _ in row.curve)
