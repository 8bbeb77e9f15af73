"""What can go wrong with DNS, grouped by what to do about it.

DnsError
├── DnsUnavailable      try again later, with growing delays
├── DnsMisconfigured    trying again is useless until somebody changes something, here or at the server
└── NameTaken           the name has records that aren't ours: take another name
"""


class DnsError(Exception):
    """Base of all errors that a plug-in raises. The message is shown to operators: no secrets in it."""


class DnsUnavailable(DnsError):  # noqa: N818 - the field's word
    """The call failed and may work later: network, time-out, load, a fault of the server."""


class DnsMisconfigured(DnsError):  # noqa: N818 - the field's word
    """The call can't work as configured: wrong key, wrong zone, no permission, plug-in not installed."""


class NameTaken(DnsError):  # noqa: N818 - the field's word
    """The name has records that somebody else made, or that belong to another VM."""
