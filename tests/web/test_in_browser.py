"""The pages of search and library in a real browser: what a person does, and sees."""

import base64
from pathlib import Path

import pytest
from playwright.sync_api import expect

from kkcv.images.limits import DEFAULT_LIMITS
from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures
from kkcv.web.strings import Strings

from .conftest import (
    CHINESE,
    ENGLISH,
    Visit,
    act,
    click_card,
    names,
    running,
    search,
    select_card,
    settle,
)

pytestmark = pytest.mark.browser

BOTH = [("en-US", ENGLISH), pytest.param("zh-CN", CHINESE, marks=pytest.mark.slow)]
PHONE = {"width": 390, "height": 844}


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
    visit: Visit, pictures: Path, tmp_path: Path, screenshots: Path, locale: str, text: Strings
) -> None:
    page = visit(locale=locale)

    page.set_input_files("input[type=file]", pictures / "nasty" / "generated" / "text_as.jpg")

    message = page.get_by_test_id("stAlert")
    expect(message).to_have_text(f"text_as.jpg — {text('reason.not-an-image')}")
    assert page.get_by_test_id("stException").count() == 0
    with (tmp_path / "large.jpg").open("wb") as large:
        large.truncate(DEFAULT_LIMITS.max_bytes + 1)
    page.set_input_files("input[type=file]", tmp_path / "large.jpg")
    failed = page.get_by_test_id("stFileChipIconError")
    chips = page.get_by_test_id("stFileChips").filter(has=failed)
    told = chips.evaluate("each => getComputedStyle(each, '::after').content")
    assert told == f'"{text("widget.refused", megabytes=DEFAULT_LIMITS.max_bytes >> 20)}"'
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

    act(page, 0, ENGLISH("page.large"))
    expect(page.locator("[role=dialog] img")).to_be_visible()
    expect(page.get_by_role("dialog")).to_contain_text(str(album[0]))
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")

    click_card(page, 3)
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

    click_card(page)
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
    expect(page.get_by_test_id("stSliderThumbValue").first).to_have_text("11")
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
    video = page.locator("[data-testid=stCameraInput] video")
    expect(video).to_have_js_property("readyState", 4)  # before, there is nothing to take
    settle(page)
    page.locator("[data-testid=stCameraInputButton]:not([disabled])").click()
    page.wait_for_selector(".score")

    expect(page.get_by_text(ENGLISH("search.photo"), exact=True)).to_be_visible()
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
    touch = {"has_touch": True, "is_mobile": True}
    page = visit(viewport=PHONE, color_scheme=scheme, locale="zh-CN", **touch)
    search(page, album[0])
    cell, actions = (page.locator(each).first.bounding_box() for each in (".cell", ".actions"))
    assert cell
    assert actions
    assert cell["x"] <= actions["x"]  # all of them on their own picture
    assert actions["x"] + actions["width"] <= cell["x"] + cell["width"]

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
    expect(page.get_by_test_id("stAlert")).to_have_count(2)

    messages = page.get_by_test_id("stAlert").all_inner_texts()
    added, known = ENGLISH("library.added", count=1), ENGLISH("library.known", count=1)
    assert messages[0] == f"{added} · {known}"
    assert f"text_as.jpg — {ENGLISH('reason.not-an-image')}" in messages[1]
    assert names(page)[0] == stranger.name  # the newest first
    select_card(page)
    expect(page.get_by_text(ENGLISH("library.selected", count=1))).to_be_visible()
    page.screenshot(path=screenshots / "library.png")

    page.get_by_role("button", name=ENGLISH("library.similar")).click()
    page.wait_for_selector(".score")
    assert stranger.name not in names(page)
    expect(page.get_by_text(stranger.name)).to_be_visible()  # it is the question

    page.get_by_role("link", name=ENGLISH("page.library")).click()
    select_card(page)
    remove = page.get_by_role("button", name=ENGLISH("library.remove"), exact=True)
    remove.click()
    expect(page.locator(".card")).to_have_count(12)
    assert stranger.name not in names(page)
    page.screenshot(path=screenshots / "library-removed.png")

    page.get_by_role("button", name=ENGLISH("library.undo")).click()
    expect(page.locator(".card")).to_have_count(13)
    settle(page)
    assert names(page)[0] == stranger.name
    expect(page.locator(".card[aria-pressed=true]")).to_have_count(0)
    expect(remove).to_have_count(0)
    select_card(page)
    remove.click()
    expect(page.locator(".card")).to_have_count(12)

    settle(page)
    box = page.locator(".card").nth(1).bounding_box()
    assert box
    page.mouse.move(box["x"] + 40, box["y"] + 40)
    page.mouse.down()
    page.locator(".card").nth(2).evaluate("card => card.click()")
    expect(page.get_by_text(ENGLISH("library.selected", count=1))).to_be_visible()
    settle(page)
    page.mouse.up()  # of a click during which the page was drawn again
    expect(page.get_by_text(ENGLISH("library.selected", count=2))).to_be_visible()


