"""jkurwa (GOST 34.311) and barvinok (Kupyna too) against us, both ways."""

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.signing import cms, der
from infra.signing.containers import open_container, writer
from infra.signing.dstu_signer import DstuSigner
from infra.signing.dstu_suites import DSTU_GOST, DSTU_KUPYNA_256
from tests.judges.conftest import NOW, Cashier, NodeJudge, text

CONTENT = "<?xml version='1.0' encoding='windows-1251'?><CHECK>хліб</CHECK>".encode("cp1251")
PASSWORD = "testpassword"

JUDGES = pytest.mark.parametrize(
    ("judge", "hash_name"), [("jkurwa", "gost"), ("barvinok", "gost"), ("barvinok", "kupyna")]
)
SUITES = {"gost": DSTU_GOST, "kupyna": DSTU_KUPYNA_256}


def verify(judge: str, hash_name: str, message: bytes) -> dict[str, str]:
    return {"judge": judge, "task": "verify", "hash": hash_name, "message": text(message)}


@JUDGES
def test_our_messages_are_accepted_and_changed_ones_are_not(
    judge: str, hash_name: str, node_judge: NodeJudge, cashier: Cashier
) -> None:
    signer = cashier.signer(SUITES[hash_name])
    messages = [
        cms.sign(content, signer=signer, signing_time=NOW)
        for content in (CONTENT, CONTENT * 50, b"x")
    ]
    changed = messages[0].replace(CONTENT, CONTENT[:-1] + b"!")
    late = cms.sign(CONTENT, signer=signer, signing_time=NOW.replace(year=2030))
    forged = bytearray(messages[0])
    forged[messages[0].index(cms.parse(messages[0]).signer.signature) + 40] ^= 1
    answers = node_judge(
        *(
            verify(judge, hash_name, message)
            for message in (*messages, changed, late, bytes(forged))
        )
    )
    assert answers == [True, True, True, False, False, False]


def test_a_message_with_the_privatbank_key_is_accepted(
    node_judge: NodeJudge, shared_folder: Path
) -> None:
    data = (shared_folder / "testdata/keys/prozorro-robot/boss.jks").read_bytes()
    key = open_container(data, "1111111111").signing_keys[0]
    assert key.certificate is not None
    signer = DstuSigner(private_key=key.private, certificate=key.certificate)
    moment = datetime(2018, 1, 15, tzinfo=UTC)
    message = cms.sign(CONTENT, signer=signer, signing_time=moment)
    assert node_judge(verify("jkurwa", "gost", message)) == [True]


@pytest.mark.parametrize("judge", ["jkurwa", "barvinok"])
def test_their_messages_are_accepted_by_us(
    judge: str, node_judge: NodeJudge, cashier: Cashier
) -> None:
    task = {
        "judge": judge,
        "task": "sign",
        "file": text(writer.pkcs12([cashier.key, cashier.agreement_key], PASSWORD)),
        "certificates": [text(cashier.certificate), text(cashier.agreement_certificate)],
        "password": PASSWORD,
        "content": text(CONTENT),
        "time": int(NOW.timestamp()),
    }
    (answer,) = node_judge(task)
    assert isinstance(answer, str), answer
    message = cms.parse(base64.b64decode(answer))
    assert cms.verify(message, trust=None).raw == cashier.certificate
    assert message.content == CONTENT


@pytest.mark.parametrize("judge", ["jkurwa", "barvinok"])
def test_our_key_files_open_there_with_the_same_keys(
    judge: str, node_judge: NodeJudge, cashier: Cashier
) -> None:
    keys = [cashier.key, cashier.agreement_key]
    files = [writer.pkcs12(keys, PASSWORD), writer.encrypted_private_key(cashier.key, PASSWORD)]
    expected = [[f"{key.scalar:x}" for key in keys], [f"{cashier.key.scalar:x}"]]
    answers = node_judge(
        *(
            {"judge": judge, "task": "open", "file": text(file), "password": PASSWORD}
            for file in files
        )
    )
    assert answers == expected


def test_our_newest_encryption_opens_there(node_judge: NodeJudge) -> None:
    scheme, body = der.parse(
        writer.encrypt(CONTENT, PASSWORD, generation=writer.KUPYNA, iterations=100)
    ).children()
    derivation, cipher = scheme.children()[1].children()
    task = {
        "judge": "barvinok",
        "task": "decrypt",
        "password": PASSWORD,
        "salt": text(derivation.children()[1].children()[0].octets()),
        "iterations": 100,
        "iv": text(cipher.children()[1].children()[0].octets()),
        "body": text(body.octets()),
    }
    (answer,) = node_judge(task)
    assert isinstance(answer, str), answer
    # It leaves the padding in place.
    assert base64.b64decode(answer).startswith(CONTENT)


@pytest.mark.parametrize(
    ("path", "password"),
    [
        ("prozorro-robot/boss.jks", "1111111111"),
        ("prozorro-robot/ubiz_Key-6.dat", "12345677"),
        ("uapki/test-diia.p12", "testpassword"),
        ("jkurwa/STORE_A040.dat", "password"),
    ],
)
def test_sample_key_files_open_there_and_here_with_the_same_keys(
    path: str, password: str, node_judge: NodeJudge, shared_folder: Path
) -> None:
    data = (shared_folder / "testdata/keys" / path).read_bytes()
    ours = [f"{key.private.scalar:x}" for key in open_container(data, password).keys]
    task = {"judge": "jkurwa", "task": "open", "file": text(data), "password": password}
    assert node_judge(task) == [ours]
