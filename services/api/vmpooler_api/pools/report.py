"""What the API tells of the pools' configuration."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from vmpooler_common.config import PoolSettings
from vmpooler_common.config.show.redaction import MASK, looks_secret, redacted_pool
from vmpooler_common.model.overrides import CurrentOverrides

_EXAMPLE: JsonDict = {
    "name": "debian-12-x86_64",
    "alias": ["debian"],
    "size": 2,
    "template": "templates/debian-12.7",
    "provider": "vsphere-lab",
    "clone_target": "cluster-red",
    "timeout": 15,
    "ready_ttl": 60,
    "check_loop_delay_min": 5,
    "check_loop_delay_max": 60,
    "check_loop_delay_decay": 2.0,
    "folder": "pools/debian-12",
    "template_ready": True,
    "configured": {"size": 5, "template": "templates/debian-12.7", "clone_target": "cluster-red"},
}


_FULL: JsonDict = {
    "config": {"site_name": "lab", "experimental_features": True},
    "redis": {"server": "redis.example.com", "password": MASK},
    "pools": [{"name": "debian-12-x86_64", "size": 5, "template": "templates/debian-12.7"}],
}


class Configured(BaseModel):
    """What counts when nothing is set through the API."""

    size: int
    template: str
    clone_target: str | None = None


class PoolConfiguration(BaseModel):
    """One pool: what counts now. Further members are the pool's other settings, but for secrets."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"example": _EXAMPLE})

    name: str
    alias: str | Sequence[str] | None = Field(None, description="As configured.")
    size: int = Field(description="Set through the API, else configured.")
    template: str = Field(description="Likewise.")
    provider: str
    clone_target: str | None = Field(None, description="Likewise.")
    dns_plugin: str | None = None
    timeout: int | float = Field(description="Minutes.")
    ready_ttl: int | float = Field(description="Minutes.")
    check_loop_delay_min: int | float = Field(description="Seconds.")
    check_loop_delay_max: int | float = Field(description="Seconds.")
    check_loop_delay_decay: int | float
    paused: bool | None = Field(None, description="True while the pool, or its provider, is paused.")
    template_ready: bool = Field(
        description="The pool's manager makes VMs from this template; false until it has taken it over."
    )
    configured: Configured


class ConfigurationVerdict(BaseModel):
    """It went well."""

    ok: Annotated[bool, Field(description="Always true.")] = True


class ConfigurationReport(BaseModel):
    """All pools in the order of the configuration."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"pool_configuration": [_EXAMPLE], "status": {"ok": True}}}
    )

    pool_configuration: list[PoolConfiguration]
    status: ConfigurationVerdict = ConfigurationVerdict()


class FullReport(BaseModel):
    """Everything that is configured, in the form of a configuration file."""

    model_config = ConfigDict(json_schema_extra={"example": {"full_config": _FULL, "status": {"ok": True}}})

    full_config: dict[str, Any]
    status: ConfigurationVerdict = ConfigurationVerdict()


def report_configuration(pools: Sequence[PoolSettings], current: CurrentOverrides) -> ConfigurationReport:
    """Describe the pools as they are configured and as they were changed."""
    return ConfigurationReport(
        pool_configuration=[PoolConfiguration(**_members(pool, current)) for pool in pools]
    )


def _members(pool: PoolSettings, current: CurrentOverrides) -> Mapping[str, Any]:
    overrides = current.of(pool.name)
    size = pool.size if overrides.size is None else overrides.size
    template = overrides.template or pool.template
    return {
        **{key: value for key, value in redacted_pool(pool).items() if not looks_secret(key)},
        "size": size,
        "template": template,
        "clone_target": overrides.clone_target or pool.clone_target,
        "template_ready": current.prepared.get(pool.name) == template,
        "configured": Configured(size=pool.size, template=pool.template, clone_target=pool.clone_target),
    }
