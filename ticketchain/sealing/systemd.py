"""A wrapping key that systemd hands to the service: `LoadCredential=` or `LoadCredentialEncrypted=` (systemd.exec)."""

from __future__ import annotations

import os
from pathlib import Path

from ticketchain.sealing.errors import KeyFileProblem, KeyProviderProblem
from ticketchain.sealing.wrapping import KEY_BYTES, LocalKey


def credential_key(name: str) -> LocalKey:
    """The key in the credential `name`, exactly 32 bytes. Raises `KeyProviderProblem`.

    Its file mode is not looked at: systemd gives access by an ACL, which shows as a group's right.
    """
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        raise KeyProviderProblem(
            f"key_provider systemd:{name}: there is no $CREDENTIALS_DIRECTORY; start the signer as a systemd unit "
            f"with LoadCredentialEncrypted={name}:FILE"
        )
    if name in ("", ".", "..") or "/" in name:
        raise KeyProviderProblem(f"key_provider systemd:{name}: a credential's name is one file name, without slashes")
    try:
        key = (Path(folder) / name).read_bytes()
    except OSError as error:
        raise KeyFileProblem(f"credential {name}: {error.strerror}; name it in the unit's LoadCredential=") from None
    if len(key) != KEY_BYTES:
        raise KeyFileProblem(f"credential {name}: must hold exactly {KEY_BYTES} bytes; restore it from its backup")
    return LocalKey(key)
