"""The reference of the HTTP API is made from its description."""

import re

from docs.http_api import markdown
from kkcv.serve.docs.openapi import openapi
from kkcv.serve.problems import KINDS
from kkcv.serve.routes import ROUTES


def test_every_route_model_and_problem_is_on_the_page() -> None:
    page = markdown()

    titles = {line[4:] for line in page.splitlines() if line.startswith("### ")}
    models = openapi(ROUTES, needs_key=True)["components"]["schemas"]
    assert titles == {f"{route.method} {route.path}" for route in ROUTES} | models.keys()
    assert all(f"`/problems/{code}`" in page for code in KINDS)


def test_every_type_that_is_named_is_explained() -> None:
    page = markdown()

    named = set(re.findall(r"\]\(#([^)]+)\)", page))
    titles = {line[4:].lower() for line in page.splitlines() if line.startswith("### ")}

    assert named
    assert named <= titles
