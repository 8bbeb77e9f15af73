"""Users with their passwords, for an API with the dummy directory, and the tokens that they make."""

import base64

from tests.api.in_process import Api

ALICE = ("alice", "secret")
BOB = ("bob", "secret")
ADMIN = ("root", "secret")


async def make_token(api: Api, user: tuple[str, str] = ALICE) -> str:
    """Have a user make a token."""
    answer = await api.client.post("/api/v3/token", auth=user)
    assert answer.status_code == 200
    return str(answer.json()["token"])


def basic_header(credentials: str | bytes, scheme: str = "Basic") -> dict[str, str]:
    """Give the header that holds credentials, right or not."""
    raw = credentials if isinstance(credentials, bytes) else credentials.encode()
    return {"Authorization": f"{scheme} {base64.b64encode(raw).decode()}"}
