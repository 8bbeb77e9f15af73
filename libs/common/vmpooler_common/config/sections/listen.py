"""Where a service listens: set by the command line and the environment, not by a document."""

from typing import Annotated

from pydantic import BeforeValidator

from vmpooler_common.config.declare.addresses import host_name
from vmpooler_common.config.declare.field import Section, Setting
from vmpooler_common.config.declare.types import split_list, whole


class ListenSection(Section):
    """The address that the service's web server takes."""

    host: Annotated[
        tuple[Annotated[str, host_name()], ...],
        BeforeValidator(split_list),
        Setting(
            "--host: addresses to listen on, :: for all of both families",
            environment=("VMPOOLER_HOST",),
            in_effect=True,
            type_name="comma list of hosts",
            default="127.0.0.1",
        ),
    ] = ("127.0.0.1",)
    port: Annotated[
        int | None,
        whole(maximum=65535),
        Setting(
            "--port: port to listen on; 0: any free one",
            environment=("VMPOOLER_PORT", "PORT"),
            in_effect=True,
            default="API 4567, manager 4568",
        ),
    ] = None
