"""Fetching model files from servers of all sorts: the right file, or a clear error and no file."""

from __future__ import annotations

import hashlib
import json
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from publishing import (
    Answer,
    Publisher,
    cut,
    cut_range,
    endless,
    endless_redirect,
    half,
    ranged,
    redirect,
    sending,
    slow,
    stall,
    status,
    whole,
)

from ensemble_core.model import Cancelled, CancelToken, ConfigError, MissingError, ModelFile
from ensemble_core.modelfiles import Origin, Store, fetch

DATA = random.Random(7).randbytes(300_000)
SHA256 = hashlib.sha256(DATA).hexdigest()
ORIGIN = Origin(allow_hosts=("127.0.0.1",), timeout=0.4, pause=0.0)


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with Publisher(DATA).running() as running:
        yield running


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "models")


@pytest.fixture(params=["hash published", "no hash published"])
def file(request: pytest.FixtureRequest, publisher: Publisher) -> ModelFile:
    known = SHA256 if request.param == "hash published" else ""
    return ModelFile("net.bin", f"{publisher.base}/release/net", len(DATA), known)


def files(store: Store) -> dict[str, bytes]:
    """What lies in the component's folder, the lock aside."""
    folder = store.folder_of("reader")
    found = {path.name: path for path in folder.glob("*")} if folder.exists() else {}
    return {name: path.read_bytes() for name, path in found.items() if name != ".lock"}


def assert_right(store: Store, file: ModelFile) -> None:
    found = files(store)
    assert found.pop("net.bin") == DATA
    if file.sha256:
        assert found == {}
    else:
        assert json.loads(found.pop("hashes.json")) == {"net.bin": SHA256}
        assert found == {}
    assert store.verify("reader", file) == ("present", SHA256)


GOOD: dict[str, list[Answer]] = {
    "plain": [whole],
    "slow": [slow],
    "breaks off, no ranges": [half, whole],
    "breaks off, ranges": [half, ranged],
    "breaks off thrice": [half, half, half, ranged],
    "stalls once": [stall, whole],
    "500 then fine": [status(500), whole],
    "503 thrice then fine": [status(503), status(503), status(503), whole],
    "429 then fine": [status(429), whole],
    "redirected on the same host": [redirect("/elsewhere"), whole],
    "redirected at length": [endless_redirect, whole],
    "a range nobody asked for": [half, status(416), whole],
    "a shorter answer without length": [lambda h: h.begin(200), whole],
}


@pytest.mark.parametrize("answers", GOOD.values(), ids=GOOD)
def test_the_right_file_arrives(
    publisher: Publisher, store: Store, file: ModelFile, answers: list[Answer]
) -> None:
    publisher.answers = answers
    seen: list[tuple[int, int]] = []
    done = fetch(store, "reader", [file], ORIGIN, on_bytes=lambda *s: seen.append(s))
    assert done == [file]
    assert_right(store, file)
    assert seen[-1] == (len(DATA), len(DATA))
    assert fetch(store, "reader", [file], ORIGIN) == [], "it is not fetched again"


def other(number: int) -> bytes:
    return random.Random(number).randbytes(len(DATA))


BAD: dict[str, tuple[list[Answer], str, str]] = {
    "too short": ([sending(DATA[:-1])], "model-refused", "299999 bytes instead of 300000"),
    "too long": ([sending(DATA + b"x")], "model-refused", "300001 bytes instead of 300000"),
    "endless": ([endless], "model-refused", "more than 300000 bytes"),
    "a web page": ([sending(b"<html>")], "model-refused", "6 bytes instead of 300000"),
    "404": ([status(404)], "model-fetch-failed", "404 Not Found"),
    "403": ([status(403)], "model-fetch-failed", "403 Forbidden"),
    "500 always": ([status(500)], "model-fetch-failed", "500"),
    "always breaks off": ([half], "model-fetch-failed", "broke off"),
    "stalls always": ([stall], "model-fetch-failed", "does not answer in time"),
    "redirects in a circle": ([redirect("/again")], "model-fetch-failed", "10 redirects"),
    "another host": ([redirect("http://localhost:1/x")], "model-refused", "localhost is not"),
    "another scheme": ([redirect("ftp://127.0.0.1/x")], "model-refused", "no web address"),
    "a file of ours": ([redirect("file:///etc/passwd")], "model-refused", "no web address"),
    "nonsense": ([redirect("http://[")], "model-fetch-failed", "no address"),
    "compressed": ([sending(DATA, Content_Encoding="gzip")], "model-fetch-failed", "compresses"),
}


@pytest.mark.parametrize(("answers", "code", "words"), BAD.values(), ids=BAD)
def test_otherwise_it_is_one_line_and_no_file(
    publisher: Publisher, store: Store, file: ModelFile,
    answers: list[Answer], code: str, words: str,
) -> None:  # fmt: skip
    publisher.answers = answers
    with pytest.raises(MissingError) as caught:
        fetch(store, "reader", [file], attrs.evolve(ORIGIN, timeout=0.15))
    assert caught.value.code == code
    assert words in str(caught.value) and "net.bin" in str(caught.value)
    left = files(store)
    assert "net.bin" not in left and "hashes.json" not in left
    assert all(name.endswith((".part", ".tag")) for name in left)
    assert store.glance("reader", file) == "missing"


