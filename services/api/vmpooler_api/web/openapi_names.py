"""The names of operations in the OpenAPI document: generators make names of functions of them.

They are an interface: an operation that has one keeps it.
"""

from collections.abc import Mapping

_V3 = "/api/v3"
_STATISTICS = "/dashboard/stats/vmpooler"

OPERATION_IDS: Mapping[tuple[str, str], str] = {
    ("get", f"{_V3}/vm"): "listPools",
    ("post", f"{_V3}/vm"): "checkOutVms",
    ("get", f"{_V3}/vm/{{name}}"): "showVm",
    ("put", f"{_V3}/vm/{{name}}"): "changeVm",
    ("post", f"{_V3}/vm/{{name}}"): "checkOutVmsByPath",
    ("delete", f"{_V3}/vm/{{name}}"): "returnVm",
    ("post", f"{_V3}/vm/{{name}}/disk/{{size}}"): "addDisk",
    ("post", f"{_V3}/vm/{{name}}/snapshot"): "takeSnapshot",
    ("post", f"{_V3}/vm/{{name}}/snapshot/{{snapshot}}"): "revertToSnapshot",
    ("post", f"{_V3}/ondemandvm"): "requestVms",
    ("post", f"{_V3}/ondemandvm/{{request_id}}"): "requestVmsByPath",
    ("get", f"{_V3}/ondemandvm/{{request_id}}"): "showRequest",
    ("delete", f"{_V3}/ondemandvm/{{request_id}}"): "deleteRequest",
    ("get", f"{_V3}/ondemandvm/{{request_id}}/explain"): "explainRequest",
    ("get", f"{_V3}/token"): "listTokens",
    ("post", f"{_V3}/token"): "createToken",
    ("get", f"{_V3}/token/{{token}}"): "showToken",
    ("delete", f"{_V3}/token/{{token}}"): "revokeToken",
    ("get", f"{_V3}/status"): "showStatus",
    ("get", f"{_V3}/poolstat"): "showPools",
    ("get", f"{_V3}/totalrunning"): "countRunningVms",
    ("get", f"{_V3}/summary"): "showSummary",
    ("get", f"{_V3}/summary/{{statistic}}"): "showSummaryOf",
    ("get", f"{_V3}/summary/{{statistic}}/{{key}}"): "showPartOfSummary",
    ("get", f"{_V3}/config"): "showPoolConfiguration",
    ("get", f"{_V3}/full_config"): "showConfiguration",
    ("post", f"{_V3}/config/poolsize"): "setPoolSizes",
    ("delete", f"{_V3}/config/poolsize/{{pool}}"): "resetPoolSize",
    ("post", f"{_V3}/config/pooltemplate"): "setPoolTemplates",
    ("delete", f"{_V3}/config/pooltemplate/{{pool}}"): "resetPoolTemplate",
    ("post", f"{_V3}/config/clonetarget"): "setCloneTargets",
    ("delete", f"{_V3}/config/clonetarget/{{pool}}"): "resetCloneTarget",
    ("post", f"{_V3}/poolreset"): "drainPools",
    ("get", f"{_V3}/pool/{{pool}}/explain"): "explainPool",
    ("post", f"{_V3}/pool/{{pool}}/pause"): "pausePool",
    ("delete", f"{_V3}/pool/{{pool}}/pause"): "resumePool",
    ("post", f"{_V3}/provider/{{provider}}/resume-deletion"): "resumeDeletion",
    ("get", f"{_STATISTICS}/pool"): "showDashboardPools",
    ("get", f"{_STATISTICS}/running"): "showDashboardRunning",
    ("get", f"{_STATISTICS}/status"): "showDashboardStatus",
    ("get", "/healthcheck"): "checkHealth",
    ("get", "/ready"): "checkReadiness",
}
"""Method and path -> name."""
