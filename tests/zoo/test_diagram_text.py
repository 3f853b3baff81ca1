"""Nothing in a diagram overlaps, with the fonts that readers have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kkcv import zoo
from kkcv.zoo.diagram.metrics import text_width, wrapped
from kkcv.zoo.draw import PHONE, WIDTH, draw
from kkcv.zoo.registry import FAMILIES

from .svg_layout import LATIN, faults, laid_out, width_of

EXAMPLES = [module.FAMILY.example for module in FAMILIES]
OTHERS = [name for name in zoo.names() if name not in EXAMPLES]


@pytest.mark.parametrize(("lang", "width"), [("en", WIDTH), ("zh", PHONE)])
@pytest.mark.parametrize("name", EXAMPLES)
def test_nothing_overlaps(name: str, lang: str, width: int) -> None:
    page = laid_out(draw(name, lang=lang, width=width), "dejavu")  # the wider of the two

    assert page.texts
    assert faults(page) == []
    assert min(text.size for text in page.texts) >= 11


@pytest.mark.slow
@pytest.mark.parametrize("family", LATIN)
@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [320, PHONE, 480, WIDTH, 800, 1000])
def test_nothing_overlaps_at_any_width(lang: str, width: int, family: str) -> None:
    found = {
        name: faults(laid_out(draw(name, lang=lang, width=width), family)) for name in EXAMPLES
    }

    assert {name: some for name, some in found.items() if some} == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_nothing_overlaps_in_the_other_networks(name: str) -> None:
    pages = [laid_out(draw(name, width=width), "dejavu") for width in (WIDTH, PHONE)]

    assert [faults(page) for page in pages] == [[], []]


@pytest.mark.parametrize("family", LATIN)
@pytest.mark.parametrize("bold", [False, True])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_no_text_is_wider_than_reckoned(lang: str, bold: bool, family: str) -> None:
    pages = [laid_out(draw(name, lang=lang), family) for name in EXAMPLES]

    texts = {text for page in pages for text in page.texts if text.bold == bold}

    assert texts
    for text in texts:
        real = width_of(text.words, text.size, bold, family)
        assert real <= text_width(text.words, text.size, bold=bold) + 0.1, text.words


@given(st.text("ab_ CD,·×卷积3/", max_size=40), st.integers(20, 200))
def test_lines_keep_every_character_and_fit_where_they_can(words: str, width: int) -> None:
    lines = wrapped(words, width, 12)

    assert "".join(lines).replace(" ", "") == words.replace(" ", "")
    for line in lines:
        shortest = wrapped(line, 1, 12)
        assert text_width(line, 12) <= width or len(shortest) == 1
