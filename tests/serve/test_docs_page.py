"""The page at /docs, in a real browser: it needs no network and its forms work."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kkcv.hit import FIELDS
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
        for each in page.locator("main > details > summary").all()
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


def test_each_call_has_an_example_answer_and_how_to_make_it(page: "Page", service: Running) -> None:
    page.click("#search summary >> nth=0")

    curl, python = page.locator("#search > .sample").all_inner_texts()
    answer = page.locator("#search > .example").inner_text()

    assert curl == f"curl -s '{service.address}/v1/search' -F image=@cat.jpg -F k=5"
    assert f'service = Client("{service.address}")' in python
    assert set(json.loads(answer)["hits"][0]) == set(FIELDS)


def test_every_object_can_be_opened_to_its_fields(page: "Page") -> None:
    page.click("#search_like summary >> nth=0")
    page.click("#search_like .inner > summary:has-text('LikePicture') >> nth=0")

    assert "weight" in page.locator("#search_like .inner[open] table").first.inner_text()
