"""Public files: whole or refused in one sentence, never half-written."""

import hashlib
import http.server
import io
import os
import tarfile
import threading

import numpy as np
import pytest
import sklearn.datasets
from click.testing import CliRunner

from analysis.__main__ import main
from analysis.cache import data_dir
from analysis.data import registry
from analysis.data.images import load_images
from analysis.data.registry import CIFAR10, MNIST, DataError, PublicFile

CONTENT = b"image,answer\n1,2\n" * 50


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("ANALYSIS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ANALYSIS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "data"


@pytest.fixture
def server(monkeypatch):
    """One public file on this machine, its address registered; `served` may be changed by the test."""
    served = {"content": CONTENT, "declared": len(CONTENT)}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(served["declared"]))
            self.end_headers()
            self.wfile.write(served["content"])

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/answers.csv"
    file = PublicFile("demo/answers.csv", url, hashlib.sha256(CONTENT).hexdigest(), len(CONTENT), "MIT", "someone2020")
    monkeypatch.setattr(registry, "registry", lambda: {file.name: file})
    yield served
    server.shutdown()
    server.server_close()


def leftovers(folder):
    return [name for _, _, names in os.walk(folder) for name in names]


def test_a_file_is_downloaded_once_and_checked(folder, server):
    path = registry.public_path("demo/answers.csv")
    assert path.read_bytes() == CONTENT
    server["content"] = b"never asked for again"
    assert registry.public_path("demo/answers.csv") == folder / "demo" / "answers.csv"


def test_a_download_can_be_read_by_whom_the_umask_says(folder, server):
    before = os.umask(0o027)
    try:
        path = registry.public_path("demo/answers.csv")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o640


