"""Takes, awaits and returns VMs by a client that openapi-generator made. Arguments: URL, token."""

import json
import sys
from typing import Any

from generated_client import (
    ApiClient,
    CheckedOut,
    CheckedOutList,
    Configuration,
    NumbersApi,
    OndemandvmApi,
    RequestList,
    RequestVmsRequest,
    VmApi,
)
from generated_client.exceptions import NotFoundException


def main(url: str, token: str) -> dict[str, Any]:
    with ApiClient(Configuration(host=url, api_key={"token": token})) as client:
        api, on_demand = VmApi(client), OndemandvmApi(client)
        pools = api.list_pools()
        taken = api.check_out_vms({"debian": 2}, format="list").actual_instance
        assert isinstance(taken, CheckedOutList)
        named = api.check_out_vms_by_path("rocky-9-x86_64").actual_instance
        assert isinstance(named, CheckedOut)
        try:
            api.check_out_vms_by_path("debain")
        except NotFoundException as error:
            refused = error.data.message
        opened = on_demand.request_vms(RequestVmsRequest.from_dict({"debian-12-x86_64": 1}))
        met = on_demand.show_request(opened.request_id, wait="45", format="list").actual_instance
        assert isinstance(met, RequestList)
        shown = api.show_vm(met.vms[0].hostname)
        vms = [*taken.vms, *met.vms]
        return {
            "pools": pools,
            "vms": [vm.to_dict() for vm in vms],
            "named": named.to_dict(),
            "refused": refused,
            "ready": met.ready,
            "counts": [count.to_dict() for count in met.counts],
            "shown": {name: value.to_dict() for name, value in shown.items()},
            "returned": [api.return_vm(vm.hostname).ok for vm in vms],
            "status": NumbersApi(client).show_status().status.ok is not None,
        }


print(json.dumps(main(*sys.argv[1:])))
