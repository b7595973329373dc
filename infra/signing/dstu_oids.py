"""Object identifiers of Ukrainian cryptography and of the key files that carry it.

Source: the national arc 1.2.804.2.1.1.1 as public implementations use it, and the private arc of
ІІТ (1.3.6.1.4.1.19398) for its container; PKCS numbers from RFC 7292, 8018 and 5958.
"""

from typing import Final

_UA: Final = "1.2.804.2.1.1.1"
_IIT: Final = "1.3.6.1.4.1.19398.1.1"
_PKCS: Final = "1.2.840.113549.1"

# --- national: ciphers, hashes, signatures ----------------------------------------------------------

GOST28147_CFB: Final = f"{_UA}.1.1.1.3"
HMAC_GOST34311: Final = f"{_UA}.1.1.2"
KALYNA_256_CBC: Final = f"{_UA}.1.1.3.5.2"
GOST34311: Final = f"{_UA}.1.2.1"
KUPYNA_256: Final = f"{_UA}.1.2.2.1"
KUPYNA_384: Final = f"{_UA}.1.2.2.2"
KUPYNA_512: Final = f"{_UA}.1.2.2.3"
KUPYNA_KMAC_256: Final = f"{_UA}.1.2.2.4"
DSTU4145_GOST: Final = f"{_UA}.1.3.1.1"
"""Polynomial basis, little endian: the key algorithm of every key, and the signature with GOST 34.311."""
DSTU4145_NAMED_CURVES: Final = f"{_UA}.1.3.1.1.2"
DSTU4145_KUPYNA_256: Final = f"{_UA}.1.3.6.1.1"
DSTU4145_KUPYNA_384: Final = f"{_UA}.1.3.6.2.1"
DSTU4145_KUPYNA_512: Final = f"{_UA}.1.3.6.3.1"
DSTU4145_ARCS: Final = (f"{_UA}.1.3.1.", f"{_UA}.1.3.6.")
"""What every DSTU 4145 identifier begins with, supported or not."""

# --- ІІТ: the container Key-6.dat and attributes of a key ------------------------------------------

IIT_CONTAINER: Final = f"{_IIT}.1.2"
IIT_MAIN_KEY_ID: Final = f"{_IIT}.2.1"
IIT_AGREEMENT_PARAMETERS: Final = f"{_IIT}.2.2"
IIT_AGREEMENT_KEY: Final = f"{_IIT}.2.3"
IIT_AGREEMENT_KEY_ID: Final = f"{_IIT}.2.5"

# --- PKCS ------------------------------------------------------------------------------------------------

RSA_KEY: Final = f"{_PKCS}.1.1"
EC_KEY: Final = "1.2.840.10045.2.1"
PBES2: Final = f"{_PKCS}.5.13"
PBKDF2: Final = f"{_PKCS}.5.12"
DATA: Final = f"{_PKCS}.7.1"
SIGNED_DATA: Final = f"{_PKCS}.7.2"
ENCRYPTED_DATA: Final = f"{_PKCS}.7.6"
FRIENDLY_NAME: Final = f"{_PKCS}.9.20"
LOCAL_KEY_ID: Final = f"{_PKCS}.9.21"
X509_CERTIFICATE: Final = f"{_PKCS}.9.22.1"
KEY_BAG: Final = f"{_PKCS}.12.10.1.1"
SHROUDED_KEY_BAG: Final = f"{_PKCS}.12.10.1.2"
CERTIFICATE_BAG: Final = f"{_PKCS}.12.10.1.3"
SAFE_CONTENTS_BAG: Final = f"{_PKCS}.12.10.1.6"
JKS_PROTECTION: Final = "1.3.6.1.4.1.42.2.17.1.1"

# --- ordinary algorithms of PBES2 and of the PKCS#12 MAC ------------------------------------------------

HMAC_SHA1: Final = "1.2.840.113549.2.7"
HMAC_SHA256: Final = "1.2.840.113549.2.9"
HMAC_SHA384: Final = "1.2.840.113549.2.10"
HMAC_SHA512: Final = "1.2.840.113549.2.11"
SHA1: Final = "1.3.14.3.2.26"
SHA256: Final = "2.16.840.1.101.3.4.2.1"
SHA384: Final = "2.16.840.1.101.3.4.2.2"
SHA512: Final = "2.16.840.1.101.3.4.2.3"
AES_128_CBC: Final = "2.16.840.1.101.3.4.1.2"
AES_192_CBC: Final = "2.16.840.1.101.3.4.1.22"
AES_256_CBC: Final = "2.16.840.1.101.3.4.1.42"
