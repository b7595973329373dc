"""Trust in the simulator's own test authority: without it the tickets of a demonstration are nobody's."""

from __future__ import annotations

import base64

from infra.settings import Settings
from infra.signing.trust import read_certificates

SIMULATOR_AUTHORITY = "simulator-test-authority.pem"


def trust_simulator(settings: Settings) -> None:
    """Copy the certificate (never the key) of the simulator's authority into the trust folder.

    Raises: OSError when the simulator has not made it yet.
    """
    authority = settings.data_dir / "simulator" / "keys" / "authority.pem"
    certificate = read_certificates(authority.read_bytes())[0]
    text = b"-----BEGIN CERTIFICATE-----\n%b-----END CERTIFICATE-----\n" % base64.encodebytes(
        certificate
    )
    settings.trust_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = settings.trust_dir / SIMULATOR_AUTHORITY
    if not target.exists() or target.read_bytes() != text:
        target.write_bytes(text)
