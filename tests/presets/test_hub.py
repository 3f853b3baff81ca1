"""Weights of presets: from a hub that misbehaves as real ones do, a mirror, a folder, a file."""

import hashlib
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from benchmarks.presets import tokenizer_files
from kkcv.adapters.preset_weights import folder_of, tokenizer_folder, weights_of
from kkcv.checkpoint import resolve
from kkcv.errors import WeightsError
from kkcv.presets.preset import presets
from kkcv.zoo.loading import download

BODY = bytes(range(256)) * 4096
SHA256 = hashlib.sha256(BODY).hexdigest()
DINO, SIGLIP, PE = (presets()[name] for name in ("dinov3-small", "siglip2-base", "pe-core-small"))


class Hub(ThreadingHTTPServer):
    """Has files at ``OWNER/NAME/resolve/main/FILE``, and tells their hashes as the hub does."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.breaks = 0  # how many answers still end in their middle
        self.stalls = False  # and say nothing more, instead of closing
        self.tells = True
        self.lies = False
        self.token = ""  # without which it answers 401; with it, where the file is stored
        self.told_to_storage: str | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        hub, path = self.server, self.path.lstrip("/")
        hub.asked.append(path)
        body = hub.files.get(path.replace("/resolve/main/", "/").removeprefix("storage/"))
        if hub.token and not path.startswith("storage/"):
            if self.headers["Authorization"] != f"Bearer {hub.token}":
                self.send_error(401)
                return
            self.send_response(302)
            self.send_header("Location", f"http://localhost:{hub.server_port}/storage/{path}")
            self.end_headers()
            return
        hub.told_to_storage = self.headers["Authorization"]
        if body is None:
            self.send_error(404)
            return
        start = int((self.headers["Range"] or "bytes=0-").removeprefix("bytes=").rstrip("-"))
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body) - start))
        if hub.tells:
            told = b"another file" if hub.lies else body
            if path.endswith(".json"):
                blob = b"blob %d\0" % len(told) + told
                self.send_header("ETag", f'"{hashlib.sha1(blob).hexdigest()}"')
            else:
                self.send_header("X-Linked-ETag", f'"{hashlib.sha256(told).hexdigest()}"')
        self.end_headers()
        if hub.breaks:
            hub.breaks -= 1
            self.wfile.write(body[start : start + len(body) // 3])
            self.wfile.flush()
            if hub.stalls:
                time.sleep(2)
            return
        self.wfile.write(body[start:])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    server = Hub()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    for name in (
        "KKCV_OFFLINE",
        "HF_HUB_OFFLINE",
        "HF_TOKEN",
        "http_proxy",
        "https_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_ENDPOINT", server.address)
    monkeypatch.setenv("KKCV_CACHE", str(tmp_path / "cache"))
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_weights_come_from_the_mirror_once(hub: Hub) -> None:
    hub.files[f"{DINO.repository}/model.safetensors"] = BODY

    first, second = (resolve("dinov3-small").weights for _ in range(2))

    assert first == second
    assert first.sha256 == SHA256
    assert first.path.read_bytes() == BODY
    assert hub.asked == [f"{DINO.repository}/resolve/main/model.safetensors"]


@pytest.mark.parametrize("stalls", [False, True], ids=["breaks off", "stalls"])
def test_what_a_bad_line_brings_is_gone_on_with(
    hub: Hub, stalls: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "SILENCE", 0.2)
    hub.files[f"{DINO.repository}/model.safetensors"] = BODY
    hub.breaks, hub.stalls = 2, stalls

    found = weights_of(DINO, "imagenet")

    assert found.path.read_bytes() == BODY
    assert len(hub.asked) == 3


def test_what_is_not_what_the_hub_told_never_counts(hub: Hub) -> None:
    hub.files[f"{DINO.repository}/model.safetensors"] = BODY
    hub.lies = True

    with pytest.raises(WeightsError, match=r"cannot be downloaded from timm/vit.*damaged.*--weigh"):
        weights_of(DINO, "imagenet")

    assert not (folder_of(DINO) / "model.safetensors").exists()


def test_a_page_to_log_in_is_never_kept_as_weights(hub: Hub) -> None:
    hub.files[f"{DINO.repository}/model.safetensors"] = b"<!DOCTYPE html><title>Log in</title>"
    hub.tells = False

    with pytest.raises(WeightsError, match="sent a web page in place of the file"):
        weights_of(DINO, "imagenet")

    assert not (folder_of(DINO) / "model.safetensors").exists()


def test_a_mirror_that_tells_no_hash_is_believed_when_the_length_is_right(hub: Hub) -> None:
    hub.files[f"{DINO.repository}/model.safetensors"] = BODY
    hub.tells = False
    hub.breaks = 1

    assert weights_of(DINO, "imagenet").sha256 == SHA256


def test_the_other_name_of_a_file_is_asked_for_where_there_is_no_first(hub: Hub) -> None:
    hub.files[f"{PE.repository}/open_clip_pytorch_model.bin"] = BODY

    assert weights_of(PE, "imagenet").path.name == "open_clip_pytorch_model.bin"
    with pytest.raises(WeightsError, match=r"of siglip2-base cannot be downloaded.*404"):
        weights_of(SIGLIP, "imagenet")


@pytest.mark.parametrize("variable", ["KKCV_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline_nothing_is_asked_for(
    variable: str, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.files[f"{DINO.repository}/model.safetensors"] = BODY
    monkeypatch.setenv(variable, "1")

    with pytest.raises(WeightsError, match=rf"\({variable} is set\)"):
        weights_of(DINO, "imagenet")

    assert hub.asked == []


@pytest.mark.parametrize("mirror", ["hf-mirror.com", "http://", "ftp://mirror", "https://[mirror"])
def test_a_mirror_without_a_right_address_is_said(
    mirror: str, monkeypatch: pytest.MonkeyPatch, hub: Hub
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", mirror)

    with pytest.raises(WeightsError, match=r"is no address; HF_ENDPOINT is like https://hugg"):
        weights_of(DINO, "imagenet")


def test_a_hub_that_wants_a_login_is_told_the_token_and_no_other_host_is(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.files[f"{DINO.repository}/model.safetensors"] = BODY
    hub.token = "hf_secret"

    with pytest.raises(WeightsError, match=r"answers 401 Unauthorized: log in.*set HF_TOKEN"):
        weights_of(DINO, "imagenet")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")

    assert weights_of(DINO, "imagenet").path.read_bytes() == BODY
    assert hub.told_to_storage is None


def test_a_folder_or_a_file_takes_the_place_of_the_hub(hub: Hub, tmp_path: Path) -> None:
    folder = tmp_path / "downloaded"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(BODY)

    for named in (folder, folder / "model.safetensors"):
        found = resolve("dinov3-small", str(named))
        assert found.weights_id == SHA256
        assert found.weights_name == str(folder / "model.safetensors")
    assert hub.asked == []
    with pytest.raises(WeightsError, match=r"holds no open_clip_model\.safetensors or open_clip_"):
        weights_of(PE, str(folder))
    with pytest.raises(WeightsError, match="no weights 'nowhere' for dinov3-small: imagenet"):
        weights_of(DINO, "nowhere")


def test_a_file_that_was_hashed_may_go_for_the_exported_network_does_without(
    hub: Hub, tmp_path: Path
) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(BODY)
    weights_of(DINO, str(file))
    file.unlink()

    assert weights_of(DINO, str(file)).sha256 == SHA256

    hub.files[f"{PE.repository}/open_clip_model.safetensors"] = BODY
    weights_of(PE, "imagenet").path.unlink()
    assert weights_of(PE, "imagenet").sha256 == SHA256


def test_a_file_that_changed_is_hashed_again(hub: Hub, tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(BODY)
    weights_of(DINO, str(file))
    file.write_bytes(BODY[1:])

    assert weights_of(DINO, str(file)).sha256 == hashlib.sha256(BODY[1:]).hexdigest()


def test_the_tokenizer_of_siglip_comes_the_same_way_or_from_beside_the_weights(
    hub: Hub, tmp_path: Path
) -> None:
    from tokenizers import Tokenizer

    from kkcv.adapters.clip_tokenizer import as_json, cleaning_of
    from kkcv.adapters.open_clip import tokenizer_of_preset
    from kkcv.embedding.text_cleaning import CLEANING

    files = tokenizer_files()
    hub.files |= {f"{SIGLIP.repository}/{name}": body for name, body in files.items()}
    text = "A photo of: a red BUS!"

    theirs = tokenizer_of_preset(SIGLIP, None)

    assert theirs([text])[0, :8].tolist() == [3, 6, 7, 3, 4, 5, 1, 0]
    assert theirs([text]).shape == (1, 64)
    ours = Tokenizer.from_str(as_json(theirs))
    assert ours.encode(CLEANING[cleaning_of(theirs)](text)).ids == theirs([text])[0].tolist()
    asked = len(hub.asked)
    assert tokenizer_folder(SIGLIP, None) == folder_of(SIGLIP)
    for name, body in files.items():
        (tmp_path / name).write_bytes(body)
    assert tokenizer_folder(SIGLIP, tmp_path / "weights.safetensors") == tmp_path
    assert hub.asked[asked:] == []
