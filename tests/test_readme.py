"""The READMEs' table of families is that of the code, and both READMEs have the same figures."""

import re
from pathlib import Path

import pytest

from kkcv.zoo.registry import FAMILIES

ROOT = Path(__file__).parents[1]
READMES = ("README.md", "README.zh-CN.md")


@pytest.mark.parametrize("page", READMES)
def test_the_table_of_families_is_that_of_the_zoo(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")

    listed = re.findall(r"\]\(kkcv/zoo/(\w+)\.py\) \| (\d+) \| (\d+) \|", text)

    zoo = {(m.FAMILY.name, m.FAMILY.paper.year, len(m.NETWORKS)) for m in FAMILIES}
    assert {(name, int(year), int(count)) for name, year, count in listed} == zoo
    assert len(listed) == len(zoo)


def test_both_readmes_name_the_same_commands_for_the_same_figures() -> None:
    english, chinese = (
        re.findall(r"^\| .* \| (.*) \| (`(?:kkcv|make) .*`) \|$", text, re.MULTILINE)
        for text in ((ROOT / page).read_text(encoding="utf-8") for page in READMES)
    )
    figures = [[(re.findall(r"\d+(?:[.,]\d+)*", cell), command) for cell, command in rows]
               for rows in (english, chinese)]  # fmt: skip

    assert len(english) >= 5
    assert [command for _, command in figures[0]] == [command for _, command in figures[1]]
    assert [sorted(n) for n, _ in figures[0]] == [sorted(n) for n, _ in figures[1]]
