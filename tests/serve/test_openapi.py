"""The description of the API is true: what it says is what the live service does."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from kkcv.serve.docs.openapi import openapi
from kkcv.serve.keys import add_key
from kkcv.serve.routes import ROUTES

from .conftest import running


def test_every_route_is_described_with_all_that_it_can_answer(http: httpx.Client) -> None:
    document = http.get("/openapi.json").json()

    described = {
        (method.upper(), path) for path, methods in document["paths"].items() for method in methods
    }
    assert document["openapi"] == "3.1.0"
    assert described == {(route.method, route.path) for route in ROUTES}
    for methods in document["paths"].values():
        for operation in methods.values():
            assert operation["summary"].endswith((".", "?")) is False
            assert {"421", "500"} < set(operation["responses"])


def test_a_service_with_a_key_says_so() -> None:
    without, with_key = (openapi(ROUTES, needs_key=each) for each in (False, True))

    assert "securitySchemes" not in without["components"]
    assert with_key["paths"]["/v1/search"]["post"]["security"] == [{"bearer": []}, {"header": []}]
    assert "401" in with_key["paths"]["/v1/search"]["post"]["responses"]
    # a key for /metrics alone reads nothing else
    assert "403" in with_key["paths"]["/v1/stats"]["get"]["responses"]
    assert "403" not in with_key["paths"]["/metrics"]["get"]["responses"]
    assert "security" not in with_key["paths"]["/healthz"]["get"]
    assert with_key["paths"]["/v1/images"]["post"]["description"].endswith("a key that may write.")


def invented(
    folder: Path,
    scratch: Path,
    *options: str,
    serve: tuple[str, ...] = (),
    without: tuple[str, ...] = (),
) -> str:
    """The output of schemathesis, which invents requests from the description and checks each
    answer: no 5xx, no status, content type or schema that is not described, nothing bad
    accepted."""
    prefix = serve[serve.index("--base-path") + 1] if "--base-path" in serve else ""
    with running(folder, "--quiet", *serve) as service:
        run = subprocess.run(
            [
                Path(sys.executable).with_name("schemathesis"),
                "run",
                f"{service.address}{prefix}/openapi.json",
                *(("--url", f"{service.address}{prefix}") if prefix else ()),
                *("--seed", "1", "--no-color", *options),
                # no description can say "the bytes of a picture": schema_hooks is sharper
                *("--exclude-checks", ",".join(["positive_data_acceptance", *without])),
            ],
            capture_output=True,
            text=True,
            timeout=600,
            cwd=scratch,
            env={
                **os.environ,
                "SCHEMATHESIS_HOOKS": "schema_hooks",
                "PYTHONPATH": str(Path(__file__).parent),
            },
        )
    assert run.returncode == 0, run.stdout[-5000:] + run.stderr[-2000:]
    return run.stdout


def test_some_invented_requests_find_no_untruth(folder: Path, tmp_path: Path) -> None:
    """Without what starts a process for the network."""
    quick = ("--phases", "fuzzing", "--max-examples", "3")

    said = invented(folder, tmp_path, *quick, "--exclude-path-regex", "explain|classify")

    assert " passed" in said


@pytest.mark.slow
def test_a_thousand_invented_requests_find_no_untruth(folder: Path, tmp_path: Path) -> None:
    said = invented(folder, tmp_path, "--max-examples", "5")

    assert f"Tested: {len(ROUTES)}" in said


@pytest.mark.slow
def test_invented_requests_find_no_untruth_over_two_galleries_a_key_and_a_prefix(
    folder: Path, tmp_path: Path
) -> None:
    second = shutil.copytree(folder, tmp_path / "shop.kkcv")
    keys = tmp_path / "keys.json"
    token = add_key(keys, "writer", "write", 0)
    serve = (str(second), "--base-path", "/kkcv", "--keys", str(keys))
    quick = ("--phases", "fuzzing", "--max-examples", "3")
    quick += ("-H", f"X-API-Key: {token}", "-H", f"Authorization: Bearer {token}")

    said = invented(
        folder,
        tmp_path,
        *quick,
        *("--exclude-path-regex", "explain|classify"),
        serve=serve,
        # Our key is in every request; and 413 for too many fields is not known as a refusal.
        without=("ignored_auth", "negative_data_rejection"),
    )

    assert " passed" in said
