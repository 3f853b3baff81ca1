"""The page of the zoo shows the table of embedders."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from kkcv.presets.table import rows


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_shows_every_embedder_with_its_license(lang: str) -> None:
    def script() -> None:
        from kkcv.web.components.guard import guarded
        from kkcv.web.zoo.page import zoo_page

        guarded(zoo_page)()

    test = AppTest.from_function(script, default_timeout=60)
    test.query_params["lang"] = lang
    test.session_state["zoo-panel"] = "embedders"

    test.run()

    assert not test.exception
    (shown,) = [html.proto.body for html in test.get("html") if "<table" in html.proto.body]
    lines = re.findall(r"<tr>(.*?)</tr>", shown)
    assert len(lines) == 1 + len(rows())
    for line, row in zip(lines[1:], rows(), strict=True):
        assert f"<td>{row['name']}</td><td>{row['input']}</td>" in line
    assert ("Research only" if lang == "en" else "仅限研究") in shown
    assert "arXiv:2502.11748" in shown
