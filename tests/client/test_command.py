"""Every command against real services: with users and without, in a pipe and in a terminal."""

import stat
from dataclasses import dataclass

import pytest

from tests.client.command import Command, Finished
from tests.client.pair import DEBIAN, ROCKY, SMALL, Pair
from tests.support.services import Service

WAIT = "--wait=60s"
PASSWORD = "secret"


@dataclass(frozen=True, slots=True)
class Setting:
    """A way to call the command."""

    vmpooler: Command
    tty: bool
    has_users: bool
    service: Service

    def __call__(self, *arguments: str, code: int = 0, typed: str = "") -> Finished:
        """Call it and expect this exit code."""
        finished = self.vmpooler(*arguments, tty=self.tty, typed=typed)
        assert finished.code == code, (arguments, finished)
        return finished

    def says(self, finished: Finished, text: str) -> bool:
        """Tell whether people see this, on whichever stream."""
        return text in " ".join([*finished.lines, finished.err])


@pytest.fixture(params=["pipe", "terminal"])
def tty(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "terminal")


@pytest.fixture(params=["without users", "with users"])
def call(request: pytest.FixtureRequest, pair: Pair, vmpooler: Command, tty: bool) -> Setting:
    """Return a way to call the command, after a login as alice."""
    has_users = request.param == "with users"
    service = pair.guarded if has_users else pair.api
    setting = Setting(vmpooler, tty, has_users, service)
    if tty:
        finished = setting("login", service.base_url, "--user", "alice", typed=f"{PASSWORD}\n" * has_users)
    else:
        finished = setting(
            "login", service.base_url, "--user=alice", "--password-stdin", typed=f"{PASSWORD}\n"
        )
    assert setting.says(finished, "no users") is not has_users
    return setting


def hostname(finished: Finished) -> str:
    """Give the host name that `get` printed, wherever the terminal showed other things."""
    (found,) = [line.split()[-1] for line in finished.lines if line.strip().endswith(".example.test")]
    return found


def test_a_vm_from_get_to_return(call: Setting) -> None:
    listed = call("list", "deb")
    assert any(line.split()[0] == DEBIAN and "debian" in line for line in listed.lines)
    assert not any(ROCKY in line for line in listed.lines)
    vm = hostname(call("get", "debian", WAIT, "--lifetime=5", "--tag", "project=installer"))
    shown = call("show", vm)
    for text in (vm, DEBIAN, "running", "project=installer", "5h00m"):
        assert call.says(shown, text)
    assert call.says(call("extend", vm, "20"), "ends in 20h00m")
    assert call.says(call("tag", vm, "user=alice"), "installer")
    assert "+8gb" in call("disk", vm, "8", "--wait").out
    snapshot = call("snapshot", vm, "--wait").lines[-1].strip()
    assert len(snapshot) == 32
    assert snapshot in call("revert", vm, "--wait").out
    if call.has_users:
        assert vm in call("mine").out
    else:
        assert call.says(call("mine", code=7), "no users")
    assert vm in call("return", vm).out
    assert call.says(call("return", vm, code=3), f"no running VM is called {vm.partition('.')[0]}")


def test_several_vms_all_or_none(call: Setting) -> None:
    names = call("get", "debian=2", "small", WAIT).lines
    vms = [line.strip() for line in names if line.strip().endswith(".example.test")]
    assert len(vms) == 3
    assert call.says(call("get", "small=2", code=5), "keeps 1 VM ready at most")
    assert call.says(call("get", "small=2", WAIT, code=5), "on demand")
    assert call.says(call("get", "nope", code=3), "'nope' is neither a pool nor an alias")
    if call.has_users:
        assert call.says(call("return", "--all", *(() if call.tty else ("--yes",)), typed="y\n"), vms[0][:8])
        assert not call("mine").out.strip().endswith(".example.test")
    else:
        call("return", *vms)


def test_vms_on_demand(call: Setting) -> None:
    got = call("get", "rocky", "--ondemand")
    request = call("get", "rocky=2", "--ondemand", "--detach").lines[-1].strip()
    assert call.says(call("explain", request), "2 VMs")
    assert call.says(call("requests", request), request)
    call("requests", request, "--delete")
    assert call.says(call("requests", request), "deleted")
    assert call.says(call("explain", "nope", code=3), "no request found")
    call("return", hostname(got))


