"""The zoo's pages in the documentation are made from the code."""

import re
from functools import cache
from pathlib import Path

import pytest

from docs.zoo_pages import pages as pages_of_the_zoo
from docs.zoo_pages.pictures import apart, pictures, places_of_names
from kkcv.zoo.facts import printed
from kkcv.zoo.labels import LANGUAGES
from kkcv.zoo.pages import cited, texts
from kkcv.zoo.registry import FAMILIES

DOCS = Path(__file__).parents[2] / "docs"

pages = cache(pages_of_the_zoo.pages)


def test_the_pages_are_those_of_the_code() -> None:
    written = {
        str(path.relative_to(DOCS)): path.read_text(encoding="utf-8")
        for pattern in (
            "zoo.md",
            "zoo/*.md",
            "diagrams.md",
            "zh/zoo.md",
            "zh/zoo/*.md",
            "zh/diagrams.md",
        )
        for path in DOCS.glob(pattern)
    }

    assert written == pages(), "to renew them: make docs-zoo"


@pytest.mark.parametrize("folder", ["", "zh/"])
@pytest.mark.parametrize("module", FAMILIES, ids=lambda module: module.FAMILY.name)
def test_every_family_has_a_page_with_its_paper_diagram_and_networks(module, folder: str) -> None:
    family = module.FAMILY

    page = pages()[f"{folder}zoo/{family.name}.md"]

    assert page.startswith(f"# {family.title}\n")
    assert f"(zoo/{family.name}.md)" in pages()[f"{folder}zoo.md"]
    assert family.paper.title in page
    for file in re.findall(r'"\.\./(diagrams/[^"]*)"', page):
        assert (DOCS / folder / file).is_file()
    assert f'src="../diagrams/{family.name}.svg"' in page
    assert f'src="diagrams/{family.name}.svg"' in pages()[f"{folder}diagrams.md"]
    assert all(f"| `{known.name}` |" in page for known in module.NETWORKS)


def test_figures_that_differ_from_the_papers_are_explained() -> None:
    rows = pages()["zoo/inception_v3.md"].splitlines()

    shown = next(row for row in rows if "4.8 G" in row)

    assert "5.71 G" in shown
    assert "the paper does not say what it counts" in shown


def test_the_chinese_pages_say_all_of_it_in_chinese() -> None:
    said = {module.FAMILY.idea for module in FAMILIES}
    said |= {text for figure in printed() for text in (figure.what, figure.where, figure.note)}

    assert said - {"", "README"} == texts()["zh"].keys()


def test_every_word_is_there_in_every_language() -> None:
    assert all(word.keys() == set(LANGUAGES) for word in texts()["words"].values())


def test_an_arxiv_number_is_a_link() -> None:
    assert cited("CVPR 2015, arXiv:1409.4842") == (
        "CVPR 2015, [arXiv:1409.4842](https://arxiv.org/abs/1409.4842)"
    )
    assert cited("NIPS 2012") == "NIPS 2012"


def test_the_pictures_are_those_of_the_recorded_facts() -> None:
    written = {
        str(path.relative_to(DOCS)): path.read_text(encoding="utf-8")
        for pattern in ("images/zoo-*.svg", "zh/images/zoo-*.svg")
        for path in DOCS.glob(pattern)
    }

    assert written == pictures(), "to renew them: make docs-zoo"


def test_a_name_on_a_picture_stands_beside_its_own_point_and_covers_no_other() -> None:
    points = {"crowded": [(400.0, 300.0), (410.0, 290.0)], "alone": [(430.0, 300.0)]}

    places = places_of_names(points)

    for name, (box, point) in places.items():
        assert point in points[name]
        assert 5 <= apart(box, point) < 10
        assert all(apart(box, other) >= 5 for some in points.values() for other in some)


@pytest.mark.parametrize("folder", ["", "zh/"])
def test_every_family_is_on_the_page_of_papers(folder: str) -> None:
    page = pages()[f"{folder}zoo/papers.md"]

    assert all(f"({module.FAMILY.name}.md)" in page for module in FAMILIES)
    assert "10.1109/5.726791" in page
    assert "1404.5997" in page


@pytest.mark.parametrize("folder", ["", "zh/"])
def test_the_page_of_classes_has_all_thousand_in_both_languages(folder: str) -> None:
    page = pages()[f"{folder}zoo/classes.md"]

    rows = re.findall(r"^\| (\d+) \| `(n\d{8})` \| (\S.*) \| (\S.*) \|$", page, re.MULTILINE)

    assert [int(row[0]) for row in rows] == list(range(1000))
    assert rows[134][2:] == ("crane (bird)", "鹤")
    assert "| 134, 517 | crane (bird); crane (machine) |" in page
