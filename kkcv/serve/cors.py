"""Web pages of other sites: none may call, but those of the origins that the owner lists (CORS)."""

from flask import Request, Response

METHODS = "GET, POST, PUT, PATCH, DELETE"
HEADERS = "Authorization, X-API-Key, Content-Type, X-Request-Id"
EXPOSED = "X-Request-Id, Retry-After, Location, ETag"
MAX_AGE = "600"


def is_preflight(request: Request) -> bool:
    """A browser asks, without a key, whether its page may call."""
    return request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers


def invite(request: Request, answer: Response, origins: tuple[str, ...]) -> None:
    """Tell the browser that this page may read the answer, if it is of a listed origin."""
    if not origins:
        return
    answer.headers.add("Vary", "Origin")
    if request.headers.get("Origin") not in origins:
        return
    answer.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
    answer.headers["Access-Control-Expose-Headers"] = EXPOSED
    if is_preflight(request):
        answer.headers["Access-Control-Allow-Methods"] = METHODS
        answer.headers["Access-Control-Allow-Headers"] = HEADERS
        answer.headers["Access-Control-Max-Age"] = MAX_AGE
