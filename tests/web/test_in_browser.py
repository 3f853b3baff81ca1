"""The page in a real browser: what a person does, and sees."""

import base64
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from kkcv.web.strings import Strings

from .conftest import Visit

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

expect.set_options(timeout=60_000)
ENGLISH, CHINESE = Strings("en"), Strings("zh")
PHONE = {"width": 390, "height": 844}


def search(page: "Page", picture: Path) -> None:
    """Give it a picture, and wait for the answer."""
    page.set_input_files("input[type=file]", picture)
    page.wait_for_selector(".score")


def names(page: "Page") -> list[str]:
    return page.locator(".card .name").all_inner_texts()


@pytest.mark.parametrize(
    ("locale", "text"), [("en-US", ENGLISH), ("zh-CN", CHINESE), ("zh-TW", CHINESE)]
)
def test_the_right_picture_comes_first_in_the_language_of_the_browser(
    visit: Visit, album: list[Path], screenshots: Path, locale: str, text: Strings
) -> None:
    page = visit(locale=locale)
    expect(page.get_by_text(text("search.start"))).to_be_visible()
    page.screenshot(path=screenshots / f"start-{locale}.png")

    search(page, album[7])

    assert names(page)[0] == album[7].name
    assert set(names(page)[1:3]) == {album[6].name, album[8].name}  # its other sizes
    assert page.locator(".score").first.inner_text() == "1.000"
    scores = [float(score) for score in page.locator(".score").all_inner_texts()]
    assert scores == sorted(scores, reverse=True)
    expect(page.get_by_text(text("search.found", count=12, total=12))).to_be_visible()
    page.screenshot(path=screenshots / f"found-{locale}.png")


@pytest.mark.parametrize(("locale", "text"), [("en-US", ENGLISH), ("zh-CN", CHINESE)])
def test_what_is_no_picture_is_answered_with_a_message(
    visit: Visit, pictures: Path, screenshots: Path, locale: str, text: Strings
) -> None:
    page = visit(locale=locale)

    page.set_input_files("input[type=file]", pictures / "nasty" / "generated" / "text_as.jpg")

    message = page.get_by_test_id("stAlert")
    expect(message).to_have_text(f"text_as.jpg — {text('reason.not-an-image')}")
    assert page.get_by_test_id("stException").count() == 0
    page.screenshot(path=screenshots / f"refused-{locale}.png")


def test_a_message_goes_when_a_good_picture_follows(
    visit: Visit, pictures: Path, album: list[Path]
) -> None:
    page = visit()
    page.set_input_files("input[type=file]", pictures / "nasty" / "generated" / "text_as.jpg")
    page.wait_for_selector("[data-testid=stAlert]")

    search(page, album[0])

    assert names(page)[0] == album[0].name
    expect(page.get_by_test_id("stAlert")).to_have_count(0)


def test_a_click_on_a_hit_searches_with_it_and_back_returns(
    visit: Visit, album: list[Path]
) -> None:
    page = visit()
    search(page, album[0])
    before = names(page)

    page.locator(".card").nth(3).click()
    expect(page.locator(".card")).to_have_count(11)  # all but itself
    after = names(page)
    page.get_by_role("button", name=ENGLISH("search.back")).click()
    expect(page.locator(".card")).to_have_count(12)

    assert before[3] not in after
    assert names(page) == before


def test_the_start_offers_pictures_to_begin_with(visit: Visit, album: list[Path]) -> None:
    page = visit()
    page.wait_for_selector(".card")
    offered = names(page)

    page.locator(".card").first.click()
    page.wait_for_selector(".score")

    assert sorted(offered) == sorted(path.name for path in album)
    assert offered[0] not in names(page)


def test_k_is_how_many_come(visit: Visit, album: list[Path]) -> None:
    page = visit()
    search(page, album[0])
    handle = page.get_by_role("slider")

    for _ in range(9):
        handle.press("ArrowLeft")

    expect(page.locator(".card")).to_have_count(3)


