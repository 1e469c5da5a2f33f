"""Calls any operation over SOAP, as a pilot does, and prints the answer as JSON.

call.py URL SERVICE OPERATION [JSON]: the JSON object's members are the request's elements.
call.py URL many JSON: a list of [SERVICE, OPERATION, JSON] that are called at once; prints a list.
call.py URL time JSON: the same, of calls that begin jobs; prints how long it took until all were over,
    with the jobs.
call.py URL upload JSON FILE ...: BeginImageUpload with this request, its files in the order of the
    request; the bytes go by HTTP PUT, in parts. Prints the upload.
call.py URL attach JSON FILE ...: UploadImage with this request, the files attached to the one message
    (MTOM), which zeep does not do by itself. Prints the reply.
"""

import json
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import requests
from lxml import etree
from zeep import Client
from zeep.exceptions import Fault
from zeep.helpers import serialize_object
from zeep.transports import Transport

PART = 8 << 20


def call(url, service, operation, request, transport=None):
    proxy = Client(f"{url}/services/{service}?wsdl", transport=transport).service
    try:
        return serialize_object(getattr(proxy, operation)(**request), dict)
    except Fault as fault:
        detail = fault.detail[0] if fault.detail is not None and len(fault.detail) else None
        name = detail.tag.split("}")[-1] if detail is not None else None
        return {"fault": name, "message": fault.message}


def upload(url, request, *paths):
    begun = call(url, "ImageService", "BeginImageUpload", request)
    if "fault" in begun:
        return begun
    for file, path in zip(begun["upload"]["files"], paths, strict=True):
        with open(path, "rb") as content:
            size = content.seek(0, 2)
            content.seek(file["receivedBytes"])
            while (at := content.tell()) < size:
                part = content.read(PART)
                headers = {"Content-Range": f"bytes {at}-{at + len(part) - 1}/{size}"}
                answer = requests.put(url + file["path"], data=part, headers=headers, timeout=60)
                if not answer.ok:
                    return answer.json()
    return call(url, "ImageService", "GetImageUpload", {"upload": begun["upload"]["id"]})


class Attaching(Transport):
    """Sends files beside the message: in the order of its `content` elements."""

    XOP = "{http://www.w3.org/2004/08/xop/include}Include"

    def __init__(self, paths):
        super().__init__()
        self.paths = paths

    def post(self, address, message, headers):
        envelope = etree.fromstring(message)
        for number, content in enumerate(envelope.iter("{urn:vms:pilot:1}content")):
            content.text = None
            etree.SubElement(content, self.XOP, href=f"cid:{number}@pilot")
        boundary = uuid.uuid4().hex

        def part(name, kind):
            head = f"--{boundary}\r\nContent-Type: {kind}\r\nContent-ID: <{name}@pilot>\r\n"
            return f"{head}Content-Transfer-Encoding: binary\r\n\r\n".encode()

        def body():
            yield part("root", 'application/xop+xml; charset=UTF-8; type="text/xml"')
            yield etree.tostring(envelope)
            for number, path in enumerate(self.paths):
                yield b"\r\n" + part(number, "application/octet-stream")
                with open(path, "rb") as content:
                    while piece := content.read(1 << 20):
                        yield piece
            yield f"\r\n--{boundary}--\r\n".encode()

        kind = 'type="application/xop+xml"; start="<root@pilot>"; start-info="text/xml"'
        headers = {**headers, "Content-Type": f'multipart/related; {kind}; boundary="{boundary}"'}
        return self.session.post(address, data=body(), headers=headers, timeout=300)


def timed(url, calls):
    services = {service: Client(f"{url}/services/{service}?wsdl").service for service, *_ in calls}
    jobs = Client(f"{url}/services/MigrationService?wsdl").service

    def one(service, operation, request):
        job = getattr(services[service], operation)(**request).job
        while job.state in ("queued", "running"):
            job = jobs.GetJob(job=job.id, waitSeconds=20).job
        return job

    with ThreadPoolExecutor(len(calls)) as pool:
        since = time.monotonic()
        found = list(pool.map(lambda call: one(*call), calls))
        return {"seconds": time.monotonic() - since, "jobs": serialize_object(found, dict)}


def main(url, what, *arguments):
    match what, arguments:
        case "upload", (request, *paths):
            found = upload(url, json.loads(request), *paths)
        case "attach", (request, *paths):
            request = json.loads(request)
            for file in request["files"]:
                file["content"] = b""
            found = call(url, "ImageService", "UploadImage", request, Attaching(paths))
        case "many", (calls,):
            calls = json.loads(calls)
            with ThreadPoolExecutor(len(calls)) as pool:
                found = list(pool.map(lambda one: call(url, *one), calls))
        case "time", (calls,):
            found = timed(url, json.loads(calls))
        case service, (operation, *request):
            found = call(url, service, operation, json.loads((request or ["{}"])[0]))
        case _:
            raise SystemExit(__doc__)
    print(json.dumps(found, default=str))


main(*sys.argv[1:])
