"""Old spellings in a document, brought to the present ones. Applied to each document before merging."""

from vmpooler_common.config.document.node import Node
from vmpooler_common.config.document.problems import Findings

_REDIS = {
    "redis_connection_pool_size": "connection_pool_size",
    "redis_connection_pool_timeout": "connection_pool_timeout",
}
_PURGE = {"purge_unconfigured_folders": "purge_unconfigured_resources"}
_PROVIDER = _PURGE | {"folder_whitelist": "resources_allowlist"}


def migrate(root: Node, findings: Findings) -> Node:
    """Return `root` with today's spellings; each old one is a warning."""
    root = _move_vsphere(root, findings)
    root = _rename_at(root, ("redis",), _REDIS, findings)
    root = _rename_at(root, ("config",), _PURGE, findings)
    providers = root.find("providers")
    for name in providers.children if providers else ():
        root = _rename_at(root, ("providers", name), _PROVIDER, findings)
    pools = root.find("pools")
    if pools is None or not pools.items:
        return root
    return root.replaced(("pools",), Node(tuple(_tidy(pool, findings) for pool in pools.items), pools.origin))


def _move_vsphere(root: Node, findings: Findings) -> Node:
    old = root.find("vsphere")
    if old is None:
        return root
    root = root.without("vsphere")
    if root.find("providers", "vsphere") is not None:
        findings.warn(old.origin, "ignored beside providers.vsphere")
        return root
    findings.warn(old.origin, "the section's place is old: move it to providers.vsphere")
    return root.replaced(("providers", "vsphere"), old)


def _rename_at(root: Node, path: tuple[str, ...], names: dict[str, str], findings: Findings) -> Node:
    section = root.find(*path)
    if section is None:
        return root
    renamed = section
    for old, new in names.items():
        node = section.find(old)
        if node is None:
            continue
        renamed = renamed.without(old)
        present = section.find(new)
        if present is not None and present.value is not None:
            findings.warn(node.origin, f"ignored beside {new}")
        else:
            findings.warn(node.origin, f"the key's name is old: use {new}")
            renamed = renamed.replaced((new,), node)
    return root if renamed is section else root.replaced(path, renamed)


def _tidy(pool: Node, findings: Findings) -> Node:
    ignored = pool.find("pool")
    if ignored is None:
        return pool
    findings.warn(ignored.origin, "ignored: a pool has no such key")
    return pool.without("pool")
