"""What can be wrong with a key file, each with its own stable code.

KeyFileError
├── UnknownKeyFile, KeyFileTooLarge, TrailingBytes    before a password matters
├── DamagedKeyFile                                    the structure is broken
├── WrongPassword                                     the file proves it
├── WrongPasswordOrDamaged                            the format cannot tell the two apart
├── CostlyKeyFile                                     opening would take absurdly long; not tried
├── ForeignKey, UnsupportedKeyFile                    intact, but nothing we can sign with
├── NoKeyInside                                       certificates only
├── CertificateUnreadable                             a file given beside the key
└── AgreementOnlyKey, CertificateMissing,
    SeveralKeys, NoMatchingKey                        when one key is to be chosen
"""

from dataclasses import dataclass
from typing import ClassVar

from domain.errors import RuleViolation


@dataclass(eq=False)
class KeyFileError(RuleViolation):
    """A key file cannot be used as it is."""

    code: ClassVar[str] = "key-file"
    sentence: ClassVar[str] = "The key file cannot be used."
    next_step: ClassVar[str] = "Choose another key file."


@dataclass(eq=False)
class UnknownKeyFile(KeyFileError):
    """The content is none of the formats."""

    code: ClassVar[str] = "key-file-unknown-format"
    sentence: ClassVar[str] = "The file is not a key file of any known format."
    next_step: ClassVar[str] = (
        "Choose the file the provider gave: .jks, .zs2, .pfx, .p12, .pk8 or Key-6.dat."
    )


@dataclass(eq=False)
class KeyFileTooLarge(KeyFileError):
    """No key file is that large."""

    code: ClassVar[str] = "key-file-too-large"
    sentence: ClassVar[str] = "The file has {octets} octets; a key file has at most {limit}."
    octets: int
    limit: int


@dataclass(eq=False)
class TrailingBytes(KeyFileError):
    """Something follows the end of the key file."""

    code: ClassVar[str] = "key-file-trailing-bytes"
    sentence: ClassVar[str] = "{octets} octets follow the end of the key file."
    next_step: ClassVar[str] = "Copy the key file again from where the provider put it."
    octets: int


@dataclass(eq=False)
class DamagedKeyFile(KeyFileError):
    """The structure is broken; `what` names the part."""

    code: ClassVar[str] = "key-file-damaged"
    sentence: ClassVar[str] = "The key file is damaged: {what}."
    next_step: ClassVar[str] = "Copy the key file again from where the provider put it."
    what: str


@dataclass(eq=False)
class WrongPassword(KeyFileError):
    """The file's own check says so."""

    code: ClassVar[str] = "key-file-wrong-password"
    sentence: ClassVar[str] = "The password is wrong."
    next_step: ClassVar[str] = "Check keyboard layout and capital letters, then try again."


@dataclass(eq=False)
class WrongPasswordOrDamaged(KeyFileError):
    """The format has no check of its own: what was decrypted is no key."""

    code: ClassVar[str] = "key-file-wrong-password-or-damaged"
    sentence: ClassVar[str] = "The password is wrong, or the key file is damaged."
    next_step: ClassVar[str] = (
        "Check keyboard layout and capital letters, then try again; else copy the file again."
    )


@dataclass(eq=False)
class CostlyKeyFile(KeyFileError):
    """Deriving the key would take more steps than any honest file asks for; nothing was tried."""

    code: ClassVar[str] = "key-file-too-costly"
    sentence: ClassVar[str] = "Opening the file takes {iterations} steps; the limit is {limit}."
    next_step: ClassVar[str] = (
        "Ask the provider for an ordinary key file. Where hashes run in Python, `make` with a C "
        "compiler installed raises the limit."
    )
    iterations: int
    limit: int


@dataclass(eq=False)
class ForeignKey(KeyFileError):
    """The key is of another algorithm: not a Ukrainian qualified key."""

    code: ClassVar[str] = "key-file-not-dstu"
    sentence: ClassVar[str] = "The key is {algorithm}; receipts are signed with DSTU 4145 only."
    next_step: ClassVar[str] = "Choose the file with the DSTU 4145 key."
    algorithm: str


@dataclass(eq=False)
class UnsupportedKeyFile(KeyFileError):
    """Intact, but made with something this program does not know."""

    code: ClassVar[str] = "key-file-unsupported"
    sentence: ClassVar[str] = "The key file uses something that is not supported: {what}."
    next_step: ClassVar[str] = "Ask the provider for the key as .pfx or .jks."
    what: str


@dataclass(eq=False)
class NoKeyInside(KeyFileError):
    """Certificates, but no private key."""

    code: ClassVar[str] = "key-file-no-key"
    sentence: ClassVar[str] = "The file holds no private key."
    next_step: ClassVar[str] = "Choose the file with the key; certificates can be given beside it."


@dataclass(eq=False)
class CertificateUnreadable(KeyFileError):
    """A file given as a certificate is none. `position` counts from 1."""

    code: ClassVar[str] = "key-file-certificate-unreadable"
    sentence: ClassVar[str] = "Certificate file {position} holds no certificate."
    next_step: ClassVar[str] = "Give a .cer, .crt, .pem or .p7b file with the key's certificate."
    position: int


@dataclass(eq=False)
class CertificateMissing(KeyFileError):
    """A key cannot sign without its certificate."""

    code: ClassVar[str] = "key-file-no-certificate"
    sentence: ClassVar[str] = "The file holds no certificate of its {keys} keys."
    next_step: ClassVar[str] = (
        "Give the certificate file beside the key, or let it be asked from the provider."
    )
    keys: int


@dataclass(eq=False)
class AgreementOnlyKey(KeyFileError):
    """The certificate allows encryption only."""

    code: ClassVar[str] = "key-file-encryption-only"
    sentence: ClassVar[str] = "The key is for encryption only; it may not sign."
    next_step: ClassVar[str] = "Choose the file with the signing key."


@dataclass(eq=False)
class SeveralKeys(KeyFileError):
    """More than one key may sign; which one is for a person to say."""

    code: ClassVar[str] = "key-file-several-keys"
    sentence: ClassVar[str] = "The file holds {count} signing keys; say which one is meant."
    next_step: ClassVar[str] = "List the file's keys and choose one by its identifier."
    count: int


@dataclass(eq=False)
class NoMatchingKey(KeyFileError):
    """None of the signing keys is the one that was asked for."""

    code: ClassVar[str] = "key-file-no-matching-key"
    sentence: ClassVar[str] = "None of the file's {count} signing keys is the one asked for."
    next_step: ClassVar[str] = "List the file's keys; check the taxpayer's code."
    count: int