def test_operators_look_and_change(call: Setting) -> None:
    assert call.says(call("status"), "clones today")
    assert any(SMALL in line for line in call("pools").lines)
    assert call.says(call("pool", ROCKY), "provider")
    assert call.says(call("explain", SMALL), "of 1 ready")
    assert call.says(call("providers"), "dummy")
    code = 4 if call.has_users else 0  # alice is no admin
    changed = call("pool", ROCKY, "--template=templates/other", "--clone-target=blue", "--reset", code=code)
    if call.has_users:
        assert call.says(changed, "is for admins")
        return
    assert call.says(changed, "templates/other")
    assert call.says(call("pool", ROCKY, "--pause=its template is rebuilt"), "its template is rebuilt")
    assert not call.says(call("pool", ROCKY, "--resume"), "paused")
    assert call.says(call("providers", "dummy", "--resume-deletion"), "0 are released")
    taken_back = call(
        "pool", ROCKY, "--template=configured", "--clone-target=configured", "--size=configured"
    )
    assert not call.says(taken_back, "templates/other")
    assert call.says(call("pool", "nope", code=3), "there is no pool nope")
    assert call.says(call("pool", ROCKY, "--size=many", code=2), "many is no number")


def test_tokens_and_services(call: Setting) -> None:
    login = ("--user=alice", "--password-stdin") if not call.tty else ("--user=alice",)
    typed = f"{PASSWORD}\n"
    if not call.has_users:
        assert call.says(call("token", "list", *login, typed=typed, code=7), "no users")
        return
    assert call.says(call("services"), call.service.base_url)
    file = call.vmpooler.home / ".config" / "vmpooler" / "client.yaml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    first = file.read_text()
    call("token", "login", *login, typed=typed)
    assert file.read_text() != first
    assert call.says(call("token", "list", *login, typed=typed), "never")
    assert call.says(call("token", "revoke", *login, typed=typed), "void")
    assert call.says(call("mine", code=4), "vmpooler token login")
    wrong = ("--user=bob", *login[1:])
    assert call.says(call("token", "list", *wrong, typed="bob\n", code=4), "valid token")


def test_an_admin_looks_after_the_tokens_of_others(pair: Pair, vmpooler: Command) -> None:
    vmpooler.environment["VMPOOLER_URL"] = pair.guarded.base_url
    vmpooler("login", pair.guarded.base_url, "--user=erna", "--password-stdin", typed=f"{PASSWORD}\n")
    login = ("--of=erna", "--user=root", "--password-stdin")
    (line,) = vmpooler("token", "list", *login, typed=f"{PASSWORD}\n").lines
    assert vmpooler("token", "revoke", line.split("\t")[0], *login, typed=f"{PASSWORD}\n").code == 0
    assert vmpooler("token", "list", *login, typed=f"{PASSWORD}\n").lines == []


def test_a_token_that_cannot_be_kept_is_void(pair: Pair, vmpooler: Command) -> None:
    login = ("--user=frida", "--password-stdin")
    url = ("--url", pair.guarded.base_url)
    vmpooler.environment["VMPOOLER_CLIENT_CONFIG"] = "/dev/null/client.yaml"
    ended = vmpooler("login", pair.guarded.base_url, *login, typed=f"{PASSWORD}\n")
    assert (ended.code, "client.yaml can't be" in ended.err) == (2, True)
    del vmpooler.environment["VMPOOLER_CLIENT_CONFIG"]
    (vmpooler.home / ".config").write_text("no directory")
    ended = vmpooler("login", pair.guarded.base_url, *login, typed=f"{PASSWORD}\n")
    assert (ended.code, "client.yaml can't be" in ended.err) == (2, True)
    assert vmpooler("token", "list", *url, *login, typed=f"{PASSWORD}\n").out == ""


