"""The compiled hashes: built, found, trusted or not, tested before use."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.signing import build, native


@pytest.fixture
def build_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "compiled"
    monkeypatch.setattr(build, "folders", lambda: iter([folder]))
    return folder


def compile_source(source: Path, target: Path) -> Path:
    compiler = next((name for name in ("cc", "gcc", "clang") if shutil.which(name)), None)
    if compiler is None:
        pytest.skip("no C compiler")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(target), str(source)], check=True)
    return target


class TestBuild:
    def test_it_compiles_once(self, build_folder: Path) -> None:
        try:
            path = build.build()
        except build.BuildFailed as failure:
            pytest.skip(str(failure))
        assert path.parent == build_folder
        made = path.stat().st_mtime_ns
        assert build.build() == path
        assert path.stat().st_mtime_ns == made
        assert [entry.name for entry in build_folder.iterdir()] == [path.name]
        native.NativeHashes(path)

    def test_no_compiler_is_no_failure(
        self,
        build_folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.delenv("CC", raising=False)
        monkeypatch.setenv("PATH", str(build_folder))
        assert build.main() == 0
        assert "no C compiler found" in capsys.readouterr().err

    def test_a_compiler_that_fails_is_named(
        self,
        build_folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setenv("CC", "false")
        assert build.main() == 0
        assert "false failed" in capsys.readouterr().err
        assert list(build_folder.iterdir()) == []

    def test_a_compiler_that_hangs_is_stopped(
        self, build_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        compiler = tmp_path / "hanging-compiler"
        compiler.write_text("#!/bin/sh\nexec sleep 60\n")
        compiler.chmod(0o755)
        monkeypatch.setenv("CC", str(compiler))
        monkeypatch.setattr(build, "_TIMEOUT_SECONDS", 0.2)
        with pytest.raises(build.BuildFailed, match="did not finish"):
            build.build()
        assert list(build_folder.iterdir()) == []

    def test_a_service_account_without_a_home_has_one_place_only(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def no_home() -> Path:
            raise RuntimeError("no home")

        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
        monkeypatch.setattr(Path, "home", no_home)
        assert list(build.folders()) == [build.SOURCE.parent / "_compiled"]

    def test_a_folder_that_cannot_be_written_is_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        blocked = tmp_path / "file"
        blocked.write_text("")
        monkeypatch.setattr(build, "folders", lambda: iter([blocked / "below"]))
        monkeypatch.setenv("CC", "true")
        with pytest.raises(build.BuildFailed, match="Not a directory"):
            build.build()

    def test_the_command_says_where_the_file_is(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "infra.signing.build"],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(build.__file__).parents[2],
        )
        assert done.stdout.startswith("Compiled hashes:") or "stay in Python" in done.stderr

    def test_the_user_s_cache_is_the_second_place(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        assert list(build.folders())[1] == tmp_path / "fiscal-ledger"
        monkeypatch.delenv("XDG_CACHE_HOME")
        monkeypatch.setenv("HOME", str(tmp_path))
        assert list(build.folders())[1] == tmp_path / ".cache" / "fiscal-ledger"


class TestTrust:
    @pytest.mark.parametrize("place", ["file", "folder"])
    def test_a_file_others_may_write_is_not_loaded(self, build_folder: Path, place: str) -> None:
        build_folder.mkdir(mode=0o755)
        path = build_folder / build.library_name()
        path.write_bytes(b"")
        path.chmod(0o755)
        assert build.find_library() == path
        (path if place == "file" else build_folder).chmod(0o777)
        assert build.find_library() is None

    @pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
    def test_a_file_of_another_user_is_not_loaded(self, build_folder: Path) -> None:
        build_folder.mkdir(mode=0o755)
        path = build_folder / build.library_name()
        path.write_bytes(b"")
        os.chown(path, 12345, -1)
        assert build.find_library() is None


@pytest.fixture
def fresh_load() -> Iterator[None]:
    native._loaded.cache_clear()
    yield
    native._loaded.cache_clear()


class TestLoading:
    def test_a_file_that_is_no_library_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "damaged.so"
        path.write_bytes(b"damaged")
        with pytest.raises(native.NativeFault, match="cannot be loaded"):
            native.NativeHashes(path)

    def test_a_library_without_the_functions_is_refused(self, tmp_path: Path) -> None:
        source = tmp_path / "empty.c"
        source.write_text("int nothing;\n")
        path = compile_source(source, tmp_path / "empty.so")
        with pytest.raises(native.NativeFault, match="is missing"):
            native.NativeHashes(path)

    def test_a_library_that_miscalculates_is_refused(self, tmp_path: Path) -> None:
        source = tmp_path / "wrong.c"
        source.write_text(build.SOURCE.read_text().replace("gost_psi(s, 61);", "gost_psi(s, 60);"))
        path = compile_source(source, tmp_path / "wrong.so")
        with pytest.raises(native.NativeFault, match="wrong answer"):
            native.NativeHashes(path)

    @pytest.mark.usefixtures("fresh_load", "build_folder")
    def test_without_a_file_python_stands_in_and_says_so(self) -> None:
        assert native.hashes() is None
        assert "not compiled" in native.description()

    @pytest.mark.usefixtures("fresh_load")
    def test_a_damaged_file_is_passed_over_with_the_reason(self, build_folder: Path) -> None:
        build_folder.mkdir(mode=0o755)
        (build_folder / build.library_name()).write_bytes(b"damaged")
        (build_folder / build.library_name()).chmod(0o755)
        assert native.hashes() is None
        assert "cannot be loaded" in native.description()

    @pytest.mark.usefixtures("fresh_load", "compiled_hashes")
    def test_a_built_file_is_used(self) -> None:
        assert native.hashes() is not None
        assert native.description() == "compiled C"