@pytest.mark.parametrize(("locale", "text"), BOTH)
def test_a_part_of_the_picture_can_be_searched_with(
    visit: Visit, album: list[Path], screenshots: Path, locale: str, text: Strings
) -> None:
    page = visit(locale=locale)
    search(page, album[0])
    before = page.locator(".score").first.inner_text()
    page.locator(".crop img").evaluate("image => image.decode()")  # only then has it a size
    box = page.locator(".crop img").bounding_box()
    assert box

    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.95 * box["width"], box["y"] + 0.95 * box["height"], steps=3)
    page.mouse.up()
    page.get_by_role("button", name=text("search.whole")).wait_for()
    expect(page.locator(".score").first).not_to_have_text(before)
    page.screenshot(path=screenshots / f"crop-{locale}.png")

    page.get_by_role("button", name=text("search.whole")).click()
    expect(page.locator(".score").first).to_have_text(before)


def test_an_answer_can_be_steered(visit: Visit, album: list[Path], screenshots: Path) -> None:
    page = visit()
    search(page, album[0])
    last, first = names(page)[-1], names(page)[0]

    act(page, -1, ENGLISH("search.more_like"))
    expect(page.locator(".wishes")).to_have_count(1)
    expect(page.locator(".card")).to_have_count(11)
    settle(page)
    page.screenshot(path=screenshots / "steered.png")

    assert last not in names(page)
    assert names(page)[0] != first
    act(page, 0, ENGLISH("search.less_like"))
    expect(page.locator(".wishes")).to_have_count(2)

    act(page, 0, ENGLISH("explain.title"))
    page.locator("[role=dialog] img.warm").nth(1).wait_for()


@pytest.mark.parametrize(("locale", "text"), BOTH)
def test_two_galleries_answer_side_by_side(
    visit: Visit, album: list[Path], screenshots: Path, locale: str, text: Strings
) -> None:
    page = visit(locale=locale)
    search(page, album[0])

    page.get_by_text(text("compare.toggle")).click()
    expect(page.get_by_text(text("compare.both", count=8, total=12))).to_be_visible()
    expect(page.locator(".card")).to_have_count(20)
    page.screenshot(path=screenshots / f"compare-{locale}.png")
    page.locator(".caption").first.evaluate("caption => caption.style.height = '10rem'")
    first, second = (page.locator(".card img").nth(n).bounding_box() for n in (0, 1))
    assert first
    assert second
    assert first["y"] == second["y"]  # a long caption pushes no neighbor down

    assert page.locator(".badge").first.inner_text() == text("compare.place", place=1)
    assert page.locator(".badge").count() == 16
    page.get_by_text(text("compare.toggle")).click()
    expect(page.locator(".card")).to_have_count(12)


@pytest.mark.slow
@pytest.mark.parametrize(("locale", "text"), [("en-US", ENGLISH), ("zh-CN", CHINESE)])
def test_it_shows_what_made_two_pictures_match(
    visit: Visit, album: list[Path], screenshots: Path, locale: str, text: Strings
) -> None:
    page = visit(locale=locale)
    search(page, album[0])

    act(page, 1, text("explain.title"))
    page.locator("[role=dialog] img.warm").nth(1).wait_for()
    page.screenshot(path=screenshots / f"explain-{locale}.png")

    score = page.locator(".score").nth(1).inner_text()
    said = page.get_by_role("dialog").inner_text()
    assert score[:4] in said


def test_metadata_is_written_in_a_dialog_and_can_be_filtered_by(
    visit: Visit, own_gallery: Path, screenshots: Path
) -> None:
    page = visit()
    page.get_by_role("link", name=ENGLISH("page.library")).click()
    select_card(page, 2)
    name = names(page)[2]

    page.get_by_role("button", name=ENGLISH("library.edit")).click()
    page.get_by_label(ENGLISH("edit.name")).first.fill("label")
    page.get_by_label(ENGLISH("edit.value")).first.fill("anchor")
    page.get_by_label(ENGLISH("edit.value")).first.press("Tab")
    settle(page)
    page.screenshot(path=screenshots / "edit.png")
    page.get_by_role("button", name=ENGLISH("edit.save")).click()
    page.get_by_role("dialog").wait_for(state="detached")
    settle(page)
    where = page.get_by_label(ENGLISH("option.where"), exact=True)
    where.fill('label == "anchor"')
    where.press("Enter")

    expect(page.locator(".card")).to_have_count(1)
    assert names(page) == [name]
    with Gallery.open(own_gallery) as gallery:
        (described,) = gallery.page(2, where='label == "anchor"')
        gallery.describe(described.id, {})


