"""The Flask application, made from the table of routes."""

import json
import logging
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, g, request
from pydantic import BaseModel
from pydantic_core import PydanticSerializationError
from werkzeug.exceptions import HTTPException

from kkcv.deadline import within
from kkcv.errors import PictureError
from kkcv.images.limits import at_most_together
from kkcv.images.reducing import LARGE
from kkcv.machine import give_back_memory
from kkcv.search.picture import LARGEST_ID
from kkcv.timing import timed

from .access import invite, is_preflight
from .docs.openapi import openapi
from .docs.page import describe_problem, docs_file, docs_page
from .keys import READ
from .metrics import Metrics, Seen
from .models.faults import shown
from .models.fields import MAX_FIELDS
from .models.parsing import is_picture, must_be_read, read_body, read_picture, read_query
from .prefix import Prefix
from .problems import Problem, http_problem, problem_of
from .routes import ROUTES, Route
from .service import Service

# of the largest size, whose pixels one request may have decoded; large JPEGs count at an eighth
PICTURES_TOGETHER = 4
# printable and short: it goes into logs and headers
REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
log = logging.getLogger("kkcv.serve")


def create_app(service: Service) -> Flask:
    """A WSGI application that serves a gallery, and the others of ``service.named``."""
    app = Flask("kkcv.serve", static_folder=None)  # else Flask serves files of a folder
    app.config["MAX_FORM_PARTS"] = MAX_FIELDS
    app.url_map.merge_slashes = False  # an address with a slash too many is wrong, not redirected
    open_endpoints = {route.name for route in ROUTES if route.open}
    scopes = {route.name: route.scope for route in ROUTES}
    document = openapi(ROUTES, service.named, needs_key=service.settings.needs_key)

    for route in ROUTES:
        answer = view(service, route)
        for rule in route.rules:
            app.add_url_rule(rule, route.name, answer, methods=[route.method])
    for path, page in pages_of(document).items():
        app.add_url_rule(path, path, page)
        open_endpoints.add(path)

    @app.before_request
    def begin() -> None:
        g.started = time.perf_counter()
        g.request_id = request_id(request.headers.get("X-Request-Id", ""))
        open = request.endpoint in open_endpoints
        invited = bool(service.settings.cors) and is_preflight(request)
        limit = service.settings.max_body
        # of a form too, whose fields Flask keeps to 500 KB: a picture may be one, in base64
        request.max_content_length = request.max_form_memory_size = limit
        scope = None if open or invited else scopes.get(request.endpoint or "", READ)
        g.key = service.access.check(request, scope)
        if not open:
            service.enter()
            g.inside = True

    @app.after_request
    def finish(answer: Response) -> Response:
        answer.headers["X-Request-Id"] = g.request_id
        answer.headers["X-Content-Type-Options"] = "nosniff"
        invite(request, answer, service.settings.cors)
        record(service.metrics, answer)
        return answer

    @app.teardown_request
    def leave(error: BaseException | None) -> None:
        if g.pop("inside", False):
            service.leave()

    app.register_error_handler(Exception, answer_error)
    app.wsgi_app = Prefix(app.wsgi_app, lambda: service.settings)  # type: ignore[assignment, method-assign]
    return app


def pages_of(document: dict[str, Any]) -> dict[str, Callable[..., Any]]:
    """The addresses that describe the API, all of them open, and their views."""

    def description() -> Response:
        whole = {**document, "servers": [{"url": request.script_root or "/"}]}
        return Response(json.dumps(whole), content_type="application/json")

    return {
        "/": lambda: Response(status=302, headers={"Location": "docs"}),  # also below a prefix
        "/openapi.json": description,
        "/docs": docs_page,
        "/docs/docs.<any(js, css):kind>": docs_file,
        "/problems/<code>": describe_problem,
    }


def request_id(sent: str) -> str:
    """The id that the client sent, if it is safe in a log, else a new one."""
    return sent if REQUEST_ID.fullmatch(sent) else uuid.uuid4().hex[:16]


