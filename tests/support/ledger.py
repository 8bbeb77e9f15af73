"""What users know of their VMs, over all clients of a test: who was ever told of which."""

from collections import Counter
from collections.abc import Iterable

from vmpooler_common.model.vm import VmTask


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
        self.asked: dict[str, Counter[str]] = {}
        """On-demand requests: pool → how many VMs of it."""
        self.told: dict[str, frozenset[str]] = {}
        """On-demand requests whose users know that they are ready: all VMs that they know of."""
        self.deleted: set[str] = set()
        """On-demand requests that users have begun to delete."""
        self.tasks: dict[str, list[VmTask]] = {}
        """What is to be done to running VMs that nobody gives back, in this order."""
        self.may_fail = False
        """Whether on-demand requests may fail with a reason, because the cloud is that bad."""
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

    def ask(self, request: str, pools: Iterable[str]) -> None:
        """A client opens an on-demand request for a VM of each of these pools."""
        self.asked[request] = Counter(pools)

    def tell(self, request: str, names: Iterable[str]) -> None:
        """A client sees that its request is ready, with these VMs; it may look again and again."""
        now = frozenset(names)
        before = self.told.setdefault(request, now)
        if before is now:
            self.grant(now)
        elif before != now:
            self.wrongs.append(f"{request} was ready with {sorted(before)}, later with {sorted(now)}")

    def delete(self, request: str) -> None:
        """A client begins to delete a request: from now on its VMs may be gone."""
        self.deleted.add(request)
        for name in self.told.get(request, ()):
            self.returning(name)
