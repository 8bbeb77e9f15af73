"""go-vmpooler, which speaks v1 only and trusts the types of everything, works."""

from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from tests.api.in_process import Api, make_ready
from tests.clients.conftest import TOKEN
from tests.clients.go_vmpooler import GoVmpooler, UnexpectedAnswerError

DEBIAN, ROCKY = "debian-12-x86_64", "rocky-9-x86_64"


@pytest.fixture
async def go(api: Api) -> AsyncIterator[GoVmpooler]:
    """Yield alice's program."""
    async with aclosing(GoVmpooler(f"{api.client.base_url}/api/v1", token=TOKEN)) as go:
        yield go


async def test_templates_are_listed(go: GoVmpooler) -> None:
    assert await go.list_templates() == [DEBIAN, ROCKY]


async def test_a_vm_is_taken_looked_at_and_given_back(api: Api, go: GoVmpooler) -> None:
    await api.fleet.ready(DEBIAN, "one")
    vm = await go.create(DEBIAN)
    assert (vm.hostname, vm.fqdn, vm.state) == ("one", "one.example.test", "running")
    assert vm.template == ("debian", "12", "x86_64")
    assert vm.lifetime > vm.running
    await go.delete(vm.hostname)
    with pytest.raises(UnexpectedAnswerError, match="404"):
        await go.delete(vm.hostname)


async def test_a_vm_is_changed(api: Api, go: GoVmpooler) -> None:
    await api.fleet.running(DEBIAN, "one", token=TOKEN)
    assert (await go.set_lifetime("one", 7)).lifetime == 7
    vm = await go.set_tags("one", b'{"department":"engineering","user":"jdoe"}')
    assert vm.tags == {"department": "engineering", "user": "jdoe"}


async def test_all_vms_of_the_token_are_looked_at(api: Api, go: GoVmpooler) -> None:
    assert await go.get_all() == []
    await api.fleet.ready(DEBIAN, "one")
    await api.fleet.ready(ROCKY, "two")
    await go.create(DEBIAN)
    await go.create(ROCKY)
    assert sorted(vm.hostname for vm in await go.get_all()) == ["one", "two"]


async def test_a_vm_that_has_no_domain_does_no_harm(api: Api, go: GoVmpooler) -> None:
    await make_ready(api.fleet, DEBIAN, "one", domain="")
    assert (await go.create(DEBIAN)).hostname == "one"


async def test_what_isnt_there_is_an_error(go: GoVmpooler) -> None:
    with pytest.raises(UnexpectedAnswerError, match="503"):
        await go.create(DEBIAN)
    with pytest.raises(UnexpectedAnswerError, match="404"):
        await go.get("unknown")