def view(service: Service, route: Route) -> Callable[..., Response]:
    """The view function of a route: checks the request, calls the handler, makes the response."""

    body, query, media = route.body, route.query, route.media

    def answer(gallery: str | None = None, **arguments: Any) -> Response:
        asked = service if gallery is None else service.of(gallery)
        if "id" in arguments:
            arguments["id"] = known_id(arguments["id"])
        if body is not None:
            must_be_read(request, media)
        if body is not None and is_picture(request, media):
            arguments["body"] = read_picture(request, body)
        elif query is not None:
            parameters = read_query(request, query, body)
            if query.model_fields:
                arguments["query"] = parameters
        if body is not None and "body" not in arguments:
            arguments["body"] = read_body(request, body, media)
        most = PICTURES_TOGETHER * service.settings.max_pixels
        with within(service.settings.timeout), timed() as g.stages, at_most_together(most) as spent:
            try:
                return respond(route.handler(asked, **arguments))
            finally:
                if spent.pixels > LARGE:
                    give_back_memory()

    return answer


def known_id(text: str) -> int:
    """The picture id in an address (Problem)."""
    # int() also takes signs, spaces and digits of other scripts
    digits = text.isascii() and text.isdecimal() and len(text) <= len(str(LARGEST_ID))
    if not digits or not 1 <= int(text) <= LARGEST_ID:
        raise Problem("unknown-picture", f"no picture can have the id {shown(text)!r}")
    return int(text)


def respond(result: Any) -> Response:
    """A model as JSON, alone or with status and headers; None as 204; a response as it is."""
    if isinstance(result, Response):
        return result
    if result is None:
        answer = Response(status=204)
        del answer.headers["Content-Type"]  # there is no content
        return answer
    content, status, headers = result if isinstance(result, tuple) else (result, 200, {})
    assert isinstance(content, BaseModel)
    try:
        text = content.model_dump_json(exclude_unset=True)  # without fields that nobody asked for
    except PydanticSerializationError:  # a path that is not UTF-8: in ASCII, as the shell has it
        text = json.dumps(content.model_dump(mode="json", exclude_unset=True))
    return Response(text, status, headers, content_type="application/json")


def answer_error(error: Exception) -> Response:
    """Any exception as problem+json."""
    headers = {}
    if isinstance(error, HTTPException):
        problem = http_problem(error, request.max_content_length or 0)
        given = error.get_response().headers
        headers = {name: given[name] for name in ("Allow", "Content-Range") if name in given}
    else:
        problem = problem_of(error, "image" if isinstance(error, PictureError) else None)
    g.problem = problem.code
    if problem.code == "internal":
        fields = {"request_id": g.get("request_id"), "path": request.path}
        log.error(
            "request %s failed", g.get("request_id"), exc_info=error, extra={"fields": fields}
        )
    if request.path == "/search":  # clients of the first demo read these fields
        problem.extra.update(code=problem.status, message=problem.detail, data=[])
    answer = problem.response()
    answer.headers.update(headers)
    return answer


def record(metrics: Metrics, answer: Response) -> None:
    """Log the request and count it."""
    seconds = time.perf_counter() - g.started
    stages: dict[str, float] = g.get("stages", {})
    metrics.count(Seen(request.endpoint, answer.status_code, seconds, stages))
    fields: dict[str, Any] = {
        "request_id": g.request_id,
        "method": request.method,
        "path": request.path,
        "status": answer.status_code,
        "ms": round(1000 * seconds, 1),
        "stages_ms": {name: round(1000 * each, 1) for name, each in stages.items()},
    }
    if "problem" in g:
        fields["problem"] = g.problem
    if key := g.get("key"):
        fields["key"] = key.name
    log.info(
        "%s %s %s %d %.0f ms",
        g.request_id,
        request.method,
        request.path,
        answer.status_code,
        1000 * seconds,
        extra={"fields": fields},
    )
