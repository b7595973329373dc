"""BouncyCastle against us, both ways: hashes, cipher, signatures, messages."""

import base64

import pytest

from infra.signing import cms, dstu4145, gost34311, kalyna, kupyna
from infra.signing.curves import CURVES, Curve
from infra.signing.dstu4145 import PrivateKey
from infra.signing.dstu_suites import DSTU_GOST, DSTU_KUPYNA_256
from infra.signing.key_parameters import write_public_key
from infra.signing.suite import Suite
from tests.judges.conftest import NOW, Cashier, JavaJudge, text

CONTENT = "<?xml version='1.0' encoding='windows-1251'?><CHECK>хліб</CHECK>".encode("cp1251")


@pytest.mark.parametrize("suite", [DSTU_GOST, DSTU_KUPYNA_256], ids=lambda suite: suite.name)
@pytest.mark.parametrize("signing_time", [NOW, None], ids=["with time", "without time"])
def test_our_messages_are_accepted_and_changed_ones_are_not(
    suite: Suite, signing_time: object, java_judge: JavaJudge, cashier: Cashier
) -> None:
    time = NOW if signing_time is not None else None
    message = cms.sign(CONTENT, signer=cashier.signer(suite), signing_time=time)
    changed = message.replace(CONTENT, CONTENT[:-1] + b"!")
    forged = bytearray(message)
    forged[message.index(cms.parse(message).signer.signature) + 40] ^= 1
    answers = java_judge(
        *(f"verify {text(octets)}" for octets in (message, changed, bytes(forged)))
    )
    assert answers == ["true", "false", "false"]


def test_hashes_agree(java_judge: JavaJudge) -> None:
    messages = [bytes(range(256))[:length] for length in (1, 31, 32, 33, 63, 64, 65, 100, 255)]
    tasks = [
        f"digest {name} {text(message)}" for name in ("gost", "kupyna") for message in messages
    ]
    ours = [text(gost34311.digest(message)) for message in messages]
    ours += [text(kupyna.digest(message)) for message in messages]
    assert java_judge(*tasks) == ours


def test_the_block_cipher_agrees(java_judge: JavaJudge) -> None:
    keys = [bytes([seed]) + bytes(range(31)) for seed in range(20)]
    blocks = [key[::-1] for key in keys]
    tasks = [f"kalyna {text(key)} {text(block)}" for key, block in zip(keys, blocks, strict=True)]
    assert java_judge(*tasks) == [
        text(kalyna.encrypt_block(block, key)) for key, block in zip(keys, blocks, strict=True)
    ]


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
def test_their_signatures_are_accepted_by_us(curve: Curve, java_judge: JavaJudge) -> None:
    key = PrivateKey.generate(curve)
    digests = [bytes([seed]) * 32 for seed in range(5)]
    spki = text(write_public_key(key.public))
    answers = java_judge(*(f"sign {spki} {key.scalar:x} {text(digest)}" for digest in digests))
    for digest, answer in zip(digests, answers, strict=True):
        assert dstu4145.verify(key.public, digest, base64.b64decode(answer))
