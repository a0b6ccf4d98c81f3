"""Importing model files: from folders and archives, friendly and hostile ones."""

from __future__ import annotations

import gzip
import hashlib
import io
import random
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ensemble_core.model import EnsembleError, InputError, MissingError, ModelFile
from ensemble_core.modelfiles import Store, import_files

DATA = random.Random(8).randbytes(100_000)
FILE = ModelFile(
    "net.bin", "https://models.example/net", len(DATA), hashlib.sha256(DATA).hexdigest(),
    aliases=("big/model.onnx",),
)  # fmt: skip
OTHER = ModelFile("small.bin", "https://models.example/small", 4)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "models")


def folder_of(files: dict[str, bytes], place: Path) -> Path:
    for name, data in files.items():
        path = place / "given" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return place / "given"


def zip_of(files: dict[str, bytes], place: Path) -> Path:
    with zipfile.ZipFile(place / "given.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return place / "given.zip"


def tar_of(files: dict[str, bytes], place: Path, suffix: str = "", mode: str = "w") -> Path:
    path = place / f"given.tar{suffix}"
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def tar_gz_of(files: dict[str, bytes], place: Path) -> Path:
    return tar_of(files, place, ".gz", "w:gz")


def tar_xz_of(files: dict[str, bytes], place: Path) -> Path:
    return tar_of(files, place, ".xz", "w:xz")


MAKERS = [folder_of, zip_of, tar_of, tar_gz_of, tar_xz_of]


@pytest.mark.parametrize("name", ["net.bin", "a/b/net.bin", "oemer/checkpoints/big/model.onnx"])
@pytest.mark.parametrize("make", MAKERS)
def test_a_file_is_found_by_name_or_alias_at_any_depth(
    tmp_path: Path, store: Store, make: Callable[..., Path], name: str
) -> None:
    source = make({"read.me": b"hello", name: DATA, "small/model.onnx": b"no"}, tmp_path)
    assert import_files(store, source, {"reader": [FILE, OTHER]}) == [("reader", FILE)]
    assert store.path("reader", FILE).read_bytes() == DATA
    assert store.verify("reader", FILE)[0] == "present"


def test_a_single_file(tmp_path: Path, store: Store) -> None:
    folder_of({"big/model.onnx": DATA}, tmp_path)
    import_files(store, tmp_path / "given" / "big" / "model.onnx", {"reader": [FILE]})
    assert store.path("reader", FILE).read_bytes() == DATA


def test_a_model_file_that_is_a_zip_itself_is_not_unpacked(tmp_path: Path, store: Store) -> None:
    path = zip_of({"net.bin": b"inner"}, tmp_path).rename(tmp_path / "net.pt")
    file = ModelFile("net.pt", "https://models.example/net", path.stat().st_size)
    import_files(store, path, {"reader": [file]})
    assert store.path("reader", file).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("make", MAKERS)
def test_the_right_one_of_several_is_taken(
    tmp_path: Path, store: Store, make: Callable[..., Path]
) -> None:
    files = {"1/net.bin": DATA[:-1], "2/net.bin": DATA[:-1] + b"?", "3/net.bin": DATA}
    import_files(store, make(files, tmp_path), {"reader": [FILE]})
    assert store.path("reader", FILE).read_bytes() == DATA


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (DATA[:-1], "99999 bytes instead of 100000"),
        (DATA + b"x", "100001 bytes instead of 100000"),
        (DATA[:-1] + bytes([DATA[-1] ^ 1]), "SHA-256"),
    ],
)
def test_a_wrong_file_is_refused(
    tmp_path: Path, store: Store, make: Callable[..., Path], data: bytes, words: str
) -> None:
    with pytest.raises(MissingError) as caught:
        import_files(store, make({"net.bin": data}, tmp_path), {"reader": [FILE]})
    assert caught.value.code == "model-refused" and words in str(caught.value)
    assert left(store) == []


@pytest.mark.parametrize("make", MAKERS)
def test_nothing_fitting_is_said(tmp_path: Path, store: Store, make: Callable[..., Path]) -> None:
    source = make({"else.bin": DATA, "model.onnx": DATA}, tmp_path)
    with pytest.raises(MissingError, match=r"holds none of the model files net\.bin"):
        import_files(store, source, {"reader": [FILE]})


