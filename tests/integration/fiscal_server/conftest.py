"""Keys of a test authority, and clients of a fiscal server at any address."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, Protocol

import pytest

from infra.fiscal_server.client import HttpFiscalServer
from infra.signing import cms
from infra.signing.development import DevelopmentKeyStore, Holder, KeyPurpose
from infra.signing.local_signer import LocalSigner

CASHIER_KEY = "cashier"


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> DevelopmentKeyStore:
    """A test authority with a cashier's key and the tax service's."""
    store = DevelopmentKeyStore(tmp_path_factory.mktemp("keys") / "store")
    store.ensure(CASHIER_KEY, Holder(common_name="Приклад Олена", company_code="99900011"))
    store.ensure("server", Holder(common_name="Сервер"), purpose=KeyPurpose.TICKETS)
    return store


@pytest.fixture(scope="session")
def sealed(keys: DevelopmentKeyStore) -> Callable[[bytes], bytes]:
    """Signs content as the tax service does."""
    signer = keys.open("server").signer
    return lambda content: cms.sign(content, signer=signer)


class Connect(Protocol):
    """Makes a client of the server at an address; keyword arguments as HttpFiscalServer has them."""

    def __call__(self, url: str, **arguments: Any) -> HttpFiscalServer: ...


@pytest.fixture
def connect(keys: DevelopmentKeyStore) -> Iterator[Connect]:
    with ExitStack() as opened:

        def make(url: str, **arguments: Any) -> HttpFiscalServer:
            defaults: dict[str, Any] = {
                "signer": LocalSigner(keys),
                "ticket_trust": keys.trust_anchors(),
                "connect_timeout_seconds": 0.5,
                "answer_timeout_seconds": 0.5,
            }
            return opened.enter_context(HttpFiscalServer(url, **(defaults | arguments)))

        yield make


@pytest.fixture(scope="session")
def signed_document(keys: DevelopmentKeyStore) -> bytes:
    """A signed message of the size of a document."""
    return cms.sign(b"<CHECK>" + b" " * 2_000 + b"</CHECK>", signer=keys.open(CASHIER_KEY).signer)
