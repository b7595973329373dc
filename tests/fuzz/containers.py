"""Coverage-guided fuzzing of key files: `python -m tests.fuzz.containers CORPUS [-max_total_time=60]`.

Feeds `open_container` with what atheris makes of the corpus (a folder of sample key files, passwords are
guessed from a short list so that encrypted parts are reached). Anything but keys or a `KeyFileError` is
a crash, and so is a file that takes more than ten seconds. Needs the dependency group `fuzz`.
"""

import sys

import atheris  # type: ignore[import-untyped,import-not-found,unused-ignore]

with atheris.instrument_imports(include=["infra.signing"]):
    from infra.signing.containers import open_container
    from infra.signing.containers.errors import KeyFileError

PASSWORDS = ("", "password", "testpassword", "1111111111", "12345677", "123456")


def one_input(data: bytes) -> None:
    """Open one file; its first octet chooses the password."""
    password = PASSWORDS[data[0] % len(PASSWORDS)] if data else ""
    try:
        container = open_container(data[1:], password)
    except KeyFileError:
        return
    assert container.keys


def main() -> None:
    """Run until a crash or until atheris's own limits are reached."""
    atheris.Setup([*sys.argv, "-timeout=10", "-max_len=65536"], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
