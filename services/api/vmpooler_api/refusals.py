"""What a client did wrong, before anything was asked of the store."""


class BadRequest(Exception):  # noqa: N818 - named after the answer, 400
    """The request can't be understood; the text says why, in words that clients may know."""


class UnknownName(Exception):  # noqa: N818 - an answer, not a fault
    """A name that is asked for is neither a pool nor an alias, or no name is given at all."""


class ClientLeft(Exception):  # noqa: N818 - a fact, not a fault
    """The client closed its connection; whatever is answered, nobody reads it."""
