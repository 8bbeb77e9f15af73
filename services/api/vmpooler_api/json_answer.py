"""How every answer of the API in JSON looks: as the manager's do."""

from vmpooler_common.json_answer import JsonAnswer

__all__ = ["JsonAnswer"]
