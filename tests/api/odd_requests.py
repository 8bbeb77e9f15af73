"""Requests that no client should send, for every operation that an OpenAPI document describes."""

import base64
import gzip
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

_PARAMETER = re.compile(r"\{\w+\}")
_VERSION = re.compile(r"/api/v\d")

NAMES = st.sampled_from(
    ["pool1", "poolone", "pool2", "ready", "alices", "bobs", "open", "boot", "tag", "good", "8", "nope"]
)
"""Some of them are known: pools, VMs, requests, statistics, tokens, sizes."""
MEMBERS = NAMES | st.sampled_from(["lifetime", "tags", "disk", "request_id", "ok", "", "a" * 101]) | st.text()
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | NAMES,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(MEMBERS, inner, max_size=5),
    max_leaves=10,
)
OBJECTS = st.dictionaries(MEMBERS, st.integers(-2, 120) | st.text("0123456789_-:/a") | VALUES, max_size=6)
"""Objects with members that some route reads, and values that none expects."""
ORDERS = st.dictionaries(st.sampled_from(["pool1", "poolone", "pool2"]), st.integers(1, 3), min_size=1)
"""Objects that are fine."""
_WRITTEN = (OBJECTS | VALUES | ORDERS).map(json.dumps)
BODIES = st.one_of(
    st.just(b""),
    st.binary(max_size=200),
    _WRITTEN.map(str.encode),
    _WRITTEN.map(lambda text: text.encode("utf-16")),
    _WRITTEN.map(lambda text: gzip.compress(text.encode())),
    _WRITTEN.map(lambda text: text.encode()[:-1]),
    st.sampled_from(
        [b"[" * 5_000, b'{"a":' * 2_000, b'{"pool1": 1}' + b" " * 20_000, b"{" + b" " * 1_000_000]
    ),
    st.sampled_from(
        [b'{"pool1": "\xff"}', b'{"pool1": 1e400}', b'{"\\ud800": 1}', b'{"tags": {"\\ud800": "x"}}']
    ),
)
SEGMENTS = st.one_of(
    NAMES,
    st.lists(NAMES, max_size=4).map("+".join),
    st.binary(max_size=40).map(lambda raw: "".join(f"%{byte:02x}" for byte in raw)),
    st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#?"), max_size=40),
    st.just("a" * 3000),
)
_PRINTABLE = st.text(
    st.characters(min_codepoint=33, max_codepoint=255, exclude_characters="\x7f"), max_size=60
)
_CREDENTIALS = st.sampled_from([b"alice:secret", b"alice:alice", b"alice"]) | st.binary(
    min_size=1, max_size=40
)
LOGIN = [
    ("X-AUTH-TOKEN", "good"),
    ("Authorization", f"Basic {base64.b64encode(b'alice:secret').decode()}"),
]
"""What the service accepts; with more headers of the same name, it is the last that may count."""
HEADERS = st.one_of(
    st.tuples(
        st.sampled_from(
            [
                *("X-AUTH-TOKEN", "Content-Type", "Content-Encoding", "Accept-Encoding", "Accept", "Referer"),
                *("Authorization", "Idempotency-Key", "X-Forwarded-For", "Origin", "Range"),
            ]
        ),
        _PRINTABLE,
    ),
    st.sampled_from(
        ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"]
    ).map(lambda kind: ("Content-Type", kind)),
    _CREDENTIALS.map(lambda raw: ("Authorization", f"Basic {base64.b64encode(raw).decode()}")),
)
_PARAMETERS = ("view", "view[]", "pool", "pool[a][b]", "from", "to", "history", "nope", "")
# None of them makes anybody wait.
_WAITS = st.sampled_from(["", "x", "-1", "60.", "1e400", "nan", "%ff", "0", "0.0", "%D9%A3", "00000000000"])
QUERIES = st.one_of(
    st.just(""),
    st.tuples(st.sampled_from(_PARAMETERS), SEGMENTS).map("?{0[0]}={0[1]}".format),
    _WAITS.map("?wait={}".format),
    st.sampled_from(
        ["?from=2026-13-45", "?from=0001-01-01&to=9999-12-31", "?" + "a[b]" * 500, "?%zz", "?&&=&"]
    ),
)


@dataclass(frozen=True, slots=True)
class OddRequest:
    """One request as it is to be sent; `path` is encoded, its query included."""

    method: str
    path: str
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes


@st.composite
def odd_requests(draw: st.DrawFn, operations: Sequence[tuple[str, str]]) -> OddRequest:
    """Draw a request for one of these operations: method and path template."""
    changing = [operation for operation in operations if operation[0] != "GET"]
    method, template = draw(st.sampled_from(operations) | st.sampled_from(changing))
    path = _PARAMETER.sub(lambda _: draw(SEGMENTS), template)
    headers = draw(st.lists(HEADERS, max_size=4)) + draw(st.sampled_from([[], LOGIN]))
    return OddRequest(
        method
        if draw(st.integers(0, 9))
        else draw(st.sampled_from(["GET", "HEAD", "PUT", "POST", "DELETE"])),
        path + draw(QUERIES),
        [(name.encode(), value.encode("latin-1")) for name, value in headers],
        draw(BODIES),
    )