def test_a_picture_can_be_pasted(visit: Visit, album: list[Path]) -> None:
    page = visit()
    page.wait_for_selector("body[data-paste=ready]", state="attached")
    page.get_by_role("slider").press("ArrowLeft")  # another run of the page
    expect(page.get_by_test_id("stSliderThumbValue")).to_have_text("11")
    content = base64.b64encode(album[4].read_bytes()).decode()

    page.evaluate(
        """content => {
            const bytes = Uint8Array.from(atob(content), c => c.charCodeAt(0));
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File([bytes], "image.png", {type: "image/jpeg"}));
            const options = {clipboardData, bubbles: true, cancelable: true};
            document.body.dispatchEvent(new ClipboardEvent("paste", options));
        }""",
        content,
    )
    page.wait_for_selector(".score")

    assert names(page)[0] == album[4].name
    expect(page.get_by_role("button", name=ENGLISH("search.clear"))).to_be_visible()
    expect(page.get_by_role("button", name=ENGLISH("search.back"))).to_have_count(0)  # asked once


def test_a_photograph_can_be_taken(visit: Visit) -> None:
    page = visit(permissions=["camera"])

    page.get_by_text(ENGLISH("search.camera")).click()
    page.locator("[data-testid=stCameraInputButton]:not([disabled])").click()
    page.wait_for_selector(".score")

    assert len(names(page)) == 12


def test_the_language_can_be_switched_and_stays(visit: Visit) -> None:
    page = visit()

    page.get_by_text("中文", exact=True).click()
    expect(page.get_by_text(CHINESE("search.start"))).to_be_visible()
    assert page.url.endswith("?lang=zh")
    page.get_by_role("link", name=CHINESE("page.library")).click()
    expect(page.get_by_text(CHINESE("library.hint"))).to_be_visible()


def test_the_language_can_be_in_the_address(visit: Visit, web: str) -> None:
    page = visit(f"{web}/?lang=zh")

    expect(page.get_by_text(CHINESE("search.start"))).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_by_day_and_by_night(
    visit: Visit, album: list[Path], screenshots: Path, scheme: str
) -> None:
    page = visit(viewport=PHONE, color_scheme=scheme, locale="zh-CN")
    search(page, album[0])

    wide = page.evaluate(
        "Math.max(...['html', '.stMain'].map((e) => document.querySelector(e).scrollWidth))"
    )
    paper = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    page.screenshot(path=screenshots / f"phone-{scheme}.png")
    page.get_by_role("link", name=CHINESE("page.library")).click()
    page.wait_for_selector(".card[aria-pressed]")
    page.screenshot(path=screenshots / f"phone-library-{scheme}.png")

    assert wide <= PHONE["width"]
    brightness = sum(int(each) for each in paper.strip("rgba()").split(",")[:3])
    assert brightness > 700 if scheme == "light" else brightness < 100


def test_pictures_are_added_found_and_removed_in_the_library(
    visit: Visit,
    own_gallery: Path,
    album: list[Path],
    stranger: Path,
    pictures: Path,
    screenshots: Path,
) -> None:
    page = visit()
    page.get_by_role("link", name=ENGLISH("page.library")).click()
    page.wait_for_selector(".card[aria-pressed]")
    text_as = pictures / "nasty" / "generated" / "text_as.jpg"

    page.set_input_files("input[type=file]", [stranger, album[0], text_as])
    page.get_by_role("button", name=ENGLISH("library.add", count=3)).click()
    expect(page.locator(".card")).to_have_count(13)

    messages = page.get_by_test_id("stAlert").all_inner_texts()
    added, known = ENGLISH("library.added", count=1), ENGLISH("library.known", count=1)
    assert messages[0] == f"{added} · {known}"
    assert f"text_as.jpg — {ENGLISH('reason.not-an-image')}" in messages[1]
    assert names(page)[0] == stranger.name  # the newest first
    page.locator(".card").first.click()
    expect(page.get_by_text(ENGLISH("library.selected", count=1))).to_be_visible()
    page.screenshot(path=screenshots / "library.png")

    page.get_by_role("button", name=ENGLISH("library.similar")).click()
    page.wait_for_selector(".score")
    assert stranger.name not in names(page)
    expect(page.get_by_text(stranger.name)).to_be_visible()  # it is the question

    page.get_by_role("link", name=ENGLISH("page.library")).click()
    page.locator(".card[aria-pressed]").first.click()
    page.get_by_role("button", name=ENGLISH("library.remove"), exact=True).click()
    page.get_by_role("dialog").wait_for()
    page.screenshot(path=screenshots / "library-remove.png")
    page.get_by_role("button", name=ENGLISH("library.remove_yes", count=1)).click()
    expect(page.locator(".card")).to_have_count(12)
    assert stranger.name not in names(page)
    assert list((own_gallery / "pictures").rglob("*.jpg")) == []
