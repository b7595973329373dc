"""ІІТ's own container, as the tax service's free keys come in: Key-6.dat.

1. key = GOST 34.311 applied 10,000 times, first to the password, then to each digest.
2. text = GOST 28147 ECB decryption of body ‖ pad with S-box DKE №1, cut to the body's length; the pad
   completes the last block.
3. The GOST 28147 MAC of the text under the same key must equal the stored four octets: the proof of
   the password. Inside is a PrivateKeyInfo, nearly always with a second key, never a certificate.

Source: the format as public implementations read it.
"""

import hmac
from typing import Final

from infra.signing import der, dstu_oids, gost28147, gost34311
from infra.signing.containers.container import FoundKey
from infra.signing.containers.errors import DamagedKeyFile, WrongPassword
from infra.signing.containers.passwords import Password
from infra.signing.containers.pkcs8 import read_keys

_ITERATIONS: Final = 10_000
_MAC_OCTETS: Final = 4


def open_iit(data: bytes, password: Password) -> list[FoundKey]:
    """The keys of a container. Raises: der.DerError, WrongPassword, DamagedKeyFile, ForeignKey."""
    mac, pad, body = _read(data)
    for form in password.encodings():
        password.budget.charge(_ITERATIONS)
        key = gost34311.repeat(form, times=_ITERATIONS)
        text = gost28147.ecb_decrypt(body + pad, key)[: len(body)]
        if hmac.compare_digest(gost28147.mac(text, key), mac):
            # Four octets agree by chance once in four thousand million: what follows must be a key.
            return read_keys(text)
    raise WrongPassword


def _read(data: bytes) -> tuple[bytes, bytes, bytes]:
    fields = der.parse(data).fields()
    algorithm = fields.take(der.SEQUENCE).fields()
    body = fields.take().octets()
    fields.finish()
    if algorithm.take().oid() != dstu_oids.IIT_CONTAINER:
        raise DamagedKeyFile(what="algorithm of the container")
    parameters = algorithm.take(der.SEQUENCE).fields()
    mac = parameters.take().octets()
    pad_node = parameters.optional(der.OCTET_STRING)
    parameters.finish()
    pad = pad_node.octets() if pad_node is not None else b""
    if len(mac) != _MAC_OCTETS or len(body + pad) % gost28147.BLOCK or len(pad) >= gost28147.BLOCK:
        raise DamagedKeyFile(what="lengths do not fit together")
    return mac, pad, body
