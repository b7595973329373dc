"""OpenSSL judges our messages, certificates and time-stamps, and we judge what it signs."""

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from infra.signing import cms, timestamp
from infra.signing.development import DevelopmentKeyStore, Holder, KeyPurpose
from infra.signing.suites import ECDSA_P256

CONTENT = bytes(range(256)) * 12


@pytest.fixture(scope="module")
def openssl() -> str:
    found = shutil.which("openssl")
    if found is None:
        pytest.skip("the openssl program is not installed")
    return found


@pytest.fixture(scope="module")
def keys_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="module")
def store(keys_folder: Path) -> DevelopmentKeyStore:
    return DevelopmentKeyStore(keys_folder)


@pytest.fixture
def folder(tmp_path: Path, store: DevelopmentKeyStore) -> Path:
    """A folder with the authority's certificate as `ca.pem` and a stamped message with its parts."""
    authority = x509.load_der_x509_certificate(store.authority_certificate.raw)
    (tmp_path / "ca.pem").write_bytes(authority.public_bytes(Encoding.PEM))
    cashier = store.ensure("cashier", Holder("Касир", personal_code="1234567890"))
    signed = cms.sign(CONTENT, signer=cashier.signer, signing_time=datetime.now(UTC))
    key = store.ensure("tsa", Holder("TSP"), purpose=KeyPurpose.TIMESTAMPS)
    authority_ = timestamp.TimestampAuthority(key.signer, clock=lambda: datetime.now(UTC))
    signature = cms.parse(signed).signer.signature
    answer = authority_.answer(timestamp.build_request(signature, suite=ECDSA_P256, nonce=77))
    token = timestamp.token_of_response(answer)
    files = {
        "signed.p7": signed,
        "stamped.p7": cms.with_timestamp(signed, token),
        "signature": signature,
        "answer.tsr": answer,
        "token": token,
        "content": CONTENT,
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def run(openssl: str, folder: Path, *arguments: str) -> bytes:
    done = subprocess.run([openssl, *arguments], cwd=folder, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


VERIFY = ("cms", "-verify", "-inform", "DER", "-CAfile", "ca.pem", "-purpose", "any", "-binary")


class TestOpenSsl:
    @pytest.mark.parametrize("name", ["signed.p7", "stamped.p7"])
    def test_it_verifies_our_messages(self, openssl: str, folder: Path, name: str) -> None:
        assert run(openssl, folder, *VERIFY, "-cades", "-in", name) == CONTENT

    def test_it_refuses_a_changed_message(self, openssl: str, folder: Path) -> None:
        data = (folder / "signed.p7").read_bytes()
        (folder / "changed.p7").write_bytes(data.replace(CONTENT, CONTENT[:-1] + b"\x00"))
        done = subprocess.run(
            [openssl, *VERIFY, "-in", "changed.p7"], cwd=folder, capture_output=True, check=False
        )
        assert done.returncode != 0

    def test_it_verifies_our_time_stamps(self, openssl: str, folder: Path) -> None:
        common = ("ts", "-verify", "-data", "signature", "-CAfile", "ca.pem")
        assert b"OK" in run(openssl, folder, *common, "-in", "token", "-token_in")
        assert b"OK" in run(openssl, folder, *common, "-in", "answer.tsr")

    def test_our_authority_answers_its_requests(
        self, openssl: str, folder: Path, store: DevelopmentKeyStore
    ) -> None:
        query = ("ts", "-query", "-data", "content", "-sha256", "-cert", "-out", "query.tsq")
        run(openssl, folder, *query)
        key = store.ensure("tsa", Holder("TSP"), purpose=KeyPurpose.TIMESTAMPS)
        authority = timestamp.TimestampAuthority(key.signer, clock=lambda: datetime.now(UTC))
        (folder / "reply.tsr").write_bytes(authority.answer((folder / "query.tsq").read_bytes()))
        verify = (
            "ts",
            "-verify",
            "-queryfile",
            "query.tsq",
            "-in",
            "reply.tsr",
            "-CAfile",
            "ca.pem",
        )
        assert b"OK" in run(openssl, folder, *verify)

    def test_its_messages_pass_our_verification(
        self, openssl: str, folder: Path, store: DevelopmentKeyStore, keys_folder: Path
    ) -> None:
        pem = keys_folder / "keys" / "cashier.pem"
        sign = ("cms", "-sign", "-nodetach", "-binary", "-cades", "-md", "sha256")
        run(
            openssl,
            folder,
            *(*sign, "-in", "content", "-signer", str(pem), "-outform", "DER", "-out", "theirs.p7"),
        )
        message = cms.parse((folder / "theirs.p7").read_bytes())
        assert message.content == CONTENT
        certificate = cms.verify(message, trust=store.trust_anchors(), at=datetime.now(UTC))
        assert certificate.personal_code == "1234567890"
