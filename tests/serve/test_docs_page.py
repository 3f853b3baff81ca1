"""The page at /docs, in a real browser: it needs no network and its forms work."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kkcv.serve.routes import ROUTES

from .conftest import Running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


@pytest.fixture
def page(chromium: "Browser", service: Running) -> Iterator["Page"]:
    """The page, drawn; it asked nobody but the service, and nothing was reported as an error."""
    page = chromium.new_page()
    asked: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.goto(f"{service.address}/docs")
    page.wait_for_selector("details")
    yield page
    assert [url for url in asked if not url.startswith((service.address, "data:", "blob:"))] == []
    assert errors == []
    page.close()


def test_every_route_is_shown(page: "Page") -> None:
    shown = {
        (each.locator(".method").inner_text(), each.locator("code").inner_text())
        for each in page.locator("details > summary").all()
    }

    assert shown == {(route.method, route.path) for route in ROUTES}


def test_a_search_can_be_tried_with_a_file(page: "Page", album: list[Path]) -> None:
    page.click("#search summary")
    page.set_input_files("#search input[type=file]", album[7])
    page.click("#search button")

    answer = page.locator("#search .answer pre").inner_text()

    assert page.locator("#search .answer .good").inner_text() == "200 application/json"
    assert answer.index(album[7].name) < answer.index(album[6].name)


def test_a_thumbnail_is_shown_as_a_picture(page: "Page") -> None:
    page.click("#thumbnail summary")
    page.click("#thumbnail button")
    picture = page.locator("#thumbnail .answer img")
    picture.wait_for()

    page.wait_for_function("image => image.naturalWidth > 0", arg=picture.element_handle())
