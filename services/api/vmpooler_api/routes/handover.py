"""Checkout and return: the two acts that clients wait for, so plain routes without the framework's help.

That halves their cost. In exchange their part of the OpenAPI document is written here by hand, and tests
hold real answers against it.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vmpooler_api.bodies import LARGEST_BODY, read_body
from vmpooler_api.handing_out import HandingOut
from vmpooler_api.hostnames import short_name
from vmpooler_api.json_answer import JsonAnswer
from vmpooler_api.metrics import CheckoutMetrics
from vmpooler_api.offers import Offers
from vmpooler_api.orders import Order, order_from_body, order_from_path
from vmpooler_api.refusals import BadRequest, UnknownName
from vmpooler_api.taking_back import TakingBack
from vmpooler_common.store.checkouts import Checkout

ALL = "/api/v3/vm"
ONE = "/api/v3/vm/{name}"
TOKEN_HEADER = "x-auth-token"  # noqa: S105 - the name of the header


class Handover:
    """The handlers of these routes. `most`: limit of VMs in one request."""

    def __init__(
        self,
        handing_out: HandingOut,
        taking_back: TakingBack,
        *,
        offers: Offers,
        metrics: CheckoutMetrics,
        most: int,
        checks_tokens: bool,
    ) -> None:
        self._handing_out = handing_out
        self._taking_back = taking_back
        self._names = offers.names
        self._metrics = metrics
        self._most = most
        self._checks_tokens = checks_tokens

    def routes(self) -> list[Route]:
        """Give the routes, for the head of the app's list."""
        return [
            Route(ONE, self.check_out_by_path, methods=["POST"]),
            Route(ONE, self.take_back, methods=["DELETE"]),
            Route(ALL, self.check_out_by_body, methods=["POST"]),
        ]

    async def check_out_by_body(self, request: Request) -> Response:
        """Hand out what the body asks for."""
        body = await read_body(request, LARGEST_BODY)
        try:
            order = order_from_body(body, self._names, most=self._most)
        except (BadRequest, UnknownName):
            self._metrics.invalid()
            raise
        return await self._check_out(request, order)

    async def check_out_by_path(self, request: Request) -> Response:
        """Hand out what the path asks for. The body only has to be read for the client's leaving to show."""
        await read_body(request, LARGEST_BODY)
        try:
            order = order_from_path(request.path_params["name"], self._names, most=self._most)
        except (BadRequest, UnknownName):
            self._metrics.invalid()
            raise
        return await self._check_out(request, order)

    async def take_back(self, request: Request) -> Response:
        """Take one VM back."""
        # A VM that was taken with a token needs one even when tokens aren't checked any more.
        await self._taking_back.take_back(short_name(request.path_params["name"]), token=_token(request))
        return JsonAnswer({"ok": True})

    async def _check_out(self, request: Request, order: Order) -> Response:
        checkout = await self._handing_out.check_out(
            order,
            token=_token(request) if self._checks_tokens else None,
            has_left=request.is_disconnected,
        )
        return JsonAnswer(_granted(checkout))


def _token(request: Request) -> str | None:
    return request.headers.get(TOKEN_HEADER) or None


def _granted(checkout: Checkout) -> dict[str, Any]:
    hostnames: defaultdict[str, list[str]] = defaultdict(list)
    for grant in checkout.grants:
        hostnames[grant.name].append(grant.fqdn)
    granted = {
        name: {"hostname": of_name[0] if len(of_name) == 1 else of_name}
        for name, of_name in hostnames.items()
    }
    return {"ok": True, **granted}


def _answer(description: str, schema: Mapping[str, Any], **headers: str) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": description,
        "content": {"application/json": {"schema": dict(schema)}},
    }
    if headers:
        answer["headers"] = {
            name.replace("_", "-"): {"description": text, "schema": {"type": "string"}}
            for name, text in headers.items()
        }
    return answer


