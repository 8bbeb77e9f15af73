"""Arguments and options as people write them."""

import re
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from vmpooler_client.models import Vm

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


class Duration(click.ParamType[float]):
    """Seconds, or with a unit: 90, 90s, 10m, 1h30m."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Give the seconds."""
        if isinstance(value, int | float):
            return float(value)
        parts = re.findall(r"(\d+(?:\.\d+)?)([smh]?)", value)
        if not parts or "".join(number + unit for number, unit in parts) != value:
            self.fail(f"{value} is no time such as 90, 10m or 1h30m", param, ctx)
        return float(sum(float(number) * _UNITS[unit] for number, unit in parts))


class PoolName(click.ParamType[Any]):
    """A pool or alias; the shell completes it."""

    name = "name"

    def __init__(self, *, with_aliases: bool = True) -> None:
        self._with_aliases = with_aliases

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """List the pools of the service that would be asked."""
        from vmpooler_cli.pool_names import known_names

        chosen = {name: ctx.params.get(name) for name in ("service", "url", "ca")}
        names = known_names(with_aliases=self._with_aliases, **chosen)
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


class Wanted(PoolName):
    """A pool or alias and how many VMs of it: debian, debian=2."""

    name = "name[=n]"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """Give name and count."""
        if isinstance(value, tuple):
            return value
        name, equals, count = value.partition("=")
        if not name or (equals and not (count.isascii() and count.isdigit() and int(count) > 0)):
            self.fail(f"{value} is no NAME or NAME=N, with N from 1 on", param, ctx)
        return name, int(count or 1)


class Tag(click.ParamType[tuple[str, str]]):
    """A key and a value: project=installer."""

    name = "key=value"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Give both."""
        if isinstance(value, tuple):
            return value
        key, equals, text = value.partition("=")
        if not key or not equals or not text:
            self.fail(f"{value} is no KEY=VALUE", param, ctx)
        return key, text


DURATION, WANTED, TAG = Duration(), Wanted(), Tag()
POOL, NAME = PoolName(with_aliases=False), PoolName()


def hours(number: float) -> str:
    """Say a time in hours and minutes."""
    minutes = round(number * 60)
    sign, minutes = ("-" if minutes < 0 else ""), abs(minutes)
    return f"{sign}{minutes // 60}h{minutes % 60:02}m" if minutes >= 60 else f"{sign}{minutes}m"


def remaining(vm: "Vm") -> str:
    """Say how long a VM is still there."""
    if vm.state != "running" or vm.remaining is None:
        return ""
    return hours(vm.remaining) if vm.lifetime else "no end"
