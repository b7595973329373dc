"""What every signer must do: the agent in its own process, and the one within a process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.errors import KeyUnknown
from domain.ports import KeyKind, Signer
from infra.signing import cms
from infra.signing.client import AgentSigner
from infra.signing.development import DevelopmentKeyStore, Holder
from infra.signing.local_signer import LocalSigner
from tests.support.signing_agent import AgentProcess

HOLDER = Holder("Шевченко Тарас", personal_code="1234567890", company_code="12345678")


@pytest.fixture(params=["local", "agent"])
def signer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Signer]:
    if request.param == "local":
        store = DevelopmentKeyStore(tmp_path / "keys")
        store.ensure("cashier", HOLDER)
        yield LocalSigner(store)
        return
    agent: AgentProcess = request.getfixturevalue("shared_agent")
    with AgentSigner(agent.socket_path) as client:
        client.ensure_development_key("cashier", HOLDER)
        yield client


class TestSign:
    @pytest.mark.parametrize("size", [0, 1, 3_000, 70_000, 1024 * 1024])
    def test_content_of_any_size_is_signed(self, signer: Signer, size: int) -> None:
        content = (bytes(range(256)) * (size // 256 + 1))[:size]
        message = cms.parse(signer.sign(key_id="cashier", content=content))
        assert message.content == content
        assert message.timestamp_token is None
        assert cms.verify(message, trust=None).personal_code == "1234567890"

    def test_an_unknown_key_is_named(self, signer: Signer) -> None:
        with pytest.raises(KeyUnknown) as caught:
            signer.sign(key_id="nobody", content=b"x")
        assert caught.value.key_id == "nobody"

    def test_a_refusal_leaves_the_signer_working(self, signer: Signer) -> None:
        with pytest.raises(KeyUnknown):
            signer.sign(key_id="nobody", content=b"x")
        assert cms.parse(signer.sign(key_id="cashier", content=b"y")).content == b"y"


class TestDescribe:
    def test_a_key_is_described_as_its_certificate_says(self, signer: Signer) -> None:
        described = signer.describe(key_id="cashier")
        certificate = cms.parse(signer.sign(key_id="cashier", content=b"")).certificate
        assert described.key_id == "cashier"
        assert described.kind is KeyKind.DEVELOPMENT
        assert described.owner == "Шевченко Тарас"
        assert described.tax_id == "12345678"
        assert described.subject_key_id == certificate.subject_key_id_hex
        assert described.valid_from == certificate.not_before
        assert described.valid_to == certificate.not_after

    def test_an_unknown_key_is_named(self, signer: Signer) -> None:
        with pytest.raises(KeyUnknown) as caught:
            signer.describe(key_id="nobody")
        assert caught.value.key_id == "nobody"
