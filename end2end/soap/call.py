"""Calls any operation over SOAP, as a pilot does, and prints the answer as JSON.

call.py URL SERVICE OPERATION [JSON]: the JSON object's members are the request's elements.
call.py URL many JSON: a list of [SERVICE, OPERATION, JSON] that are called at once; prints a list.
call.py URL time JSON: the same, of calls that begin jobs; prints how long it took until all were over,
    with the jobs.
call.py URL upload JSON FILE ...: BeginImageUpload with this request, its files in the order of the
    request; the bytes go by HTTP PUT, in parts. Prints the upload.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import requests
from zeep import Client
from zeep.exceptions import Fault
from zeep.helpers import serialize_object

PART = 8 << 20


def call(url, service, operation, request):
    proxy = Client(f"{url}/services/{service}?wsdl").service
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
