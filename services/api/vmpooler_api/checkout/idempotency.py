"""Reads the header by which a client says that it may be asking again."""

import re

from starlette.requests import Request

from vmpooler_api.web.client_address import ClientAddresses
from vmpooler_api.web.errors import BadRequest
from vmpooler_common.store.checkout.idempotency import IdempotencyKey

HEADER = "idempotency-key"
PATTERN = "^[ -~]{1,255}$"
SHORTEST_WITHOUT_TOKEN = 16
"""Characters: behind a proxy many clients have one address, and who guesses a key is told the VMs."""
_KEY = re.compile(PATTERN.strip("^$"))


def read_key(request: Request, addresses: ClientAddresses, *, has_token: bool) -> IdempotencyKey | None:
    """Give the key of a request, None where it has none. Raises BadRequest for one that can't be a key."""
    given = request.headers.getlist(HEADER)
    if not given:
        return None
    # An empty one is a client's mistake: it would believe itself safe.
    if len(given) > 1 or not _KEY.fullmatch(given[0]):
        raise BadRequest("Idempotency-Key must be one text of 1 to 255 printable ASCII characters")
    if not has_token and len(given[0]) < SHORTEST_WITHOUT_TOKEN:
        raise BadRequest(
            f"Idempotency-Key must have at least {SHORTEST_WITHOUT_TOKEN} characters without a token; "
            "take a random one"
        )
    return IdempotencyKey(given[0], addresses.address_of(request.scope))
