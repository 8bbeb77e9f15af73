"""Takes, awaits and returns VMs by a client that openapi-python-client made. Arguments: URL, token."""

import json
import sys
from typing import Any

from generated_client import AuthenticatedClient
from generated_client.api.numbers import show_status
from generated_client.api.ondemandvm import request_vms, show_request
from generated_client.api.vm import check_out_vms, check_out_vms_by_path, list_pools, return_vm, show_vm
from generated_client.models import (
    CheckedOut,
    CheckedOutList,
    CheckOutVmsBody,
    CheckOutVmsFormat,
    Done,
    Opened,
    RefusalWithMessage,
    RequestList,
    RequestVmsBody,
    ShowRequestFormat,
    StatusReport,
)


def main(url: str, token: str) -> dict[str, Any]:
    client = AuthenticatedClient(
        base_url=url, token=token, auth_header_name="X-AUTH-TOKEN", prefix="", timeout=60
    )
    pools = list_pools.sync(client=client)
    wanted = CheckOutVmsBody.from_dict({"debian": 2})
    taken = check_out_vms.sync(client=client, body=wanted, format_=CheckOutVmsFormat.LIST)
    assert isinstance(taken, CheckedOutList)
    named = check_out_vms_by_path.sync("rocky-9-x86_64", client=client)
    assert isinstance(named, CheckedOut)
    refused = check_out_vms_by_path.sync("debain", client=client)
    assert isinstance(refused, RefusalWithMessage)
    opened = request_vms.sync(client=client, body=RequestVmsBody.from_dict({"debian-12-x86_64": 1}))
    assert isinstance(opened, Opened)
    met = show_request.sync(opened.request_id, client=client, wait="45", format_=ShowRequestFormat.LIST)
    assert isinstance(met, RequestList)
    shown = show_vm.sync(met.vms[0].hostname, client=client)
    vms = [*taken.vms, *met.vms]
    returned = [return_vm.sync(vm.hostname, client=client) for vm in vms]
    return {
        "pools": pools,
        "vms": [vm.to_dict() for vm in vms],
        "named": named.to_dict(),
        "refused": refused.message,
        "ready": met.ready,
        "counts": [count.to_dict() for count in met.counts],
        "shown": shown.to_dict() if shown else None,
        "returned": [isinstance(answer, Done) and answer.ok for answer in returned],
        "status": isinstance(show_status.sync(client=client), StatusReport),
    }


print(json.dumps(main(*sys.argv[1:])))
