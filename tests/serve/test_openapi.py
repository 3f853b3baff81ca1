"""The description of the API is true: what it says is what the live service does."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from kkcv.serve.docs.openapi import openapi
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
    assert "security" not in with_key["paths"]["/healthz"]["get"]
    assert with_key["paths"]["/v1/images"]["post"]["description"].endswith("a key that may write.")


def invented(folder: Path, scratch: Path, *options: str) -> str:
    """What schemathesis says: it invents requests from the description, good and bad, and checks
    each answer: no 5xx, no status, content type or schema that is not described, nothing bad
    accepted."""
    with running(folder, "--quiet") as service:
        run = subprocess.run(
            [
                Path(sys.executable).with_name("schemathesis"),
                "run",
                f"{service.address}/openapi.json",
                *("--seed", "1", "--no-color", *options),
                # no description can say "the bytes of a picture": schema_hooks is sharper
                *("--exclude-checks", "positive_data_acceptance"),
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
