"""Names that nobody can guess: of tokens, of tasks and snapshots."""

import secrets
import string

_LENGTH = 32
_LETTERS = string.ascii_lowercase
_CHARACTERS = string.ascii_lowercase + string.digits


def new_identifier() -> str:
    """Make 32 characters a-z and 0-9, the first one a letter, from a cryptographic source."""
    return secrets.choice(_LETTERS) + "".join(secrets.choice(_CHARACTERS) for _ in range(_LENGTH - 1))
