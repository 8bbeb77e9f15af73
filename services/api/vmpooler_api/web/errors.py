"""What a client did wrong, before anything was asked of the store."""

from collections.abc import Iterable


class BadRequest(Exception):  # noqa: N818 - named after the answer, 400
    """The request can't be understood; the text says why, in words that clients may know."""


class UnfitChange(Exception):  # noqa: N818 - a judgement, not a fault
    """A VM can't be changed as is asked for; each text says what is wrong with one part."""

    def __init__(self, *failures: str) -> None:
        self.failures = failures
        super().__init__(*failures)


class Unacceptable(Exception):  # noqa: N818 - a judgement, not a fault
    """The same of on-demand requests and summaries; those parts of the contract call the text `message`."""


class TooManyVms(Exception):  # noqa: N818 - a judgement, not a fault
    """An on-demand request is for more VMs than are allowed; the text says how many that is."""


class TooManyAtOnce(Exception):  # noqa: N818 - a state, not a fault
    """So many answers of this kind are under way that another one has to wait; the text says so."""


class UnknownTemplates(Exception):  # noqa: N818 - an answer, not a fault
    """Names in an on-demand request that are neither pools nor aliases."""

    def __init__(self, names: Iterable[str], message: str) -> None:
        """`message`: what is told of the first one."""
        self.names = tuple(names)
        super().__init__(message)


class UnusableEntries(Exception):  # noqa: N818 - an answer, not a fault
    """Pools in a request to change them that aren't configured, or whose value is wrong."""

    def __init__(self, member: str, names: Iterable[str]) -> None:
        self.member = member
        """What this part of the contract calls them in its answer."""
        self.names = tuple(names)
        super().__init__(", ".join(self.names))


class NothingReady(Exception):  # noqa: N818 - a state, not a fault
    """Not all VMs of a checkout are ready; the text says why."""


class NotEnabled(Exception):  # noqa: N818 - a state, not a fault
    """The configuration doesn't allow that pools are changed through the API."""


class UnknownName(Exception):  # noqa: N818 - an answer, not a fault
    """A name that is asked for isn't known, or none is given; users read the text, if there is one."""


class ClientLeft(Exception):  # noqa: N818 - a fact, not a fault
    """The client closed its connection; whatever is answered, nobody reads it."""