@pytest.mark.parametrize("make", MAKERS[1:])
@pytest.mark.parametrize("name", ["../../net.bin", "/tmp/x/../net.bin", "..\\..\\net.bin"])
def test_no_name_in_an_archive_leads_out_of_the_folder(
    tmp_path: Path, store: Store, make: Callable[..., Path], name: str
) -> None:
    before = {path for path in tmp_path.rglob("*") if store.folder not in path.parents}
    source = make({name: DATA}, tmp_path)
    import_files(store, source, {"reader": [FILE]})
    assert store.path("reader", FILE).read_bytes() == DATA
    now = {path for path in tmp_path.rglob("*") if store.folder not in path.parents}
    assert now - before <= {source, store.folder}


def test_links_and_devices_in_an_archive_are_passed_over(tmp_path: Path, store: Store) -> None:
    path = tmp_path / "links.tar"
    (tmp_path / "secret").write_bytes(DATA)
    with tarfile.open(path, "w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            member = tarfile.TarInfo("net.bin")
            member.type, member.linkname, member.size = kind, str(tmp_path / "secret"), 0
            archive.addfile(member)
    with pytest.raises(MissingError, match="holds none"):
        import_files(store, path, {"reader": [FILE]})


def lying_zip(place: Path) -> Path:
    """An entry that says it has the right size and unpacks to 200 times as much."""
    path = zip_of({"net.bin": b"\0" * (200 * len(DATA))}, place)
    raw = path.read_bytes()
    true, false = (200 * len(DATA)).to_bytes(4, "little"), len(DATA).to_bytes(4, "little")
    assert raw.count(true) == 2
    path.write_bytes(raw.replace(true, false))
    return path


def locked_zip(place: Path) -> Path:
    """An entry that needs a password."""
    path = zip_of({"net.bin": DATA}, place)
    raw = bytearray(path.read_bytes())
    raw[6] |= 1
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    return path


def tar_with_header_bomb(place: Path) -> Path:
    """A name of 3 GB, in a megabyte of gzip: a reader that trusts it runs out of memory."""
    member = tarfile.TarInfo("././@LongLink")
    member.type, member.size = tarfile.GNUTYPE_LONGNAME, 3_000_000_000
    path = place / "bomb.tar.gz"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(member.tobuf(tarfile.GNU_FORMAT))
        for _ in range(40):
            stream.write(b"a" * 1_000_000)
    return path


def cut_off(make: Callable[..., Path]) -> Callable[[Path], Path]:
    def cut(place: Path) -> Path:
        path = make({"net.bin": DATA}, place)
        path.write_bytes(path.read_bytes()[:50_000])
        return path

    return cut


HOSTILE = {
    "lying zip": lying_zip,
    "locked zip": locked_zip,
    "header bomb": tar_with_header_bomb,
    "tar cut off": cut_off(tar_of),
    "tar.gz cut off": cut_off(tar_gz_of),
    "tar.xz cut off": cut_off(tar_xz_of),
    "not there": lambda place: place / "nowhere.zip",
    "noise": lambda place: folder_of({"x.tar.gz": b"\x1f\x8b" + DATA}, place) / "x.tar.gz",
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_or_damaged_source_is_one_line(
    tmp_path: Path, store: Store, make: Callable[[Path], Path]
) -> None:
    with pytest.raises((InputError, MissingError)) as caught:
        import_files(store, make(tmp_path), {"reader": [FILE]})
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400
    assert left(store) == []


def test_a_source_without_permission_is_one_line(tmp_path: Path, store: Store) -> None:
    source = folder_of({"net.bin": DATA}, tmp_path) / "net.bin"
    source.chmod(0)
    try:
        source.read_bytes()
    except PermissionError:
        with pytest.raises(EnsembleError, match="permission"):
            import_files(store, source, {"reader": [FILE]})
    else:
        pytest.skip("this user may read everything")


def test_the_first_import_is_what_later_ones_are_held_to(tmp_path: Path, store: Store) -> None:
    import_files(store, folder_of({"small.bin": b"four"}, tmp_path), {"reader": [OTHER]})
    with pytest.raises(MissingError, match="not what was there first"):
        import_files(store, folder_of({"small.bin": b"five"}, tmp_path), {"reader": [OTHER]})
    assert store.path("reader", OTHER).read_bytes() == b"four"


def left(store: Store) -> list[str]:
    """What lies in the component's folder, the lock aside."""
    found = store.folder_of("reader").glob("*")
    return sorted(path.name for path in found if path.name != ".lock")
