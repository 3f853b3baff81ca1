"""Flags, environment and file: which one wins, and what each may say."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from kkcv.cli import main
from kkcv.environment import VARIABLES
from kkcv.errors import RequestError
from kkcv.serve.parameters import NAMES, PARAMETERS, resolve, variable_of
from kkcv.serve.settings import MIB, settings_of


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A TOML file with several settings."""
    path = tmp_path / "there" / "kkcv.toml"
    path.parent.mkdir()
    path.write_text(
        '[serve]\ngallery = "photos.kkcv"\nport = 9000\nmax_body = 8\nquiet = true\n'
        'cors = ["https://a.example", "https://b.example"]\n'
    )
    return path


def test_a_flag_wins_over_the_environment_and_that_over_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KKCV_CONFIG", str(file))
    alone = resolve()
    for name, value in {"SERVE_PORT": "9001", "RATE": "7", "WORKERS": ""}.items():
        monkeypatch.setenv(f"KKCV_{name}", value)
    without_flag, told = resolve(), resolve(["--port", "9002"])

    assert told["port"] == (9002, "--port")
    assert without_flag["port"] == (9001, "KKCV_SERVE_PORT")
    assert alone["port"] == (9000, str(file))
    assert told["rate"] == (7, "KKCV_RATE")
    assert told["host"] == ("127.0.0.1", "default")
    assert told["workers"].source == "default"
    assert alone["cors"].value == ("https://a.example", "https://b.example")
    assert alone["quiet"] == (True, str(file))


def test_a_path_in_the_file_is_beside_the_file(file: Path) -> None:
    named = ["--config", str(file)]

    assert resolve(named)["gallery"].value == (str(file.parent / "photos.kkcv"),)
    file.write_text('[serve]\ngallery = "milvus://host:19530/photos"\n')
    assert resolve(named)["gallery"].value == ("milvus://host:19530/photos",)
    file.write_text('[serve]\ngallery = ["photos.kkcv", "/data/shop.kkcv"]\n')
    both = (str(file.parent / "photos.kkcv"), "/data/shop.kkcv")
    assert resolve(named)["gallery"].value == both
    assert resolve([*named, "x.kkcv"])["gallery"] == (("x.kkcv",), "GALLERY")


def test_without_a_name_it_is_the_file_of_the_current_folder(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)

    assert resolve()["port"] == (9000, "kkcv.toml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[serve]\nprot = 1\n", "no key 'prot'; there are: gallery, host, port, "),
        ("[server]\nport = 1\n", "no table 'server'; there are: serve"),
        ("port = 1\n", "no table 'port'; there are: serve"),
        ("serve = 1\n", r"serve must be a table: \[serve\]"),
        ("[serve\n", "is not TOML: "),
        ('[serve]\nport = "x"\n', r"port in .*kkcv\.toml: 'x' is not a valid integer"),
        ("[serve]\nport = true\n", r"port in .*kkcv\.toml: 'True' is not a valid integer"),
        ("[serve]\nport = [1]\n", r"port in .*kkcv\.toml: '\[1\]' is not a valid integer"),
        ("[serve]\nport = 70000\n", r"kkcv\.toml: 70000 is not in the range 0<=x<=65535"),
        ('[serve]\nquiet = "perhaps"\n', r"quiet in .*: 'perhaps' is not a valid boolean"),
        ("[serve]\nquiet = 3\n", r"quiet in .*: '3' is not a valid boolean"),
        ('[serve]\nlog = "xml"\n', r"log in .*: 'xml' is not one of 'auto', 'json', 'text'"),
        ("[serve]\nhost = 1\n", "host must be text$"),
        ("[serve]\napi_key = 1234\n", "api_key must be text$"),
    ],
)
def test_what_the_file_may_not_say_is_told(file: Path, text: str, message: str) -> None:
    file.write_text(text)

    with pytest.raises(RequestError, match=message):
        resolve(["--config", str(file)])


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"no\.toml cannot be read: No such file"):
        resolve(["--config", str(tmp_path / "no.toml")])


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (["--port", "x"], {}, "invalid value for --port: 'x' is not a valid integer"),
        ([], {"KKCV_TIMEOUT": "0"}, "invalid value for KKCV_TIMEOUT: 0 is not in the range 1<="),
        ([], {"KKCV_CORS": "photos.example"}, "an origin is like https://photos.example, not "),
        (["--trusted-proxy", "nginx"], {}, "a trusted proxy is an address like 127.0.0.1, not "),
        (["--workers", "²"], {}, "invalid value for --workers: '²' is not a valid integer"),
    ],
)
def test_flags_and_environment_are_checked_alike(
    arguments: list[str], environment: dict[str, str], said: str
) -> None:
    result = CliRunner().invoke(main, ["serve", "photos.kkcv", *arguments], env=environment)

    assert result.exit_code == 2
    assert result.stderr.startswith(f"kkcv: {said}")
    assert result.stderr.count("\n") == 1


def test_config_shows_each_value_and_where_it_was_set(file: Path) -> None:
    command = ["config", "--config", str(file), "--rate", "9", "--json"]
    said = {"KKCV_API_KEY": "secret-key", "KKCV_MILVUS_TOKEN": "secret-key"}
    said["KKCV_PRECISION"] = "float32"
    result = CliRunner().invoke(main, command, env=said)
    table = CliRunner().invoke(main, command[:-1], env=said)

    shown = json.loads(result.stdout)
    assert list(shown) == [*NAMES, *VARIABLES]
    assert shown["KKCV_PRECISION"] == {"value": "float32", "from": "KKCV_PRECISION"}
    assert shown["KKCV_MILVUS_TOKEN"] == {"value": "(hidden)", "from": "KKCV_MILVUS_TOKEN"}
    assert shown["rate"] == {"value": 9, "from": "--rate"}
    assert shown["max_body"] == {"value": 8, "from": str(file)}
    assert shown["api_key"] == {"value": "(hidden)", "from": "KKCV_API_KEY"}
    assert "secret-key" not in result.stdout + table.stdout
    assert "https://a.example, https://b.example" in table.stdout


def test_every_option_reaches_the_service(tmp_path: Path) -> None:
    flags = "--max-body 2 --max-megapixels 3 --threads 4 --keys k.json --rate 5 --workers 6"
    flags += " --timeout 7 --recall-check 8 --cors http://a.example:1"

    settings = settings_of(resolve(flags.split()), host="0.0.0.0")

    assert (settings.max_body, settings.max_pixels) == (2 * MIB, 3_000_000)
    assert (settings.concurrent, settings.rate, settings.workers) == (4, 5, 6)
    assert (settings.timeout, settings.recall_check) == (7, 8)
    assert (settings.cors, settings.hosts) == (("http://a.example:1",), None)
    assert settings.needs_key


def test_a_key_that_is_empty_is_not_taken_for_none() -> None:
    with pytest.raises(RequestError, match="--api-key: the key is empty"):
        settings_of(resolve(["--api-key", ""]), host="127.0.0.1")


def test_no_variable_is_one_that_kubernetes_sets() -> None:
    """It sets KKCV_PORT=tcp://… for a service called kkcv."""
    assert not set(map(variable_of, PARAMETERS)) & {"KKCV_PORT", "KKCV_SERVICE_HOST"}
