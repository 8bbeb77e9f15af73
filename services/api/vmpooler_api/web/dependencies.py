"""What routes may ask for of a request, as annotations."""

from typing import Annotated

from fastapi import Depends, Header, Path

from vmpooler_api.web.parameters import LONGEST, PATTERN


async def token_given(
    token: Annotated[
        str | None,
        Header(
            alias="X-AUTH-TOKEN", description="A token; it may be needed when authentication is configured."
        ),
    ] = None,
) -> str | None:
    """Give the token; an empty one is none."""
    return token or None


TheHostName = Annotated[
    str,
    Path(
        description="Host name, with or without a domain.",
        json_schema_extra={"pattern": f"^{PATTERN}$", "maxLength": LONGEST},
    ),
]
TheToken = Annotated[str | None, Depends(token_given)]
