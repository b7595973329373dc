"""Key files as people really have them.

`open_container` recognises a file by its content and gives the keys inside, each with its
certificate if there is one. The bytes of a key leave this package only inside
`infra.signing.dstu4145.PrivateKey`; no error repeats key material, a password or a name.
"""

from infra.signing.containers.container import ContainedKey, KeyContainer, KeyPurpose
from infra.signing.containers.detect import ContainerFormat, detect
from infra.signing.containers.errors import KeyFileError
from infra.signing.containers.opening import open_container

__all__ = [
    "ContainedKey",
    "ContainerFormat",
    "KeyContainer",
    "KeyFileError",
    "KeyPurpose",
    "detect",
    "open_container",
]