def test_what_others_change_meanwhile_stays_and_what_they_remove_is_told(
    visit: Visit, own_gallery: Path
) -> None:
    page = visit()
    page.get_by_role("link", name=ENGLISH("page.library")).click()
    select_card(page, 4)
    edit = page.get_by_role("button", name=ENGLISH("library.edit"))
    edit.click()
    page.get_by_placeholder(ENGLISH("edit.name")).first.fill("mood")
    page.get_by_label(ENGLISH("edit.value")).first.fill("calm")
    page.get_by_label(ENGLISH("edit.value")).first.press("Tab")
    settle(page)

    with Gallery.open(own_gallery) as other:
        id = [picture.id for picture in other.page(12, newest=True)][4]
        other.describe(id, {"year": 2024})
        page.get_by_role("button", name=ENGLISH("edit.save")).click()
        page.get_by_role("dialog").wait_for(state="detached")
        assert other.get(id).metadata == {"year": 2024, "mood": "calm"}

        edit.click()
        save = page.get_by_role("button", name=ENGLISH("edit.save"))
        save.wait_for()
        settle(page)
        other.remove([id], at_least=1)
        save.click()
        expect(page.get_by_role("dialog")).to_contain_text(ENGLISH("page.gone"))
        page.keyboard.press("Escape")
        page.get_by_role("button", name=ENGLISH("library.remove"), exact=True).click()
        expect(page.get_by_test_id("stToast")).to_contain_text(ENGLISH("page.gone"))
        other.undo()
        other.describe(id, {})


@pytest.mark.parametrize(("locale", "text"), BOTH)
def test_duplicates_and_statistics_are_shown(
    visit: Visit, screenshots: Path, locale: str, text: Strings
) -> None:
    page = visit(locale=locale, viewport={"width": 1280, "height": 1500})
    page.get_by_role("link", name=text("page.library")).click()

    page.get_by_text(text("library.duplicates"), exact=True).click()
    page.get_by_role("button", name=text("duplicates.look")).click()
    page.locator(".card").first.wait_for()
    page.screenshot(path=screenshots / f"duplicates-{locale}.png")

    page.get_by_text(text("library.statistics"), exact=True).click()
    page.locator("circle").first.wait_for()
    expect(page.locator("circle")).to_have_count(12)
    expect(page.locator(".vega-embed canvas, .vega-embed svg")).to_have_count(2)
    page.locator("circle").first.hover()
    page.locator(".map .card img").wait_for()
    page.screenshot(path=screenshots / f"statistics-{locale}.png")
    page.locator("circle").first.click()
    page.wait_for_selector(".score")  # it has become the question


@pytest.mark.parametrize(("locale", "text"), BOTH)
def test_hits_end_in_a_line_and_strangers_are_told(
    visit: Visit, pictures: Path, tmp_path: Path, screenshots: Path, locale: str, text: Strings
) -> None:
    kinds = sorted(kind for kind in (pictures / "imagenette").iterdir() if kind.is_dir())
    with Gallery.create(tmp_path / "gallery") as gallery:
        import_pictures(gallery, [p for kind in kinds for p in sorted(kind.iterdir())[:8]])
    stranger = min((pictures / "digits" / "mnist_png").rglob("*.png"))
    there = sorted(kinds[0].iterdir())[8]

    with running(tmp_path / "gallery") as address:
        page = visit(address, locale=locale)
        search(page, stranger)
        expect(page.get_by_text(text("search.unlike"))).to_be_visible()
        assert page.locator(".beyond").count() == page.locator(".card").count()
        page.screenshot(path=screenshots / f"nothing-{locale}.png")

        search(page, there)
        expect(page.get_by_text(text("search.unlike"))).to_have_count(0)
        expect(page.locator(".note").first).not_to_contain_text(text("likeness.none"))
        expect(page.get_by_text(text("search.divider"))).to_be_visible()
        assert 0 < page.locator(".beyond").count() < page.locator(".card").count()
        assert text("likeness.likely") in " ".join(page.locator(".note").all_inner_texts())
        page.screenshot(path=screenshots / f"divider-{locale}.png")

        page.get_by_role("link", name=text("page.library")).click()
        expect(page.locator(".card[aria-pressed]")).to_have_count(60)
        first = names(page)
        settle(page)
        page.get_by_role("button", name=text("library.after")).click()  # at the end of the page
        expect(page.locator(".card")).to_have_count(20)
        page.wait_for_function("document.querySelector('[data-testid=stMain]').scrollTop === 0")
        assert not set(first) & set(names(page))
        assert "page=2" in page.url
        settle(page)
        page.get_by_role("button", name=text("library.before")).click()
        expect(page.locator(".card")).to_have_count(60)
        assert names(page) == first
        page.close()  # before its service ends
