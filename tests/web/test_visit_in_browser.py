"""A pleasant visit: the query stays in sight, choices are remembered, everything can be read."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from kkcv.web.galleries.local_library import farthest_first

from .conftest import ENGLISH, Visit, click_card, running, settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

browser = pytest.mark.browser
MAIN = "document.querySelector('[data-testid=stMain]')"


def opened(page: "Page") -> None:
    page.wait_for_selector(".score")
    settle(page)


@browser
def test_an_id_in_the_address_opens_its_search_and_the_address_follows(
    visit: Visit, web: str
) -> None:
    page = visit(f"{web}/?id=3")
    opened(page)
    assert "id=3" in page.url

    click_card(page, 1)
    page.wait_for_url(lambda url: "id=3" not in url)
    opened(page)
    id = page.url.partition("id=")[2].partition("&")[0]
    assert id.isdecimal()

    page.get_by_role("button", name=ENGLISH("search.back"), exact=True).click()
    page.wait_for_url(lambda url: "id=3" in url)


@browser
def test_the_back_of_the_browser_returns_step_by_step_to_the_start(visit: Visit) -> None:
    page = visit()
    addresses = [page.url]
    for _ in range(2):
        click_card(page, 1)
        page.wait_for_url(lambda url: url not in addresses)
        opened(page)
        addresses.append(page.url)

    for address in reversed(addresses[:-1]):
        page.go_back()
        page.wait_for_url(address)
    expect(page.get_by_text(ENGLISH("search.start"))).to_be_visible()
    settle(page)
    assert page.url == addresses[0]


@browser
def test_it_works_below_a_path(visit: Visit, own_gallery: Path) -> None:
    with running(own_gallery, "--base-path", "/kkcv") as address:
        page = visit(f"{address}/kkcv/?id=3")
        opened(page)

        page.get_by_role("link", name=ENGLISH("page.zoo")).click()
        page.wait_for_url(f"{address}/kkcv/zoo*")
        settle(page)
        page.close()  # before the server ends


@browser
@pytest.mark.parametrize("id", ["999", "-1"])
def test_an_unknown_id_in_the_address_is_told(visit: Visit, web: str, id: str) -> None:
    page = visit(f"{web}/?id={id}")

    expect(page.get_by_role("alert")).to_contain_text(id)


@browser
def test_the_query_stays_in_sight_and_a_new_question_is_shown_from_the_top(
    visit: Visit, web: str
) -> None:
    page = visit(f"{web}/?id=3", viewport={"width": 1000, "height": 420})
    opened(page)
    page.evaluate(f"{MAIN}.scrollTo(0, 300)")
    page.wait_for_timeout(200)
    picture = page.locator(".st-key-ask").bounding_box()
    header = page.locator(".st-key-head").bounding_box()
    assert picture is not None
    assert header is not None
    assert picture["y"] >= header["height"] - 1  # under the header, not behind it
    paper = page.locator(".st-key-head").evaluate("e => getComputedStyle(e).backgroundColor")
    assert paper == "rgb(255, 255, 255)"  # nothing shines through

    click_card(page, 2)
    page.wait_for_function(f"{MAIN}.scrollTop === 0")


@browser
def test_settings_outlive_a_change_of_page_and_chips_take_them_back(visit: Visit, web: str) -> None:
    page = visit(f"{web}/?id=3")
    opened(page)
    page.get_by_text(ENGLISH("search.options")).click()
    page.get_by_label(ENGLISH("option.where"), exact=True).fill("id > 6")
    page.get_by_label(ENGLISH("option.where"), exact=True).press("Enter")
    chip = page.get_by_role("button", name="Filter: id > 6 ✕")
    expect(chip).to_be_visible()
    expect(page.locator(".card")).to_have_count(6)

    page.get_by_role("link", name=ENGLISH("page.library")).click()
    expect(page.locator("[data-testid=stFileUploader]")).to_be_attached()
    page.get_by_role("link", name=ENGLISH("page.search")).click()
    expect(chip).to_be_visible()

    chip.click()
    expect(chip).to_be_hidden()
    expect(page.locator(".card")).to_have_count(11)


@browser
@pytest.mark.parametrize(("locale", "lang"), [("en-US", "en"), ("zh-CN", "zh")])
def test_the_document_says_its_language_and_the_gallery_its_name(
    visit: Visit, locale: str, lang: str
) -> None:
    page = visit(locale=locale)

    page.wait_for_function(f"document.documentElement.lang === '{lang}'")
    assert page.locator(".st-key-head p").first.inner_text() == "gallery"


@browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_enough_contrast(visit: Visit, web: str, scheme: str) -> None:
    page = visit(f"{web}/?id=3", color_scheme=scheme)
    opened(page)
    low = contrast(page)
    for name in ("library", "zoo"):
        page.get_by_role("link", name=ENGLISH(f"page.{name}")).click()
        page.wait_for_url(f"**/{name}*")
        settle(page)
        low += contrast(page)

    assert not low, "\n".join(low)


FADED_IN = """document.getAnimations().every(
    each => each.playState === "finished" || each.effect.getTiming().iterations === Infinity)"""


def contrast(page: "Page") -> list[str]:
    """The texts that have less contrast than WCAG AA asks for, when nothing fades in any more."""
    options = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
    for _ in range(3):  # the script may run again while Axe looks, which dims what it may change
        settle(page)
        page.wait_for_function(FADED_IN)
        found = Axe().run(page, options=options).response["violations"]
        if not found:
            break
    return [
        f"{node['html'][:100]} {node['any'][0]['message']}"
        for violation in found
        for node in violation["nodes"]
    ]


def test_starters_differ_from_each_other() -> None:
    rng = np.random.default_rng(0)
    centers = np.linalg.qr(rng.normal(size=(64, 6)))[0].T
    vectors = np.repeat(centers, 20, axis=0) + rng.normal(scale=0.02, size=(120, 64))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    chosen = farthest_first(vectors.astype(np.float32), 6)

    assert sorted(place // 20 for place in chosen) == [0, 1, 2, 3, 4, 5]
    assert farthest_first(vectors[:2], 6) == [0, 1]
    assert farthest_first(vectors[:0], 6) == []