def test_a_wrong_hash_is_refused(publisher: Publisher, store: Store) -> None:
    file = ModelFile("net.bin", f"{publisher.base}/net", len(DATA), SHA256)
    publisher.answers = [sending(other(1))]
    with pytest.raises(MissingError) as caught:
        fetch(store, "reader", [file], ORIGIN)
    assert caught.value.code == "model-refused" and "SHA-256" in str(caught.value)
    assert files(store) == {}


def test_a_file_that_changes_after_its_first_use_is_refused(
    publisher: Publisher, store: Store
) -> None:
    file = ModelFile("net.bin", f"{publisher.base}/net", len(DATA))
    publisher.answers = [whole, sending(other(2)), whole]
    fetch(store, "reader", [file], ORIGIN)
    store.path("reader", file).unlink()
    with pytest.raises(MissingError, match="not what was there first") as caught:
        fetch(store, "reader", [file], ORIGIN)
    assert "hashes.json" in caught.value.hint
    assert store.glance("reader", file) == "missing"
    fetch(store, "reader", [file], ORIGIN)
    assert_right(store, file)


def test_a_damaged_file_is_replaced(publisher: Publisher, store: Store, file: ModelFile) -> None:
    fetch(store, "reader", [file], ORIGIN)
    store.path("reader", file).write_bytes(other(3))
    assert store.verify("reader", file)[0] == "changed"
    assert fetch(store, "reader", [file], ORIGIN) == [file]
    assert_right(store, file)


def test_what_broke_off_is_gone_on_with(publisher: Publisher, store: Store) -> None:
    file = ModelFile("net.bin", f"{publisher.base}/net", len(DATA), SHA256)
    publisher.answers = [half, ranged]
    fetch(store, "reader", [file], ORIGIN)
    (_, first), (_, second) = publisher.asked
    assert first == ""
    assert 0 < int(second.removeprefix("bytes=").rstrip("-")) <= len(DATA) // 2
    assert_right(store, file)


def test_a_later_fetch_goes_on_where_an_earlier_one_gave_up(
    publisher: Publisher, store: Store
) -> None:
    file = ModelFile("net.bin", f"{publisher.base}/net", len(DATA))
    publisher.etag, publisher.answers = '"v1"', [half]
    with pytest.raises(MissingError):
        fetch(store, "reader", [file], ORIGIN)
    publisher.asked.clear()
    publisher.answers = [ranged]
    fetch(store, "reader", [file], ORIGIN)
    assert publisher.asked[0][1].startswith("bytes=")
    assert_right(store, file)


def test_parts_of_two_versions_are_not_put_together(
    publisher: Publisher, store: Store, file: ModelFile
) -> None:
    publisher.etag, publisher.data, publisher.answers = '"v1"', other(4), [half]
    with pytest.raises(MissingError):
        fetch(store, "reader", [file], ORIGIN)
    publisher.etag, publisher.data, publisher.answers = '"v2"', DATA, [ranged]
    fetch(store, "reader", [file], ORIGIN)
    assert_right(store, file)


def test_a_range_of_another_version_is_not_taken(publisher: Publisher, store: Store) -> None:
    file = ModelFile("net.bin", f"{publisher.base}/net", len(DATA))
    publisher.answers = [cut(other(6), 200_000, ETag='"v0"'), cut_range(len(DATA)), whole]
    fetch(store, "reader", [file], ORIGIN)
    assert_right(store, file)


def test_a_server_that_ignores_what_was_there_before_costs_one_more_try(
    publisher: Publisher, store: Store
) -> None:
    file = ModelFile("net.bin", f"{publisher.base}/net", len(DATA), SHA256)
    publisher.data, publisher.answers = other(5), [half]
    with pytest.raises(MissingError):
        fetch(store, "reader", [file], ORIGIN)
    publisher.data, publisher.answers = DATA, [ranged]
    fetch(store, "reader", [file], ORIGIN)
    assert_right(store, file)


@pytest.mark.parametrize("seed", range(30))
def test_whatever_the_server_does_no_bad_file_stays(
    publisher: Publisher, store: Store, file: ModelFile, seed: int
) -> None:
    chance = random.Random(seed)
    stranger = other(seed + 100)  # another version of the same length

    def any_answer() -> Answer:
        at = chance.randrange(len(DATA))
        kinds: list[Answer] = [
            whole, ranged, ranged, half, cut(DATA, at), cut_range(at), cut_range(at),
            cut(stranger, at), cut(stranger, at, ETag='"v0"'), cut(stranger, at, ETag='W/"v1"'),
            sending(DATA[:at]), status(500), status(404), status(416), redirect("/elsewhere"),
            redirect("http://localhost:1/"), lambda handler: handler.begin(200),
        ]  # fmt: skip
        return chance.choice(kinds)

    publisher.etag = chance.choice(["", '"v1"'])
    for _ in range(6):
        publisher.asked.clear()
        publisher.answers = [any_answer() for _ in range(8)]
        try:
            fetch(store, "reader", [file], ORIGIN)
        except MissingError:
            assert "net.bin" not in files(store) and "hashes.json" not in files(store)
        else:
            assert_right(store, file)
            return


