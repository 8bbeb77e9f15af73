"""How every answer in JSON looks: indented by two spaces, members in the order given, no line end."""

import json
from typing import Any

from starlette.responses import JSONResponse


class JsonAnswer(JSONResponse):
    """An answer in JSON. The content holds no infinities and no text with lone surrogates."""

    def render(self, content: Any) -> bytes:
        """Write the content as UTF-8."""
        return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False).encode()
