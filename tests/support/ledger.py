"""What users know of their VMs, over all clients of a test: who was ever told of which."""

from collections.abc import Iterable


class Ledger:
    """Notes every grant and every return that a client saw.

    A name is granted once at most: a VM that was returned is destroyed, and its name isn't used again
    as long as its record is kept, far longer than a test.
    """

    def __init__(self) -> None:
        self.held: set[str] = set()
        """VMs whose users were told of them and have not begun to return them."""
        self.granted: set[str] = set()
        self.returned: set[str] = set()
        self.unclear = 0
        """VMs that were asked for and may have been granted without an answer."""
        self.withdrawn = 0
        """VMs that were asked for while Redis was away: an API that lives takes back what it granted."""
        self.wrongs: list[str] = []

    def grant(self, names: Iterable[str]) -> None:
        """A client was told that these VMs are its own."""
        for name in names:
            if name in self.granted:
                state = "still held" if name in self.held else "given back"
                self.wrongs.append(f"{name} was granted twice; the first one was {state}")
            self.granted.add(name)
            self.held.add(name)

    def returning(self, name: str) -> None:
        """A client begins to give a VM back: from now on it may be gone."""
        self.held.discard(name)

    def gave_back(self, name: str, *, status: int, tries: int) -> None:
        """The answer came that ends a return, after so many tries."""
        self.returned.add(name)
        if status != 200 and tries == 1:
            self.wrongs.append(f"{name} was held, and its return was answered with {status}")