def test_cancelling_ends_a_stalled_transfer(publisher: Publisher, store: Store) -> None:
    file = ModelFile("net.bin", f"{publisher.base}/net", len(DATA), SHA256)
    publisher.answers = [stall]
    cancel, arrived = CancelToken(), threading.Event()

    def watch(done: int, _: int) -> None:
        if done > 100_000:  # 50,000 more come, then nothing
            arrived.set()

    threading.Thread(target=lambda: arrived.wait(10) and cancel.cancel()).start()
    with pytest.raises(Cancelled):
        patient = attrs.evolve(ORIGIN, timeout=25.0)
        fetch(store, "reader", [file], patient, on_bytes=watch, cancel=cancel)
    assert len(publisher.asked) == 1
    publisher.answers = [ranged]
    fetch(store, "reader", [file], ORIGIN)
    assert publisher.asked[1][1] != ""
    assert_right(store, file)


def test_two_at_once_do_no_harm(publisher: Publisher, store: Store, file: ModelFile) -> None:
    publisher.answers = [slow]
    results: list[list[ModelFile]] = []
    work = [
        threading.Thread(
            target=lambda: results.append(fetch(store, "reader", [file], ORIGIN))
        )
        for _ in range(3)
    ]  # fmt: skip
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    assert sorted(map(len, results)) == [0, 0, 1], "one fetched, the others found it there"
    assert len(publisher.asked) == 1
    assert_right(store, file)


def test_a_mirror_replaces_the_publisher(publisher: Publisher, store: Store) -> None:
    file = ModelFile("net.bin", "https://models.example/release/other-name", len(DATA), SHA256)
    origin = Origin(mirror=f"{publisher.base}/mirrored/", timeout=1.0, pause=0.0)
    fetch(store, "reader", [file], origin)
    assert [path for path, _ in publisher.asked] == ["/mirrored/reader/net.bin"]
    assert_right(store, file)


def test_a_mirror_may_be_a_folder(tmp_path: Path, store: Store) -> None:
    file = ModelFile("net.bin", "https://models.example/net", len(DATA), SHA256)
    origin = Origin(mirror=str(tmp_path / "shared"))
    with pytest.raises(MissingError, match="is not there"):
        fetch(store, "reader", [file], origin)
    (tmp_path / "shared" / "reader").mkdir(parents=True)
    (tmp_path / "shared" / "reader" / "net.bin").write_bytes(DATA)
    fetch(store, "reader", [file], origin)
    assert_right(store, file)


def test_a_mirror_does_not_lead_back_to_the_publisher(publisher: Publisher, store: Store) -> None:
    file = ModelFile("net.bin", "https://models.example/net", len(DATA), SHA256)
    publisher.answers = [redirect("https://models.example/net")]
    with pytest.raises(MissingError, match=r"models\.example is not a host"):
        fetch(store, "reader", [file], Origin(mirror=publisher.base, pause=0.0))


@pytest.mark.parametrize("mirror", ["ftp://host/x", "https://", "file:///srv/models"])
def test_a_mirror_that_is_none_is_a_configuration_error(mirror: str) -> None:
    with pytest.raises(ConfigError, match=r"models\.mirror"):
        Origin(mirror=mirror)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://models.example/x", ""),
        ("https://MODELS.example:8443/x", ""),
        ("https://cdn.example/x", ""),
        ("https://mine.example/x", ""),
        ("http://127.0.0.1:80/x", ""),
        ("http://models.example/x", "not encrypted"),
        ("http://mine.example/x", "not encrypted"),
        ("https://models.example.evil.example/x", "is not a host"),
        ("https://models.example@evil.example/x", "evil.example is not a host"),
        ("http://localhost/x", "localhost is not a host"),
        ("//", "no web address"),
    ],
)
def test_hosts(url: str, words: str) -> None:
    file = ModelFile("net.bin", "https://models.example/net", 5, hosts=("cdn.example",))
    origin = Origin(allow_hosts=("127.0.0.1", "mine.example"))
    objection = origin.objection(url, file)
    assert words in objection and bool(words) == bool(objection)


def test_nobody_there_is_one_line(store: Store) -> None:
    file = ModelFile("net.bin", "http://127.0.0.1:1/net", 5)
    with pytest.raises(MissingError, match="refuses the connection"):
        fetch(store, "reader", [file], ORIGIN)