def test_any_flipped_bit_of_a_download_is_noticed(folder, server):
    path = registry.public_path("demo/answers.csv")
    for place in range(0, 8 * len(CONTENT), 7):
        damaged = bytearray(CONTENT)
        damaged[place // 8] ^= 1 << place % 8
        path.write_bytes(damaged)
        assert registry.public_path("demo/answers.csv").read_bytes() == CONTENT


@pytest.mark.parametrize("content", [CONTENT[:100], CONTENT + b"x", b""])
def test_a_wrong_file_is_refused_and_leaves_nothing(folder, server, content):
    server.update(content=content, declared=len(content))
    with pytest.raises(DataError, match=r"'demo/answers.csv' .* is not the file of the registry"):
        registry.public_path("demo/answers.csv")
    assert leftovers(folder) == []


def test_a_download_that_breaks_off_is_refused_and_leaves_nothing(folder, server):
    server["content"] = CONTENT[:200]
    with pytest.raises(DataError, match="demo/answers.csv"):
        registry.public_path("demo/answers.csv")
    assert leftovers(folder) == []


def test_a_damaged_file_is_replaced(folder, server):
    (folder / "demo").mkdir(parents=True)
    (folder / "demo" / "answers.csv").write_bytes(CONTENT[:50])
    assert registry.public_path("demo/answers.csv").read_bytes() == CONTENT


def test_no_network_says_which_file_how_large_from_where_and_that_the_default_needs_none(folder, server, monkeypatch):
    file = registry.registry()["demo/answers.csv"]
    nowhere = PublicFile(**{**file.__dict__, "url": "http://127.0.0.1:9/answers.csv"})
    monkeypatch.setattr(registry, "registry", lambda: {file.name: nowhere})
    with pytest.raises(DataError) as caught:
        registry.public_path(file.name)
    for part in (file.name, "MB", nowhere.url, "ANALYSIS_DATA", "default profile needs no public file"):
        assert part in str(caught.value)
    assert leftovers(folder) == []


@pytest.mark.parametrize("present", [True, False])
def test_a_read_only_folder_is_named(folder, server, monkeypatch, present):
    (folder / "demo").mkdir(parents=True)
    if present:
        (folder / "demo" / "answers.csv").write_bytes(b"damaged")
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere, whatever the mode says
    with pytest.raises(DataError, match=r"is (damaged|missing), and its folder is read-only"):
        registry.public_path("demo/answers.csv")


def test_an_unknown_file_is_refused():
    with pytest.raises(DataError, match="'demo/nothing.csv' is not in the registry"):
        registry.public_path("demo/nothing.csv")


def test_the_registry_is_complete():
    for file in registry.registry().values():
        assert len(file.sha256) == 64
        assert file.bytes > 0
        assert file.licence
        assert file.cite
        commit = [part for part in file.url.split("/") if len(part) == 40]
        assert commit, f"{file.name} is not pinned to a commit"


def test_fetch_lists_downloads_and_verifies(folder, server):
    listed = CliRunner().invoke(main, ["fetch"])
    assert listed.exit_code == 0
    assert "demo" in listed.output
    assert "someone2020" in listed.output
    fetched = CliRunner().invoke(main, ["fetch", "demo"])
    assert fetched.exit_code == 0, fetched.output
    assert (folder / "demo" / "answers.csv").read_bytes() == CONTENT
    assert "1 of 1" in CliRunner().invoke(main, ["fetch"]).output


def test_fetch_refuses_an_unknown_dataset_and_reports_a_failure(folder, server):
    unknown = CliRunner().invoke(main, ["fetch", "dmo"])
    assert (unknown.exit_code, "did you mean 'demo'" in unknown.output) == (2, True)
    server.update(content=b"wrong", declared=5)
    failed = CliRunner().invoke(main, ["fetch", "demo"])
    assert (failed.exit_code, "not the file of the registry" in failed.output) == (1, True)


@pytest.mark.parametrize(("name", "read"), [(MNIST, registry.read_mnist), (CIFAR10, registry.read_cifar10)])
def test_damaged_images_are_refused(folder, name, read):
    path = folder / name
    path.parent.mkdir(parents=True)
    np.savez(path, x=np.zeros((2, 28, 28), np.uint8), y=np.zeros(2, np.uint8))
    with pytest.raises(DataError, match=r"damaged \(SHA-256 of 'x'"):
        read(path)
    path.write_bytes(b"no archive")
    with pytest.raises(DataError, match="cannot be read"):
        read(path)


def test_mnist_without_file_and_network_is_refused_in_one_sentence(folder, monkeypatch):
    monkeypatch.setattr(sklearn.datasets, "fetch_openml", lambda *_, **__: (_ for _ in ()).throw(OSError("no network")))
    with pytest.raises(DataError, match="images 'digits' need no download"):
        load_images("mnist")


def _register(monkeypatch, name, x, y):
    hashes = {"x": x.astype(np.uint8), "y": y.astype(np.uint8)}
    digests = {key: hashlib.sha256(array.tobytes()).hexdigest() for key, array in hashes.items()}
    monkeypatch.setitem(registry._CONTENT, name, digests)


def test_mnist_from_openml_is_checked_and_kept(folder, monkeypatch, tmp_path):
    x, y = np.arange(2 * 784, dtype=float).reshape(2, 784) % 256, np.array(["3", "7"])
    bunch = type("Bunch", (), {"data": x, "target": y})
    monkeypatch.setattr(sklearn.datasets, "fetch_openml", lambda *_, **__: bunch)
    with pytest.raises(DataError, match="damaged"):
        registry.mnist_path()
    assert leftovers(tmp_path / "cache") == []
    _register(monkeypatch, MNIST, x, y)
    path = registry.mnist_path()
    assert path == tmp_path / "cache" / "mnist" / "mnist_784.npz"
    assert registry.read_mnist(path)[1].tolist() == [3, 7]
    assert leftovers(tmp_path / "cache") == ["mnist_784.npz"]
    content = path.read_bytes()
    for place in range(0, 8 * len(content), 61):
        damaged = bytearray(content)
        damaged[place // 8] ^= 1 << place % 8
        path.write_bytes(damaged)
        assert registry.read_mnist(path)[1].tolist() == [3, 7], "what we made ourselves is made anew"


def _archive(member: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as files:
        info = tarfile.TarInfo(member)
        info.size = len(content)
        files.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def test_cifar10_of_the_official_archive_is_checked_and_kept(folder, server, monkeypatch, tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (3, 32, 32, 3), np.uint8), np.array([3, 8, 0], np.uint8)
    records = np.column_stack([y, x.transpose(0, 3, 1, 2).reshape(3, -1)])
    content = _archive("cifar-10-batches-bin/test_batch.bin", records.tobytes())
    server.update(content=content, declared=len(content))
    monkeypatch.setattr(registry, "_CIFAR10_URL", registry.registry()["demo/answers.csv"].url)
    with pytest.raises(DataError, match="The download is damaged"):
        registry.cifar10_path()
    _register(monkeypatch, CIFAR10, x, y)
    fetched = CliRunner().invoke(main, ["fetch", "cifar10"])
    assert fetched.exit_code == 0, fetched.output
    path = registry.cifar10_path()
    np.testing.assert_array_equal(registry.read_cifar10(path)[0], x)
    server["content"] = b"never asked for again"
    assert registry.cifar10_path() == path
    assert leftovers(tmp_path / "cache") == ["cifar10_test.npz"]


@pytest.mark.parametrize(
    "content",
    [b"no archive", _archive("something/else.bin", b"12"), _archive("x", b"")[:30]],
    ids=["no archive", "another", "cut off"],  # its bytes hold the time: workers would collect different tests
)
def test_a_cifar10_download_that_is_something_else_is_refused_and_leaves_nothing(
    folder, server, monkeypatch, tmp_path, content
):
    server.update(content=content, declared=len(content))
    monkeypatch.setattr(registry, "_CIFAR10_URL", registry.registry()["demo/answers.csv"].url)
    with pytest.raises(DataError, match="could not be downloaded .* images 'digits' need no download"):
        registry.cifar10_path()
    assert leftovers(tmp_path / "cache") == []


@pytest.mark.public_data
def test_the_mirror_is_whole():
    if not os.environ.get("ANALYSIS_DATA"):
        pytest.skip("ANALYSIS_DATA is not set")
    assert data_dir().is_dir()
    assert [file.name for file in registry.registry().values() if not file.is_whole()] == []
    images = load_images("mnist")
    assert (len(images), images.size, images.n_classes) == (70_000, 28, 10)
    x, y = registry.read_cifar10(registry.cifar10_path())
    assert (x.shape, np.bincount(y).tolist()) == ((10_000, 32, 32, 3), [1000] * 10)
