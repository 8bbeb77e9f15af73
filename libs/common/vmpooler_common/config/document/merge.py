"""How an extra file changes a document: mappings merge, lists replace, pools merge by name."""

from vmpooler_common.config.document.node import Node


def merge(base: Node, extra: Node) -> Node:
    """Return the document `base` with `extra` over it: what `extra` sets wins; its nulls set nothing."""
    merged = _over(base, extra)
    pools = extra.find("pools")
    if pools is None or not isinstance(pools.value, tuple):
        return merged
    return merged.replaced(("pools",), _pools(base.find("pools"), pools))


def _over(base: Node, extra: Node) -> Node:
    if extra.value is None:
        return base
    if not isinstance(base.value, dict) or not isinstance(extra.value, dict):
        return extra
    result = dict(base.value)
    for key, node in extra.value.items():
        result[key] = _over(result[key], node) if key in result else node
    return Node(result, base.origin)


def _pools(base: Node | None, extra: Node) -> Node:
    """Merge pools by name, new ones behind; a name twice in one document stays twice and is reported."""
    pools = list(base.items) if base is not None else []
    positions: dict[object, int] = {}
    for index, pool in enumerate(pools):
        positions.setdefault(_name(pool), index)
    for pool in extra.items:
        position = positions.pop(name, None) if (name := _name(pool)) is not None else None
        if position is None:
            pools.append(pool)
        else:
            pools[position] = _over(pools[position], pool)
    return Node(tuple(pools), extra.origin)


def _name(pool: Node) -> str | None:
    """Return the pool's name as text: a number and its digits in quotes are the same name."""
    name = pool.find("name")
    return None if name is None or isinstance(name.value, dict | tuple | None) else str(name.value)
