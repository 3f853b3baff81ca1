"""The interactive page at ``/docs``, drawn from ``/openapi.json``, and the page of each problem.

Nothing is loaded from other sites.
"""

import json
from pathlib import Path

from flask import Response

from kkcv.serve.problems import KINDS, Problem

FOLDER = Path(__file__).parent
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>kkcv HTTP API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/docs.css">
<main id="docs"><p>…</p></main>
<script src="docs/docs.js"></script>
</html>
"""
# `data:` and `blob:` are for pictures in responses.
POLICY = "default-src 'self'; img-src 'self' data: blob:; frame-ancestors 'none'; base-uri 'none'"


def docs_page() -> Response:
    return Response(PAGE, mimetype="text/html", headers={"Content-Security-Policy": POLICY})


def docs_file(kind: str) -> Response:
    """The script or the style sheet of the page."""
    mimetype = {"js": "text/javascript", "css": "text/css"}[kind]
    return Response((FOLDER / f"docs.{kind}").read_bytes(), mimetype=mimetype)


def describe_problem(code: str) -> Response:
    """The resource that the ``type`` of a problem points to."""
    if code not in KINDS:
        raise Problem("not-found", "there is no such kind of problem")
    kind = KINDS[code]
    document = {"type": f"/problems/{code}", "title": kind.title, "status": kind.status}
    return Response(json.dumps(document), content_type="application/json")