def test_an_admin_sets_a_size(pair: Pair, vmpooler: Command) -> None:
    url = pair.guarded.base_url
    vmpooler("login", url, "--user=root", "--password-stdin", typed=f"{PASSWORD}\n")
    assert vmpooler("pool", DEBIAN, "--size=3", "--json").json["size"] == 3
    assert vmpooler("pool", DEBIAN, "--size=configured", "--json").json["size"] == 4


def test_programs_read_json(pair: Pair, vmpooler: Command) -> None:
    vmpooler.environment["VMPOOLER_URL"] = pair.api.base_url
    (vm,) = vmpooler("get", "debian", WAIT, "--json").json
    assert vm["name"] == "debian"
    (shown,) = vmpooler("show", vm["hostname"], "--json").json
    assert (shown["state"], shown["hostname"]) == ("running", vm["hostname"])
    assert vmpooler("extend", vm["hostname"], "20", "--json").json == {vm["hostname"]: {"lifetime": 20}}
    returned = vmpooler("return", vm["hostname"], "nope", "--json")
    assert (returned.code, returned.json["returned"], list(returned.json["failed"])) == (
        8,
        [vm["hostname"]],
        ["nope"],
    )
    assert list(vmpooler("list", "--json").json) == [DEBIAN, SMALL, ROCKY]
    assert vmpooler("pools", "--json").json[0]["name"]
    assert vmpooler("status", "--json").json["status"]["ok"] in (True, False)
    error = vmpooler("get", "nope", "--json").error
    assert (error["exit_code"], error["notes"]) == (3, [])
    assert "nope" in error["message"]


def test_ssh_becomes_the_users_own(pair: Pair, vmpooler: Command) -> None:
    (vmpooler.home / "ssh").write_text('#!/bin/sh\necho "ssh to $*"\n')
    (vmpooler.home / "ssh").chmod(0o755)
    vmpooler.environment |= {"VMPOOLER_URL": pair.api.base_url, "PATH": f"{vmpooler.home}:/usr/bin:/bin"}
    taken = vmpooler("get", "debian", WAIT, "--ssh")
    vm, said = taken.lines
    assert said == f"ssh to {vm}"
    assert f"vmpooler return {vm.partition('.')[0]}" in taken.err
    assert vmpooler("ssh", vm.partition(".")[0], "--", "uptime").lines == [f"ssh to {vm} uptime"]
    vmpooler("return", vm)
    assert "is destroyed" in vmpooler("ssh", vm).err


def test_colours_are_for_terminals_that_want_them(pair: Pair, vmpooler: Command) -> None:
    vmpooler.environment["VMPOOLER_URL"] = pair.api.base_url
    colour = "\x1b[3"
    assert colour in vmpooler("pools", tty=True).out
    assert colour not in vmpooler("pools", tty=True, environment={"NO_COLOR": "1"}).out
    assert colour not in vmpooler("pools", "--no-color", tty=True).out
    assert "\x1b" not in vmpooler("pools").out


def test_a_reader_that_goes_away_is_no_fault(pair: Pair, vmpooler: Command) -> None:
    vmpooler.environment["VMPOOLER_URL"] = pair.api.base_url
    finished = vmpooler("list", unread=True)
    assert (finished.code, finished.err) == (141, "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands_and_names_of_pools(pair: Pair, vmpooler: Command, shell: str) -> None:
    vmpooler.environment["VMPOOLER_URL"] = pair.api.base_url

    def completed(*words: str) -> str:
        position = str(len(words) - 1) if shell != "fish" else words[-1]
        text = " ".join(words)
        variables = {"_VMPOOLER_COMPLETE": f"{shell}_complete", "COMP_WORDS": text, "COMP_CWORD": position}
        return vmpooler(environment=variables).out

    assert "_VMPOOLER_COMPLETE" in vmpooler("completion", shell).out
    assert "snapshot" in completed("vmpooler", "sn")
    assert "debian" in (got := completed("vmpooler", "get", "deb"))
    assert DEBIAN in got
    assert SMALL in completed("vmpooler", "pool", "s")
    vmpooler.environment["VMPOOLER_URL"] = "http://localhost:1"
    assert "Traceback" not in completed("vmpooler", "get", "deb")
