"""Dockerfile and compose.yaml. Linters read them, and we look at what a linter does not know;
``make image-test`` carries the Dockerfile out."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from kkcv.cli import main
from kkcv.serve.parameters import PARAMETERS, variable_of

from .dockerfile import ROOT, instructions


def tool(name: str) -> Path:
    """A linter beside the Python that runs the tests, or beside the packages that it sees."""
    packages = [Path(path).parents[2] for path in sys.path if path.endswith("site-packages")]
    beside = [Path(sys.executable).parent, *(folder / "bin" for folder in packages)]
    return next(folder / name for folder in beside if (folder / name).exists())


@pytest.fixture
def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


def test_hadolint_has_nothing_to_say() -> None:
    subprocess.run([tool("hadolint"), ROOT / "Dockerfile"], check=True)


def test_the_compose_file_fits_its_schema() -> None:
    command = [tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec"]
    subprocess.run([*command, ROOT / "compose.yaml"], check=True)


def test_it_runs_as_nobody_in_particular_and_says_how_it_is() -> None:
    said = dict(instructions())

    assert said["USER"] == "10001"
    assert "/readyz" in said["HEALTHCHECK"]
    assert said["ENTRYPOINT"] == '["kkcv"]'


def test_what_is_let_in_is_there() -> None:
    let_in = (ROOT / ".dockerignore").read_text().splitlines()

    assert all((ROOT / line.removeprefix("!")).exists() for line in let_in if line[0] == "!")
    assert {"!kkcv", "!pyproject.toml", "!constraints.txt"} <= set(let_in)


def test_every_variable_is_one_that_kkcv_reads(compose: dict[str, Any]) -> None:
    known = set(map(variable_of, PARAMETERS)) | {"KKCV_CACHE", "KKCV_DATA"}
    env = dict(instructions())["ENV"]

    assert {word.split("=")[0] for word in env.split()} <= known
    assert set(compose["x-kkcv"]["environment"]) <= known


def test_every_service_is_a_command_that_is_there(compose: dict[str, Any]) -> None:
    services = compose["services"]

    assert set(services) == {"service", "web", "milvus"}
    for name in ("service", "web"):
        service = services[name]
        command = main.commands[service["command"][0]]
        flags = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in service["command"] if word.startswith("--")} <= flags
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        assert service["cap_drop"] == ["ALL"]
    assert services["milvus"]["profiles"] == ["milvus"]
    assert "healthcheck" in services["milvus"]


def test_no_container_takes_all_memory_or_fills_the_disk_with_its_log(
    compose: dict[str, Any],
) -> None:
    for service in compose["services"].values():
        assert service["mem_limit"]
        assert service["logging"]["options"].keys() == {"max-size", "max-file"}


def test_the_image_installs_no_torch() -> None:
    assert ("ARG", "EXTRAS=heic,web") in list(instructions())
