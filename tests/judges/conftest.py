"""Independent programs that judge our signatures; each test says which it needs.

Node: `npm ci --prefix tests/judges/node`. Java: Debian's libbcprov-java, libbcpkix-java and a JDK.
"""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.signing.certificate import parse_certificate
from infra.signing.curves import M257, M431
from infra.signing.dstu4145 import PrivateKey
from infra.signing.dstu_authority import CertificatePurpose, DstuAuthority, Subject
from infra.signing.dstu_signer import DstuSigner
from infra.signing.suite import Suite

HERE = Path(__file__).parent
JARS = tuple(Path("/usr/share/java", f"{name}.jar") for name in ("bcprov", "bcpkix", "bcutil"))
TIME_LIMIT_SECONDS = 90

FROM = datetime(2024, 1, 1, tzinfo=UTC)
TO = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2025, 5, 5, 12, tzinfo=UTC)

NodeJudge = Callable[..., list[Any]]
JavaJudge = Callable[..., list[str]]


def text(octets: bytes) -> str:
    """Octets as the judges take them."""
    return base64.b64encode(octets).decode()


@pytest.fixture(scope="session")
def node_judge() -> NodeJudge:
    """Asks jkurwa and barvinok: tasks in, answers out (see node/judge.mjs)."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    if not (HERE / "node/node_modules/jkurwa").is_dir():
        pytest.skip("jkurwa is not installed: npm ci --prefix tests/judges/node")

    def ask(*tasks: dict[str, Any]) -> list[Any]:
        done = subprocess.run(
            [node, "judge.mjs"],
            input=json.dumps(tasks),
            capture_output=True,
            text=True,
            check=True,
            cwd=HERE / "node",
            timeout=TIME_LIMIT_SECONDS,
        )
        answers: list[Any] = json.loads(done.stdout)
        return answers

    return ask


@pytest.fixture(scope="session")
def java_judge(tmp_path_factory: pytest.TempPathFactory) -> JavaJudge:
    """Asks BouncyCastle: tasks in, answers out (see java/Judge.java)."""
    if shutil.which("javac") is None or shutil.which("java") is None:
        pytest.skip("no Java development kit is installed")
    missing = [jar.name for jar in JARS if not jar.exists()]
    if missing:
        pytest.skip(f"BouncyCastle is not installed: {', '.join(missing)}")
    classes = tmp_path_factory.mktemp("judge")
    class_path = os.pathsep.join(map(str, (classes, *JARS)))
    subprocess.run(
        ["javac", "-d", str(classes), "-cp", class_path, str(HERE / "java/Judge.java")],
        check=True,
        timeout=TIME_LIMIT_SECONDS,
    )

    def ask(*tasks: str) -> list[str]:
        done = subprocess.run(
            ["java", "-cp", class_path, "Judge"],
            input="\n".join(tasks),
            capture_output=True,
            text=True,
            check=True,
            timeout=TIME_LIMIT_SECONDS,
        )
        return done.stdout.splitlines()

    return ask


@dataclass(frozen=True)
class Cashier:
    """A signer with all that a key file of theirs would hold."""

    key: PrivateKey
    agreement_key: PrivateKey
    certificate: bytes
    agreement_certificate: bytes
    authority: DstuAuthority

    def signer(self, suite: Suite) -> DstuSigner:
        certificate = parse_certificate(self.certificate)
        return DstuSigner(private_key=self.key, certificate=certificate, suite=suite)


@pytest.fixture(scope="session")
def cashier() -> Cashier:
    authority = DstuAuthority.create(not_before=FROM, not_after=TO)
    subject = Subject(
        common_name="Касирка Олена", personal_code="1234567890", company_code="12345678"
    )
    key, agreement_key = PrivateKey.generate(M257), PrivateKey.generate(M431)
    return Cashier(
        key=key,
        agreement_key=agreement_key,
        certificate=authority.issue(key.public, subject, not_before=FROM, not_after=TO),
        agreement_certificate=authority.issue(
            agreement_key.public,
            subject,
            not_before=FROM,
            not_after=TO,
            purpose=CertificatePurpose.AGREEMENT,
        ),
        authority=authority,
    )
