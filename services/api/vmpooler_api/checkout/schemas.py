"""The forms of the answers of a checkout, for the API's description."""

from pydantic import BaseModel, ConfigDict, Field


class GrantedHostname(BaseModel):
    """VMs of one name."""

    hostname: str | list[str] = Field(description="A list where several VMs of the name were asked for.")


class CheckedOut(BaseModel):
    """The VMs, one member for each requested name."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, GrantedHostname] = Field(init=False)

    ok: bool


class ListedVm(BaseModel):
    """One VM that was handed out."""

    name: str = Field(description="The pool or alias that was asked for.")
    hostname: str = Field(description="Its short name, by which its routes know it.")
    fqdn: str = Field(description="With its domain, where it has one.")
    pool: str


class CheckedOutList(BaseModel):
    """The VMs, with `?format=list`."""

    ok: bool
    vms: list[ListedVm]
