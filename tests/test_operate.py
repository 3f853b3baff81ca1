"""docs/howto/operate.md: its files are right, and what they start works behind the proxy."""

import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.serve.conftest import as_base64, running

PAGE = (Path(__file__).parents[1] / "docs" / "howto" / "operate.md").read_text(encoding="utf-8")
FILES = {
    Path(path).name: text
    for path, text in re.findall(r'^```\w+ title="(/etc/[^"]+)"\n(.*?)^```', PAGE, re.M | re.S)
}


def needed(program: str) -> str:
    """The program of another package, which not every machine has."""
    if (found := shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")) is None:
        pytest.skip(f"{program} is not installed")
    return found


def run(*command: str | Path) -> str:
    """The output of a command, which must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units, with programs that are there."""
    for name, text in FILES.items():
        if name.startswith("kkcv") and name.endswith((".service", ".socket", ".timer")):
            text = text.replace("/opt/kkcv/bin/kkcv", shutil.which("true") or "/bin/true")
            (tmp_path / name).write_text(text)
    return tmp_path


def test_the_units_are_right_and_as_closed_as_the_page_says(units: Path) -> None:
    analyze = needed("systemd-analyze")

    said = run(analyze, "verify", *sorted(units.glob("kkcv*")))
    security = run(analyze, "security", "--offline=true", units / "kkcv.service")

    assert "kkcv" not in said
    exposure = re.search(r"Overall exposure level for kkcv.service: ([\d.]+)", security)
    assert exposure is not None
    assert f"gives an exposure of {exposure[1]} " in PAGE


def test_what_the_units_run_are_commands(units: Path) -> None:
    from click.testing import CliRunner

    from kkcv.cli import main

    lines = re.findall(r"/opt/kkcv/bin/kkcv (\w+) ([^\n']*)", "\n".join(FILES.values()))
    assert {command for command, _ in lines} == {"serve", "backup"}
    for command, options in lines:
        help = CliRunner().invoke(main, [command, "--help"]).output
        assert all(option in help for option in re.findall(r"--[\w-]+", options))


def test_a_backup_of_the_timer_can_be_restored(made_gallery: Path, tmp_path: Path) -> None:
    (line,) = re.findall(r"^ExecStart=/bin/sh -c '(.*)'$", FILES["kkcv-backup.service"], re.M)
    command = line.replace("%%", "%").replace("/opt/kkcv/bin/kkcv", f"{sys.executable} -m kkcv")
    command = command.replace("/srv/kkcv/photos.kkcv", str(made_gallery))
    (tmp_path / "backups").mkdir()

    run("/bin/sh", "-c", command.replace("/srv/kkcv", str(tmp_path)))

    (backup,) = (tmp_path / "backups").glob("photos-*.zip")
    run(sys.executable, "-m", "kkcv", "restore", backup, tmp_path / "again.kkcv")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    key, file = tmp_path / "photos.example.key", tmp_path / "photos.example.pem"
    run(
        needed("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        "-subj", "/CN=photos.example", "-addext", "subjectAltName=DNS:photos.example",
        "-keyout", key, "-out", file,
    )  # fmt: skip
    return file


def wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.1)
        else:
            return


@contextmanager
def nginx(folder: Path, upstream: int) -> Iterator[int]:
    """nginx with the file of the page, in front of a port; the port where it listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    site = FILES["kkcv.conf"].replace("listen 443", f"listen 127.0.0.1:{port}")
    site = site.replace("127.0.0.1:8000", f"127.0.0.1:{upstream}").replace("/etc/ssl", str(folder))
    (folder / "site.conf").write_text(site)
    places = "".join(
        f"{name}_temp_path {folder / name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = folder / "nginx.conf"
    main.write_text(
        f"user root; daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}\n"
        f"http {{ access_log off; {places} include {folder}/site.conf; }}\n"
    )
    run(needed("nginx"), "-t", "-c", main)
    with subprocess.Popen([needed("nginx"), "-c", main]) as process:
        try:
            yield port
        finally:
            process.terminate()


def test_behind_nginx_large_pictures_arrive_and_addresses_have_the_prefix(
    made_gallery: Path, tmp_path: Path, certificate: Path, album: list[Path]
) -> None:
    trusted = ssl.create_default_context(cafile=str(certificate))
    with (
        running(made_gallery, "--trusted-proxy", "127.0.0.1", "--insecure") as service,
        nginx(tmp_path, service.port) as port,
        httpx.Client(verify=trusted, timeout=60, trust_env=False) as client,
    ):
        base = f"https://127.0.0.1:{port}"
        named: dict[str, Any] = {
            "headers": {"Host": "photos.example"},
            "extensions": {"sni_hostname": "photos.example"},
        }
        wait_for(port)
        ready = client.get(f"{base}/kkcv/readyz", **named)
        body = {"image": as_base64(album[0]) + "\n" * 2_000_000, "k": 1}
        found = client.post(f"{base}/kkcv/v1/search", json=body, **named)
        page = client.get(f"{base}/kkcv/docs", **named)
        file = client.get(base + found.json()["hits"][0]["url"], **named)

    assert ready.status_code == 200
    assert found.json()["hits"][0]["url"].startswith("/kkcv/v1/images/")
    assert file.content == album[0].read_bytes()
    assert 'src="docs/docs.js"' in page.text


def test_the_file_of_caddy_is_right(tmp_path: Path) -> None:
    (tmp_path / "Caddyfile").write_text(FILES["Caddyfile"])

    file = tmp_path / "Caddyfile"
    said = run(needed("caddy"), "validate", "--config", file, "--adapter", "caddyfile")

    assert "Valid configuration" in said


def test_the_rules_of_prometheus_are_right_and_name_figures_that_there_are(tmp_path: Path) -> None:
    from kkcv.serve.metrics import Metrics

    rules = FILES["kkcv.rules.yml"]
    (tmp_path / "kkcv.rules.yml").write_text(rules)
    (tmp_path / "kkcv.key").write_text("key")
    (tmp_path / "prometheus.yml").write_text(
        FILES["prometheus.yml"].replace("/etc/prometheus", str(tmp_path))
    )
    metrics = Metrics()
    known = {sample.name for family in metrics.registry.collect() for sample in family.samples}
    known |= {family.name for family in metrics.registry.collect()}
    known |= {f"{name}{end}" for name in known for end in ("_total", "_bucket")}

    assert set(re.findall(r"\bkkcv_\w+", rules)) <= known
    run(needed("promtool"), "check", "config", tmp_path / "prometheus.yml")
