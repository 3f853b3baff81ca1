"""The zoo's page in the documentation is made from the code."""

from pathlib import Path

from kkcv import zoo
from kkcv.zoo.page import cited, markdown
from kkcv.zoo.registry import FAMILIES

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_that_of_the_code() -> None:
    written = (DOCS / "zoo.md").read_text(encoding="utf-8")

    assert written == markdown(), "to renew it: python -m kkcv.zoo.page > docs/zoo.md"


def test_the_page_has_every_family_with_its_paper_and_diagram_and_every_network() -> None:
    page = markdown()

    for family in (module.FAMILY for module in FAMILIES):
        assert f"\n## {family.title}\n" in page
        assert family.paper.title in page
        assert f"(diagrams/{family.name}.svg)" in page
        assert (DOCS / "diagrams" / f"{family.name}.svg").is_file()
    for name in zoo.names():
        assert f"| `{name}` |" in page


def test_figures_that_differ_from_the_papers_are_explained() -> None:
    rows = [line for line in markdown().splitlines() if line.startswith("| `inception_v3`")]

    printed = next(row for row in rows if "4.8 G" in row)

    assert "5.71 G" in printed
    assert "the paper does not say what it counts" in printed


def test_an_arxiv_number_is_a_link() -> None:
    assert cited("CVPR 2015, arXiv:1409.4842") == (
        "CVPR 2015, [arXiv:1409.4842](https://arxiv.org/abs/1409.4842)"
    )
    assert cited("NIPS 2012") == "NIPS 2012"
