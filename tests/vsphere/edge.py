"""A small SOAP server that says what govmomi's simulator can't: at the driver's edge, no whole vCenter.

Answers are values of pyVmomi's types, written by its own serialiser. It holds objects with properties, pages
its answers, ends sessions, and asks a test for updates.
"""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import trustme
from pyVmomi import vim, vmodl

from tests.vsphere.soap import ENVELOPE, Request, answer_to, local, refusal

_PC = vmodl.query.PropertyCollector


class Edge:
    """The server's world: a test fills it in and looks at what was asked."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[Any, dict[str, Any]]] = {}
        self.paths: dict[str, Any] = {}
        self.uuids: dict[str, Any] = {}
        self.lacking: set[str] = set()
        """Privileges that the user lacks."""
        self.page = 1000
        self.asked: list[Request] = []
        self.updates: Callable[[str, int], Any] = no_updates
        """Answers WaitForUpdatesEx, by the version and the longest wait."""
        self.sessions: set[str] = set()
        self.logins = 0
        self.waiting = threading.Event()
        self.called_off = threading.Event()
        self._rest: list[Any] = []
        self.port = 0
        self.ca_file = ""

    @property
    def settings(self) -> dict[str, Any]:
        """Give the settings of a provider of this server."""
        return {
            "server": "127.0.0.1",
            "port": self.port,
            "username": "pooler",
            "password": "secret",
            "ca_file": self.ca_file,
            "datacenter": "DC",
            "retry_factor": 0.1,
            "operation_timeout": 30,
        }

    def put(self, ref: Any, *, path: str = "", **properties: Any) -> Any:
        """Add an object; two underscores in a name are a dot."""
        named = {name.replace("__", "."): value for name, value in properties.items()}
        self.objects[ref._GetMoId()] = (ref, named)
        if path:
            self.paths[path] = ref
        if uuid := named.get("config.instanceUuid"):
            self.uuids[uuid] = ref
        return ref

    def asked_for(self, method: str) -> list[Request]:
        """List the calls of a method so far."""
        return [one for one in self.asked if one.method == method]

    def end_sessions(self) -> None:
        """End all sessions, and the waits that go on in them."""
        self.sessions.clear()
        self.called_off.set()

    def answer(self, request: Request) -> Any:
        """Do what is asked; raises a fault of vCenter."""
        self.asked.append(request)
        if request.method not in ("RetrieveServiceContent", "Login") and request.cookie not in self.sessions:
            raise vim.fault.NotAuthenticated(privilegeId="System.View")
        return getattr(self, request.method)(request)

    def RetrieveServiceContent(self, request: Request) -> Any:  # noqa: N802 - vCenter's names from here on
        return vim.ServiceInstanceContent(
            rootFolder=vim.Folder("group-d1"),
            propertyCollector=_PC("propertyCollector"),
            viewManager=vim.view.ViewManager("ViewManager"),
            about=_filled(
                vim.AboutInfo, "name fullName vendor version build osType productLineId apiType apiVersion"
            ),
            sessionManager=vim.SessionManager("SessionManager"),
            searchIndex=vim.SearchIndex("SearchIndex"),
            authorizationManager=vim.AuthorizationManager("AuthorizationManager"),
        )

    def Login(self, request: Request) -> Any:  # noqa: N802
        self.logins += 1
        self.sessions.add(f"session-{self.logins}")
        return self._session()

    def Fetch(self, request: Request) -> Any:  # noqa: N802
        assert request.text("prop") == "currentSession"
        return self._session()

    def _session(self) -> Any:
        names, now = "userName fullName locale messageLocale", datetime.now(UTC)
        return _filled(
            vim.UserSession, names, key=f"session-{self.logins}", loginTime=now, lastActiveTime=now
        )

    def Logout(self, request: Request) -> None:  # noqa: N802
        self.sessions.discard(request.cookie)

    def FindByInventoryPath(self, request: Request) -> Any:  # noqa: N802
        return self.paths.get(request.text("inventoryPath"))

    def FindByUuid(self, request: Request) -> Any:  # noqa: N802
        return self.uuids.get(request.text("uuid"))

    def CreatePropertyCollector(self, request: Request) -> Any:  # noqa: N802
        return _PC("session-collector")

    def CreateContainerView(self, request: Request) -> Any:  # noqa: N802
        return vim.view.ContainerView("view-1")

    def CreateFilter(self, request: Request) -> Any:  # noqa: N802
        return _PC.Filter("filter-1")

    def DestroyPropertyFilter(self, request: Request) -> None:  # noqa: N802
        return None

    def CancelWaitForUpdates(self, request: Request) -> None:  # noqa: N802
        self.called_off.set()

    def WaitForUpdatesEx(self, request: Request) -> Any:  # noqa: N802
        longest = int(request.text("maxWaitSeconds") or 0)
        news = self.updates(request.text("version"), longest)
        if news is None and longest:
            self.called_off.clear()
            self.waiting.set()
            self.called_off.wait(longest)
            self.waiting.clear()
            if request.cookie not in self.sessions:
                raise vim.fault.NotAuthenticated(privilegeId="System.View")
            raise vmodl.fault.RequestCanceled
        return news

    def HasPrivilegeOnEntities(self, request: Request) -> Any:  # noqa: N802
        given = [
            vim.AuthorizationManager.PrivilegeAvailability(privId=one, isGranted=one not in self.lacking)
            for one in request.texts("privId")
        ]
        entity = self.objects[request.text("entity")][0]
        return [vim.AuthorizationManager.EntityPrivilege(entity=entity, privAvailability=given)]

    def CloneVM_Task(self, request: Request) -> Any:  # noqa: N802
        return vim.Task("task-1")

    def ReconfigVM_Task(self, request: Request) -> Any:  # noqa: N802
        return vim.Task("task-2")

    def RelocateVM_Task(self, request: Request) -> Any:  # noqa: N802
        return vim.Task("task-3")

    def RetrievePropertiesEx(self, request: Request) -> Any:  # noqa: N802
        self._rest = list(self._selected(request))
        return self._next_page()

    def ContinueRetrievePropertiesEx(self, request: Request) -> Any:  # noqa: N802
        return self._next_page()

    def _next_page(self) -> Any:
        now, self._rest = self._rest[: self.page], self._rest[self.page :]
        return _PC.RetrieveResult(objects=now, token="more" if self._rest else None)

    def _selected(self, request: Request) -> Iterator[Any]:
        wanted = request.texts("pathSet")
        for start in (one for one in request.arguments.iter() if local(one) == "objectSet"):
            [id_] = [one.text or "" for one in start if local(one) == "obj"]
            if id_ not in self.objects:
                raise vmodl.fault.ManagedObjectNotFound(obj=vim.Task(id_))
            steps = [one.text for one in start.iter() if local(one) == "path"]
            ids = [id_] if not steps else [one._GetMoId() for one in self.objects[id_][1][steps[0] or ""]]
            yield from (self.content_of(one, wanted) for one in ids)

    def content_of(self, id_: str, wanted: list[str]) -> Any:
        """Write down an object as far as wanted."""
        ref, properties = self.objects[id_]
        found = [
            vmodl.DynamicProperty(name=name, val=properties[name]) for name in wanted if name in properties
        ]
        return _PC.ObjectContent(obj=ref, propSet=found)

    def update_of(self, id_: str) -> Any:
        """Write down that an object has come, with all its properties."""
        ref, properties = self.objects[id_]
        changes = [
            _PC.Change(name=name, op="assign", val=value)
            for name, value in properties.items()
            if "." in name or name in ("name", "parent", "overallStatus")
        ]
        return _PC.ObjectUpdate(kind="enter", obj=ref, changeSet=changes)

    def news(self, ids: list[str], *, version: str, truncated: bool = False) -> Any:
        """Write down an answer to WaitForUpdatesEx."""
        part = _PC.FilterUpdate(filter=_PC.Filter("filter-1"), objectSet=[self.update_of(id_) for id_ in ids])
        return _PC.UpdateSet(version=version, filterSet=[part], truncated=truncated)


def no_updates(version: str, longest: int) -> Any:
    """Have nothing to tell."""
    return _PC.UpdateSet(version="1", filterSet=[], truncated=False) if not version else None


def _filled(kind: Any, names: str, **values: Any) -> Any:
    """Make a value whose other texts don't matter, but have to be there."""
    return kind(**dict.fromkeys(names.split(), "edge"), **values)


@contextmanager
def edge(directory: Path) -> Iterator[Edge]:
    """Run such a server for the length of the block."""
    world = Edge()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        served: ClassVar[Edge] = world

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            cookie = (self.headers.get("Cookie") or "").partition("vmware_soap_session=")[2].strip('";')
            request = Request(body, cookie.partition(";")[0].strip('"'))
            try:
                status, text = 200, answer_to(request, world.answer(request))
            except vmodl.MethodFault as fault:
                status, text = 500, refusal(fault)
            sent = ENVELOPE.format(text).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(sent)))
            if request.method == "Login":
                self.send_header("Set-Cookie", f"vmware_soap_session=session-{world.logins}")
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            return

    authority = trustme.CA()
    world.ca_file = str(directory / "ca.pem")
    authority.cert_pem.write_to_path(world.ca_file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    world.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield world
    finally:
        world.called_off.set()
        server.shutdown()
        server.server_close()
        thread.join()
