"""The pages of the zoo and of training in a real browser: what a person does, and sees."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from kkcv.web.strings import Strings

from .conftest import CHINESE, ENGLISH, Visit, click_card

if TYPE_CHECKING:
    from playwright.sync_api import FilePayload, Page

pytestmark = pytest.mark.browser


@pytest.mark.slow
@pytest.mark.parametrize(("locale", "text"), [("en-US", ENGLISH), ("zh-CN", CHINESE)])
def test_the_zoo_shows_a_family_and_networks_that_look(
    visit: Visit, stranger: Path, screenshots: Path, locale: str, text: Strings
) -> None:
    page = visit(locale=locale, viewport={"width": 1280, "height": 1500})
    page.get_by_role("link", name=text("page.zoo")).click()

    page.locator(".diagram img.wide").wait_for()
    expect(page.get_by_role("heading", name="ResNet", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="arXiv:1512.03385")).to_be_visible()
    expect(page.get_by_role("cell", name="conv4_x", exact=True)).to_be_visible()
    expect(page.get_by_text(text("zoo.counted"))).to_be_visible()
    page.get_by_text(text("zoo.chapter")).click()
    expect(page.get_by_text("BasicBlock.forward").first).to_be_visible()
    expect(page.get_by_role("heading", level=2)).to_have_count(0)  # none above that of the family
    page.screenshot(path=screenshots / f"zoo-{locale}.png")

    page.get_by_text(text("zoo.look"), exact=True).click()
    page.get_by_text(text("zoo.start")).wait_for()
    page.set_input_files("input[type=file]", stranger)
    page.locator(".guess").nth(4).wait_for()  # of one network, or of several
    expect(page.locator("img.warm")).to_have_count(2)
    page.locator("img.maps").nth(8).wait_for()
    page.screenshot(path=screenshots / f"looking-{locale}.png")
    labels = " ".join(page.locator(".guess").all_inner_texts())
    assert ("cat" in labels.lower()) if locale == "en-US" else ("猫" in labels)

    empty: FilePayload = {"name": "empty.jpg", "mimeType": "image/jpeg", "buffer": b""}
    page.set_input_files("input[type=file]", empty)
    expect(page.get_by_test_id("stAlert")).to_have_text(f"empty.jpg — {text('reason.empty')}")


@pytest.mark.slow
def test_a_run_that_cannot_be_says_why(visit: Visit, screenshots: Path) -> None:
    page = visit()
    page.get_by_role("link", name=ENGLISH("page.training")).click()
    begin(page, ENGLISH, "/nowhere", "nothing")

    expect(page.get_by_text(ENGLISH("training.is_failed"))).to_be_visible()
    expect(page.get_by_text("/nowhere: there is no folder")).to_be_visible()
    page.screenshot(path=screenshots / "failed-en-US.png")
    page.get_by_text("中文", exact=True).click()
    expect(page.get_by_text(CHINESE("training.is_failed"))).to_be_visible()
    page.screenshot(path=screenshots / "failed-zh-CN.png")


def begin(page: "Page", text: Strings, data: str, name: str, more: str = "") -> None:
    """Start a run."""
    data_field = page.get_by_label(text("training.data"), exact=True)
    data_field.wait_for(state="attached")
    if not data_field.is_visible():
        page.get_by_text(text("training.begin"), exact=True).click()
    for label, words in (("training.data", data), ("training.name", name), ("training.more", more)):
        field = page.get_by_label(text(label), exact=True)
        field.fill(words)
        field.press("Tab")
    page.get_by_role("button", name=text("training.start"), exact=True).click()


@pytest.mark.slow
def test_a_run_is_begun_watched_stopped_gone_on_with_and_adopted(
    visit: Visit, pictures: Path, screenshots: Path
) -> None:
    page = visit()
    page.get_by_role("link", name=ENGLISH("page.training")).click()
    more = "--head-epochs 150 --threads 1 --save-minutes 0"
    begin(page, ENGLISH, str(pictures / "cats_dogs" / "val"), "pets", more)

    page.get_by_role("progressbar").wait_for(timeout=240_000)
    page.locator(".vega-embed").first.wait_for(timeout=240_000)
    page.screenshot(path=screenshots / "training.png")
    page.get_by_role("button", name=ENGLISH("page.stop")).click()
    page.get_by_role("button", name=ENGLISH("training.go_on")).click()
    page.get_by_role("button", name=ENGLISH("training.download")).wait_for(timeout=300_000)
    page.screenshot(path=screenshots / "trained.png")
    report = page.frame_locator("iframe").locator("body")
    assert "Classes" in report.inner_text()
    assert "类别" not in report.inner_text()
    report.get_by_role("button", name="中文").click()
    assert "类别" in report.inner_text()
    assert "Classes" not in report.inner_text()

    page.get_by_role("button", name=ENGLISH("training.adopt")).click()
    page.get_by_text(ENGLISH("training.used")).wait_for(timeout=240_000)
    page.screenshot(path=screenshots / "adopted.png")
    page.get_by_role("link", name=ENGLISH("page.search")).click()
    click_card(page)
    page.wait_for_selector(".score")
