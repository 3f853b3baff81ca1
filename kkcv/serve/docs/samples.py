"""A call of each route with curl and with Python, for the description of the API.

A test runs them all.
"""

from kkcv.serve.routes import Route

ADDRESS = "http://127.0.0.1:8000"  # the page at /docs puts its own there
JSON_BODY = "-H 'Content-Type: application/json' -d"
PICTURE = r"{\"image\": \"$(base64 -w0 cat.jpg)\"}"

# By the name of a route: what follows the address, what follows that, and the method of the client.
SAMPLES: dict[str, tuple[str, str, str]] = {
    "search": ("", "-F image=@cat.jpg -F k=5", 'service.search("cat.jpg", k=5)'),
    "search_like": (
        "",
        JSON_BODY + ' \'{"like": [{"id": 1}, {"id": 2, "weight": -0.5}]}\'',
        "service.search_like([Like(1), Like(2, -0.5)])",
    ),
    "search_text": (
        "",
        JSON_BODY + ' \'{"text": "a red bus"}\'',
        'service.search_text("a red bus")',
    ),
    "search_batch": (
        "",
        JSON_BODY + rf' "{{\"queries\": [{PICTURE}]}}"',
        'service.search_batch(["cat.jpg", "dog.jpg"])',
    ),
    "similar": ("?k=5", "", "service.search_id(1, k=5)"),
    "search_form": ("", "-F image=@cat.jpg -F k=5", ""),
    "explain": (
        "",
        JSON_BODY + ' \'{"query": {"id": 1}, "hit": {"id": 2}}\'',
        "service.explain(1, 2)",
    ),
    "explain_as_picture": (
        "",
        JSON_BODY + ' \'{"query": {"id": 1}, "hit": {"id": 2}}\' -o why.png',
        "service.explanation(1, 2)",
    ),
    "classify": ("", "-F image=@cat.jpg -F lang=en", 'service.classify("cat.jpg")'),
    "add": (
        "",
        '-F image=@cat.jpg -F \'metadata={"title": "Minka"}\'',
        'service.add("cat.jpg", {"title": "Minka"})',
    ),
    "add_batch": (
        "",
        JSON_BODY + rf' "{{\"pictures\": [{PICTURE}]}}"',
        'service.add_many([("cat.jpg", {}), ("dog.jpg", {})])',
    ),
    "list_pictures": ("?limit=100", "", "list(service.pictures())"),
    "get": ("", "", "service.get(1)"),
    "replace": ("", "-F image=@dog.jpg", 'service.replace(1, "dog.jpg")'),
    "describe": (
        "",
        JSON_BODY + ' \'{"metadata": {"title": "Minka"}}\'',
        'service.describe(1, {"title": "Minka"})',
    ),
    "remove": ("", "", "service.remove(1)"),
    "remove_many": ("", JSON_BODY + " '{\"ids\": [5, 6]}'", "service.remove_many([5, 6])"),
    "undo": ("", JSON_BODY + " '{\"ids\": [5, 6]}'", "service.undo([5, 6])"),
    "file": ("", "-o picture", "service.file(1)"),
    "thumbnail": ("?size=256", "-o small.jpg", "service.thumbnail(1, 256)"),
    "find_duplicates": ("?min_score=0.95", "", "service.duplicates(0.95)"),
    "keep_duplicates": ("", JSON_BODY + " '{\"ids\": [1, 2]}'", "service.keep_both([1, 2])"),
    "galleries": ("", "", "service.galleries()"),
    "stats": ("", "", "service.stats()"),
    "model": ("", "", "service.model()"),
    "metrics": ("", "", ""),
    "health": ("", "", ""),
    "ready": ("", "", "service.ready()"),
}


def samples(route: Route, *, needs_key: bool) -> list[dict[str, str]]:
    """The calls as OpenAPI's extension ``x-codeSamples`` has them."""
    query, rest, call = SAMPLES[route.name]
    plain = route.method == "GET" or (rest and route.method == "POST")  # curl finds it by itself
    method = "" if plain else f"-X {route.method}"
    key = needs_key and not route.open
    address = f"'{ADDRESS}{route.path.replace('{id}', '1')}{query}'"
    header = '-H "Authorization: Bearer $KEY"' if key else ""
    words = filter(None, ["curl -s", method, address, header, rest])
    found = [{"lang": "curl", "source": " ".join(words)}]
    if call:
        secret = ', api_key="…"' if key else ""
        lines = ["from kkcv.client import Client"]
        lines += ["from kkcv.query import Like"] if "Like(" in call else []
        lines += ["", f'service = Client("{ADDRESS}"{secret})', call]
        found.append({"lang": "Python", "source": "\n".join(lines)})
    return found
