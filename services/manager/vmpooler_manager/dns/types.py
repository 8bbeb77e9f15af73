"""The values of the DNS contract: whose records are, and which ones there are."""

import json
from dataclasses import asdict, dataclass
from typing import Self

MARK = "vmpooler "
"""What the text beside our records begins with."""


@dataclass(frozen=True, slots=True)
class RecordOwner:
    """Whose the records of a name are; written beside them, so that ours can be told from those of others."""

    installation: str
    """Which vmpooler installation, `config.installation`."""
    generation: str
    """Which data set of that installation, as in the VM's ownership tag."""
    provider: str
    pool: str
    vm: str
    """Its short name, in its own spelling."""
    attempt: str
    """Random, another for each VM: a later VM of the same name has another owner."""

    def encode(self) -> str:
        """Give the text that is written beside the records."""
        return MARK + json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def decode(cls, text: str) -> Self | None:
        """Read such a text; None when it isn't one of ours."""
        if not text.startswith(MARK):
            return None
        try:
            facts = json.loads(text.removeprefix(MARK))
            owner = cls(**facts)
        except (ValueError, TypeError):
            return None
        return owner if all(isinstance(fact, str) for fact in asdict(owner).values()) else None


@dataclass(frozen=True, slots=True)
class OwnedRecords:
    """Records of one name that carry the mark of an installation."""

    name: str
    """Fully qualified, in lower case, without a dot at its end."""
    owner: RecordOwner