def _object(**members: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": members,
        "required": list(members),
        "additionalProperties": False,
    }


_OK = {"const": True}
_NOT_OK = {"const": False}
_TEXT = {"type": "string"}
_PLAIN_REFUSAL = _object(ok=_NOT_OK)
_REFUSAL_WITH_REASON = _object(ok=_NOT_OK, error=_TEXT)
_REFUSED_OR_AWAY = _object(ok=_NOT_OK, message=_TEXT) | {"required": ["ok"]}
_GRANTED = {
    "type": "object",
    "properties": {"ok": _OK},
    "required": ["ok"],
    "additionalProperties": _object(
        hostname={"oneOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 2}]}
    ),
    "minProperties": 2,
}
_TOKEN_PARAMETER = {
    "name": "X-AUTH-TOKEN",
    "in": "header",
    "required": False,
    "description": "A token. A VM that is taken with one lives longer and is only given back with one.",
    "schema": _TEXT,
}
_UNAUTHORIZED = _answer("The token isn't known.", _PLAIN_REFUSAL, WWW_Authenticate="Always Basic.")
_CHECKOUT_ANSWERS = {
    "200": _answer("The VMs, by requested name; a list where several were asked for.", _GRANTED),
    "400": _answer("The request can't be understood.", _REFUSAL_WITH_REASON),
    "401": _UNAUTHORIZED,
    "404": _answer("A name isn't known, or none is given.", _PLAIN_REFUSAL),
    "503": _answer(
        "Not all VMs are ready, so none was handed out; with a message: Redis can't be used for now.",
        _REFUSED_OR_AWAY,
        Retry_After="Seconds; with a message.",
    ),
}

OPERATIONS: Mapping[str, Mapping[str, Any]] = {
    ALL: {
        "post": {
            "tags": ["vm"],
            "summary": "Take VMs",
            "description": "All that are asked for, or none. The body is read as JSON whatever its type.",
            "operationId": "check_out",
            "parameters": [_TOKEN_PARAMETER],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {
                            "type": "object",
                            "description": "Pool or alias -> number of VMs.",
                            "additionalProperties": {
                                "oneOf": [
                                    {"type": "integer", "minimum": 1, "maximum": 100},
                                    {"type": "string", "pattern": "^[0-9]+$"},
                                ]
                            },
                            "minProperties": 1,
                            "example": {"debian-12-x86_64": 1},
                        }
                    }
                },
            },
            "responses": _CHECKOUT_ANSWERS,
        }
    },
    ONE: {
        "post": {
            "tags": ["vm"],
            "summary": "Take VMs, named in the path",
            "description": "Pools or aliases joined by `+`; a name may be repeated.",
            "operationId": "check_out_by_path",
            "parameters": [
                {"name": "name", "in": "path", "required": True, "schema": _TEXT},
                _TOKEN_PARAMETER,
            ],
            "responses": _CHECKOUT_ANSWERS,
        },
        "delete": {
            "tags": ["vm"],
            "summary": "Give a VM back",
            "description": "It is destroyed. The host name may be given with or without a domain.",
            "operationId": "give_back",
            "parameters": [
                {"name": "name", "in": "path", "required": True, "schema": _TEXT},
                _TOKEN_PARAMETER,
            ],
            "responses": {
                "200": _answer("It was given back.", _object(ok=_OK)),
                "400": _answer("This is no host name.", _REFUSAL_WITH_REASON),
                "401": _answer(
                    "The VM was taken with a token, and a valid one is needed.",
                    _PLAIN_REFUSAL,
                    WWW_Authenticate="Always Basic.",
                ),
                "404": _answer("No running VM has this name.", _PLAIN_REFUSAL),
                "503": _answer(
                    "Redis can't be used for now.",
                    _object(ok=_NOT_OK, message=_TEXT),
                    Retry_After="Seconds.",
                ),
            },
        },
    },
}
"""The OpenAPI entries of these routes: path -> method -> operation."""
