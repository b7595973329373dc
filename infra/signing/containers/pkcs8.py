"""PKCS#8: private keys, plain or encrypted with PBES2 (.pk8, .dat, .pem; also inside PKCS#12).

1. A DSTU private key is its bare little-endian number inside the OCTET STRING.
2. Keys by ІІТ and PrivatBank carry a second key in their attributes: its number is a BIT STRING that
   begins with the lowest bit, its curve is written big-endian.

Source: RFC 5958; attributes as public implementations read them.
"""

from infra.signing import der, dstu_oids
from infra.signing.containers import pbes2
from infra.signing.containers.container import FoundKey, KeyPurpose
from infra.signing.containers.errors import DamagedKeyFile, ForeignKey, UnsupportedKeyFile
from infra.signing.containers.passwords import Password
from infra.signing.dstu4145 import KeyEncodingError, PrivateKey
from infra.signing.key_parameters import (
    KEY_OIDS,
    UnsupportedKey,
    describe_algorithm,
    read_curve,
)


def read_keys(data: bytes, *, name: str | None = None) -> list[FoundKey]:
    """The keys of a PrivateKeyInfo: one, or two where the attributes hold a second.

    A second key that cannot be read is passed over: it never signs anything.
    Raises: der.DerError for another structure, ForeignKey, UnsupportedKeyFile, DamagedKeyFile.
    """
    fields = der.parse(data).fields()
    fields.take().integer()
    algorithm = fields.take(der.SEQUENCE).fields()
    oid = algorithm.take().oid()
    octets = fields.take().octets()
    attributes = fields.optional(der.context(0))
    if oid not in KEY_OIDS:
        raise ForeignKey(algorithm=describe_algorithm(oid))
    try:
        main = PrivateKey.decode(read_curve(algorithm.take(der.SEQUENCE)), octets)
    except UnsupportedKey as error:
        raise UnsupportedKeyFile(what=str(error)) from error
    except KeyEncodingError as error:
        raise DamagedKeyFile(what=str(error)) from error
    second = _attributes(attributes)
    if second is None:
        return [FoundKey(main, name)]
    signing = FoundKey(main, name, KeyPurpose.SIGNING)
    try:
        agreement = _second_key(*second)
    except (der.DerError, UnsupportedKey, KeyEncodingError):
        return [signing]
    return [signing, FoundKey(agreement, name, KeyPurpose.AGREEMENT)]


def _attributes(owner: der.Node | None) -> tuple[der.Node, der.Node] | None:
    """Number and parameters of the second key, if there is one."""
    found: dict[str, der.Node] = {}
    for node in owner.children() if owner is not None else ():
        fields = node.fields()
        oid = fields.take().oid()
        values = fields.take(der.SET).children()
        if values:
            found.setdefault(oid, values[0])
    number = found.get(dstu_oids.IIT_AGREEMENT_KEY)
    parameters = found.get(dstu_oids.IIT_AGREEMENT_PARAMETERS)
    return (number, parameters) if number is not None and parameters is not None else None


def _second_key(number: der.Node, parameters: der.Node) -> PrivateKey:
    curve = read_curve(parameters, order="big")
    scalar = sum(1 << bit for bit in number.named_bits())
    return PrivateKey.decode(curve, scalar.to_bytes((scalar.bit_length() + 7) // 8, "little"))


def open_encrypted(data: bytes, password: Password, *, name: str | None = None) -> list[FoundKey]:
    """The keys of an EncryptedPrivateKeyInfo.

    Raises: der.DerError, UnsupportedKeyFile, CostlyKeyFile, WrongPasswordOrDamaged, ForeignKey.
    """
    fields = der.parse(data).fields()
    algorithm = fields.take(der.SEQUENCE)
    body = fields.take().octets()
    fields.finish()
    return pbes2.decrypt(algorithm, body, password, read=lambda plain: read_keys(plain, name=name))
