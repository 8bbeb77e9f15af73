"""SOAP as vCenter speaks it: requests read as far as tests need, answers written by pyVmomi's serialiser."""

import xml.etree.ElementTree as ElementTree
from typing import Any

from pyVmomi.SoapAdapter import Object, Serialize, SerializeFaultDetail

from vmpooler_manager.providers.vsphere.session import VERSION

_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_SPACES = f'xmlns:soapenv="{_SOAP}" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
ENVELOPE = (
    f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope {_SPACES} '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>{}</soapenv:Body></soapenv:Envelope>'
)


class Request:
    """One call: what is asked of which object, with which arguments."""

    def __init__(self, body: bytes, cookie: str) -> None:
        call = next(iter(next(iter(ElementTree.fromstring(body).iter(f"{{{_SOAP}}}Body")))))  # noqa: S314
        self.method = local(call)
        self.arguments = call
        self.cookie = cookie

    def texts(self, name: str) -> list[str]:
        """Give the texts of all elements of this name, however deep."""
        return [one.text or "" for one in self.arguments.iter() if local(one) == name]

    def text(self, name: str) -> str:
        """Give the text of the first element of this name; empty without one."""
        return next(iter(self.texts(name)), "")


def local(element: ElementTree.Element) -> str:
    """Give an element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def answer_to(request: Request, value: Any) -> str:
    """Write an answer: one value, several, or none."""
    values = [] if value is None else value if isinstance(value, list) else [value]
    info = Object(name="returnval", type=object, version=VERSION, flags=0)
    parts = "".join(Serialize(one, info, VERSION).decode() for one in values)
    return f'<{request.method}Response xmlns="urn:vim25">{parts}</{request.method}Response>'


def refusal(fault: Any) -> str:
    """Write a fault."""
    name = f"{type(fault)._wsdlName}Fault"
    info = Object(name=name, type=object, version=VERSION, flags=0)
    told = "<faultcode>ServerFaultCode</faultcode><faultstring>refused</faultstring>"
    detail = SerializeFaultDetail(fault, info, VERSION).replace(f"<{name}", f'<{name} xmlns="urn:vim25"', 1)
    return f"<soapenv:Fault>{told}<detail>{detail}</detail></soapenv:Fault>"
