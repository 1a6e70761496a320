"""Writing whole files where the disk, the rights and the system fail for real; the library."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from archgen import files
from archgen.errors import ArchError

OLD = "the old text\n"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a disk of 64 KiB."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this machine does not let a test mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a checkout with three specs and something that is none."""
    monkeypatch.setattr(files, "_PACKAGE", tmp_path / "archgen")
    folder = tmp_path / "specs"
    folder.mkdir()
    for name in ("resnet50.yaml", "resnet56.yaml", "dpn131.yaml", "README.md", "Not-A-Name.yaml"):
        (folder / name).write_text("name: x\n")
    (tmp_path / "secret.yaml").write_text("name: secret\n")
    return folder


def refusal(path: str | Path, content: str | bytes = "new") -> ArchError:
    with pytest.raises(ArchError) as caught:
        files.write_whole(path, content)
    assert caught.value.file == str(path)
    assert "\n" not in str(caught.value)
    return caught.value


def inside(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def not_found(name: str) -> ArchError:
    with pytest.raises(ArchError) as caught:
        files.find("specs", name)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("content", ["caf\u00e9\n", b"\x00\xff", "", "a\r\nb\n"])
def test_the_content_is_written_as_it_is(tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "net.yaml"
    for _ in range(2):
        files.write_whole(path, content)
        assert path.read_bytes() == (content if isinstance(content, bytes) else content.encode())
    assert inside(tmp_path) == ["net.yaml"]


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_a_new_file_has_the_mode_that_open_gives(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        files.write_whole(tmp_path / "ours", "x")
        (tmp_path / "theirs").write_text("x")
    finally:
        os.umask(before)
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "theirs").stat().st_mode


def test_an_existing_file_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(OLD)
    path.chmod(0o640)
    files.write_whole(path, "new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_link_still_points_where_it_did(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(OLD)
    (tmp_path / "folder").mkdir()
    link = tmp_path / "folder" / "link.yaml"
    link.symlink_to("../net.yaml")
    files.write_whole(link, "new")
    assert link.is_symlink()
    assert path.read_text() == "new"


def test_a_full_disk_keeps_the_old_file(small_disk: Path) -> None:
    path = small_disk / "net.yaml"
    path.write_text(OLD)
    assert refusal(path, "x" * 200_000).message == "cannot write: no space left on device"
    assert path.read_text() == OLD
    assert inside(small_disk) == ["net.yaml"]
    files.write_whole(path, "new")
    assert path.read_text() == "new"


def test_a_read_only_disk_keeps_the_old_file(small_disk: Path) -> None:
    path = small_disk / "net.yaml"
    path.write_text(OLD)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    for target in (path, small_disk / "new.yaml"):
        assert refusal(target).message == "cannot write: read-only file system"
    assert path.read_text() == OLD
    assert inside(small_disk) == ["net.yaml"]


LIMITED = """
import resource, sys
from archgen import files
from archgen.errors import ArchError
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    files.write_whole(sys.argv[1], "x" * 5000)
except ArchError as error:
    print(error)
"""


def test_a_limit_of_the_system_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(OLD)
    command = [sys.executable, "-c", LIMITED, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout == f"{path}: cannot write: file too large\n"
    assert path.read_text() == OLD
    assert inside(tmp_path) == ["net.yaml"]


def test_an_interruption_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(OLD)

    def interrupt(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        files.write_whole(path, "new")
    assert path.read_text() == OLD
    assert inside(tmp_path) == ["net.yaml"]


def test_what_is_no_file_stays_what_it_is(tmp_path: Path) -> None:
    assert refusal(tmp_path).message == "cannot write: is a directory"
    assert refusal("").message == "cannot write: is a directory"
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    assert refusal(fifo).message == "cannot write: not a regular file"
    assert refusal("/dev/null").message == "cannot write: not a regular file"
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    assert inside(tmp_path) == ["fifo"]


def test_a_path_that_cannot_be_is_refused(tmp_path: Path) -> None:
    missing = tmp_path / "none" / "net.yaml"
    assert refusal(missing).message == f"cannot write: there is no folder {missing.parent}"
    assert "not a directory" in refusal("/dev/null/net.yaml").message
    assert "file name too long" in refusal(tmp_path / ("x" * 300)).message
    assert "null" in refusal("a\0b").message
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert "symbolic link" in refusal(loop).message


def test_a_name_of_the_greatest_length_is_written(tmp_path: Path) -> None:
    files.write_whole(tmp_path / ("x" * 255), "new")
    assert (tmp_path / ("x" * 255)).read_text() == "new"


def test_a_text_that_is_no_unicode_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(OLD)
    assert "surrogates not allowed" in refusal(path, "\udcff").message
    assert path.read_text() == OLD


UNPRIVILEGED = """
import os, sys
from archgen import files
from archgen.errors import ArchError
if os.geteuid() == 0:
    os.setuid(65534)
for path in sys.argv[1:]:
    try:
        files.write_whole(path, "new")
    except ArchError as error:
        print(error.message)
"""


def test_a_file_or_folder_without_permission_stays() -> None:
    # Not in tmp_path: nobody but its owner may enter pytest's folder.
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o777)
        closed = folder / "closed"
        closed.mkdir(0o555)
        guarded = folder / "guarded.yaml"
        guarded.write_text(OLD)
        guarded.chmod(0o444)
        command = [sys.executable, "-c", UNPRIVILEGED, str(guarded), str(closed / "net.yaml")]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        assert done.stdout == "cannot write: permission denied\n" * 2
        assert guarded.read_text() == OLD
        assert not inside(closed)
        assert inside(folder) == ["closed", "guarded.yaml"]


def test_the_library_of_an_installed_package_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_PACKAGE", tmp_path / "archgen")
    assert files.library("specs") == tmp_path / "specs"
    (tmp_path / "archgen" / "specs").mkdir(parents=True)
    assert files.library("specs") == tmp_path / "archgen" / "specs"
    assert files.library("studies") == tmp_path / "studies"


@pytest.mark.parametrize("kind", ["specs", "studies", "app"])
def test_the_library_of_this_checkout_is_there(kind: Literal["specs", "studies", "app"]) -> None:
    assert files.library(kind).is_dir()


def test_names_are_sorted_and_only_what_find_takes(shelf: Path) -> None:
    assert files.names("specs") == ["dpn131", "resnet50", "resnet56"]
    assert files.names("studies") == []
    for name in files.names("specs"):
        assert files.find("specs", name) == shelf / f"{name}.yaml"


def test_a_path_is_taken_as_it_is(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shelf)
    assert files.find("specs", "resnet50.yaml") == Path("resnet50.yaml")
    assert files.find("specs", "./README.md") == Path("README.md")
    assert files.find("specs", "../secret.yaml") == Path("../secret.yaml")


def test_an_unknown_name_is_told_the_nearest_and_how_many_there_are(shelf: Path) -> None:
    error = not_found("ResNet5")
    assert error.message.startswith("no spec 'ResNet5' in the library; did you mean 'resnet5")
    assert "'resnet50'" in error.message
    assert "'resnet56'" in error.message
    assert "dpn131" not in error.message
    assert "archgen list shows all 3" in error.message


@pytest.mark.parametrize("name", ["", "..", ".", "Not-A-Name", "a\0b", "a\nb", "~", "-x", "secret"])
def test_a_name_never_leaves_the_library(shelf: Path, name: str) -> None:
    assert f"no spec {name!r} in the library" in not_found(name).message


def test_a_missing_path_is_told_the_folder_and_what_is_near(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shelf)
    error = not_found("../specs/resnet5.yaml")
    assert error.file == "../specs/resnet5.yaml"
    assert error.message.startswith(f"no such file in {shelf}; did you mean 'resnet5")
    monkeypatch.chdir(shelf.parent)
    error = not_found("resnet50.yaml")
    assert error.message.startswith(f"no such file in {shelf.parent}")
    assert "'resnet50' alone is the spec in the library" in error.message


def test_a_path_that_cannot_be_read_is_refused(shelf: Path) -> None:
    missing = shelf / "none" / "net.yaml"
    assert f"there is no folder {missing.parent}" in not_found(str(missing)).message
    assert "a directory, expected a YAML file" in not_found(f"{shelf}/").message
    assert "there is no folder" in not_found(f"{shelf}/README.md/net.yaml").message
    assert "null" in not_found("a/\0.yaml").message
    assert "file name too long" in not_found("x" * 300 + ".yaml").message


@pytest.mark.parametrize("name", ["a" * 101, "a" * 5000])
def test_a_name_longer_than_any_file_is_no_spec(name: str) -> None:
    with pytest.raises(ArchError, match=r"^no spec 'aaa"):
        files.find("specs", name)
