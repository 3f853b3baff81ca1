"""The texts: every language has all of them, and none is for nothing."""

import re
import string
from pathlib import Path

import pytest

from kkcv.errors import KkcvError, PictureError, UnknownPicture
from kkcv.search.chance.likeness import NAMES
from kkcv.search.option import OneOf
from kkcv.search.options import OPTIONS
from kkcv.web import strings
from kkcv.web.app import PAGES
from kkcv.web.library.page import PANELS as LIBRARY_PANELS
from kkcv.web.strings import LANGUAGES, Strings, best_language, texts
from kkcv.web.training.page import COLORS, WAYS
from kkcv.web.training.runs import State
from kkcv.web.zoo.embedders import COLUMNS as EMBEDDER_COLUMNS
from kkcv.web.zoo.page import PANELS as ZOO_PANELS


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("name", texts())
def test_a_text_is_there_in_every_language_with_the_same_blanks(name: str) -> None:
    languages = texts()[name]

    assert set(languages) == set(LANGUAGES)
    assert all(languages.values())
    assert len({frozenset(fields(text)) for text in languages.values()}) == 1


def test_chinese_is_chinese() -> None:
    for name, languages in texts().items():
        assert re.search(r"[\u4e00-\u9fff]", languages["zh"]), name
        assert re.sub("[…·°]", "", languages["en"]).isascii(), name


def test_every_text_is_used_and_every_text_that_is_used_is_there() -> None:
    folder = Path(strings.__file__).parent
    code = "\n".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
    used = set(re.findall(r"text\(\s*[\"']([a-z]+\.[a-z0-9_-]+)[\"']", code))
    used |= set(re.findall(r"strings\(\)\([\"']([a-z]+\.[a-z0-9_-]+)[\"']\)", code))
    sections = "|".join({name.partition(".")[0] for name in texts()})
    used |= set(re.findall(rf"[\"']((?:{sections})\.[a-z0-9_]+)[\"']", code))
    used |= {f"reason.{reason}" for reason in PictureError.REASONS}
    used |= {f"page.{name}" for name in PAGES}
    used |= {f"library.{name}" for name in LIBRARY_PANELS}
    used |= {f"likeness.{word.replace(' ', '_')}" for word in NAMES}
    used |= {f"zoo.{name}" for name in (*ZOO_PANELS, *EMBEDDER_COLUMNS)}
    used |= {f"error.{kind.code}" for kind in kinds(KkcvError)}
    used |= {f"option.{name}{more}" for name in OPTIONS for more in ("", "_help")}
    used |= {
        f"option.{name}_{value}"
        for name, option in OPTIONS.items()
        if isinstance(option.kind, OneOf) and option.kind.usual is None
        for value in (None, *option.kind.names())
    }
    used |= {f"training.{state.value}" for state in State}
    used |= {f"training.way_{way}" for way in WAYS}
    used |= {f"training.{name}" for name in (*COLORS, "loss", "accuracy")}

    assert used == set(texts())


def kinds(error: type[KkcvError]) -> set[type[KkcvError]]:
    return {error}.union(*map(kinds, error.__subclasses__()))


def test_an_error_is_told_in_the_language_with_what_the_library_says() -> None:
    error = UnknownPicture("no picture with id 5 in photos.kkcv")

    assert Strings("en").error(error) == "no picture with id 5 in photos.kkcv"
    assert Strings("zh").error(error) == ("图库里没有这张图片：no picture with id 5 in photos.kkcv")


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("en-US", "en"),
        ("zh-CN", "zh"),
        ("zh-Hant-TW", "zh"),
        ("zh_CN", "zh"),
        ("ZH", "zh"),
        ("de-DE", "en"),
        ("zhuang", "en"),
        ("", "en"),
        (None, "en"),
    ],
)
def test_the_language_is_that_of_the_browser_where_there_is_one(
    locale: str | None, language: str
) -> None:
    assert best_language(locale) == language


def test_blanks_are_filled_in() -> None:
    assert Strings("en")("library.count", total=3, network="resnet18") == (
        "Pictures: 3 · network: resnet18"
    )
