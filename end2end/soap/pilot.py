"""A pilot in Python, on zeep: reads everything that VMS tells over SOAP, acts, and provokes faults.

    pilot.py read BASE_URL            every reading operation over SOAP 1.1 and 1.2, as JSON
    pilot.py act BASE_URL ROUTER_ID   suspend and resume over SOAP 1.1 and 1.2, as JSON
    pilot.py fault BASE_URL           typed faults over SOAP 1.1 and 1.2, as JSON
    pilot.py network BASE_URL         paths, faults of asking for them, and the load, over SOAP 1.1 and
                                      1.2, as JSON
    pilot.py hosts BASE_URL           check, register, read and remove a made-up host, and faults of
                                      it, over SOAP 1.1 and 1.2, as JSON
    pilot.py migrate BASE_URL         where routers can go, moves, jobs, maintenance, and faults of it,
                                      over SOAP 1.1 and 1.2, as JSON
    pilot.py rates BASE_URL START END  mean rates of all interfaces' bytes between two times, seconds
                                      since 1970 that are multiples of five, as JSON
    pilot.py watch BASE_URL ROUTER_ID SECONDS
                                      a JSON line, with the time, at each change of state seen
"""

import datetime
import json
import sys
import time

import zeep
from zeep.helpers import serialize_object

SERVICES = {
    "TopologyService": ["GetTopology", "FindPaths"],
    "StatusService": [
        "ListHosts",
        "GetHostStatus",
        "RegisterHost",
        "RemoveHost",
        "CheckHost",
        "SetHostMaintenance",
        "ListRouters",
        "GetRouterStatus",
    ],
    "MeasurementService": ["GetLoad", "QueryHistory"],
    "MigrationService": ["CheckMigration", "MigrateRouter", "GetJob", "ListJobs", "CancelJob"],
    "ProvisioningService": ["SuspendRouter", "ResumeRouter"],
}
PORTS = {"1.1": "Soap11Endpoint", "1.2": "Soap12Endpoint"}


class Pilot:
    """All services of one server over one version of SOAP."""

    def __init__(self, base, version):
        self.clients = {}
        self.operations = {}
        for service, operations in SERVICES.items():
            client = zeep.Client(f"{base}/services/{service}?wsdl")
            port = client.bind(service, f"{service}Http{PORTS[version]}")
            self.clients[service] = client
            for operation in operations:
                self.operations[operation] = (client, getattr(port, operation))

    def call(self, operation, **arguments):
        _, method = self.operations[operation]
        return serialize_object(method(**arguments), dict)

    def fault(self, operation, **arguments):
        """The fault that a call ends in: its text, and its detail read by the WSDL's types."""
        client, method = self.operations[operation]
        try:
            answer = method(**arguments)
        except zeep.exceptions.Fault as fault:
            detail = fault.detail[0]
            # zeep's 1.1 binding leaves the detail as XML: the type comes from the WSDL.
            element = client.get_element(detail.tag)
            value = serialize_object(element.parse(detail, client.wsdl.types), dict)
            name = detail.tag.rpartition("}")[2]
            return {"fault": name, "text": fault.message, "detail": value}
        raise SystemExit(f"{operation}({arguments}) should have ended in a fault, not in {answer}")


def read(base):
    found = {}
    for version in PORTS:
        pilot = Pilot(base, version)
        hosts = pilot.call("ListHosts")
        routers = pilot.call("ListRouters")
        running = [r for r in routers["routers"] if r["state"] == "running"]
        # The one with the most to tell.
        chosen = max(running, key=lambda r: (len(r["interfaces"]), r["name"]))
        metrics = [("cpuTime", {})]
        metrics += [
            (name, {"interface": interface["mac"]})
            for interface in chosen["interfaces"]
            for name in ("receivedBytes", "transmittedBytes")
        ]
        found[version] = {
            "hosts": hosts,
            "routers": routers,
            "topologies": {
                view: pilot.call("GetTopology", view=view)
                for view in ("physical", "virtual", "combined")
            },
            "hostStatuses": {
                h["id"]: pilot.call("GetHostStatus", host=h["id"]) for h in hosts["hosts"]
            },
            "statuses": {
                r["id"]: pilot.call("GetRouterStatus", router=r["id"])
                for r in routers["routers"]
            },
            "history": [
                pilot.call("QueryHistory", router=chosen["id"], metric=metric, **of)
                for metric, of in metrics
            ],
            "counters": counters(pilot, routers["routers"]),
        }
    return found


def counters(pilot, routers):
    """The last raw value of each interface's byte counters, as the history has them."""
    end = datetime.datetime.now(datetime.timezone.utc)
    values = {}
    for router in routers:
        for interface in router["interfaces"]:
            for metric in ("receivedBytes", "transmittedBytes"):
                reply = pilot.call(
                    "QueryHistory",
                    router=router["id"],
                    interface=interface["mac"],
                    metric=metric,
                    start=end - datetime.timedelta(minutes=2),
                    end=end,
                    stepSeconds=1,
                    aggregation="last",
                )
                measured = [p for p in reply["points"] if p["value"] is not None]
                if measured:
                    key = f"{router['name']} {interface['mac']} {metric}"
                    values[key] = {"at": measured[-1]["at"], "value": measured[-1]["value"]}
    return values


def rates(base, start, end):
    """What the history has of each interface: bytes a second, and how much of the time it saw."""
    pilot = Pilot(base, "1.2")
    start, end = (
        datetime.datetime.fromtimestamp(int(at), datetime.timezone.utc) for at in (start, end)
    )
    found = {}
    for router in pilot.call("ListRouters")["routers"]:
        for interface in router["interfaces"]:
            for metric in ("receivedBytes", "transmittedBytes"):
                reply = pilot.call(
                    "QueryHistory",
                    router=router["id"],
                    interface=interface["mac"],
                    metric=metric,
                    start=start,
                    end=end,
                    stepSeconds=5,
                    aggregation="rate",
                )
                measured = [p for p in reply["points"] if p["value"] is not None]
                if measured:
                    found[f"{interface['mac']} {metric}"] = {
                        "bytesPerSecond": sum(p["value"] for p in measured) / len(measured),
                        "coverage": sum(p["coverage"] for p in measured) / len(reply["points"]),
                    }
    return found


def act(base, router):
    done = {}
    for version in PORTS:
        pilot = Pilot(base, version)
        done[version] = {
            "suspended": pilot.call("SuspendRouter", router=router, requestId=f"s-{version}"),
            "again": pilot.call("SuspendRouter", router=router, requestId=f"s-{version}"),
            "status": pilot.call("GetRouterStatus", router=router),
            "resumed": pilot.call("ResumeRouter", router=router),
        }
    return done


def fault(base):
    nobody = "00000000-0000-4000-8000-000000000000"
    provoked = {}
    for version in PORTS:
        pilot = Pilot(base, version)
        routers = pilot.call("ListRouters")["routers"]
        stopped = [r for r in routers if r["state"] == "shutOff"]
        provoked[version] = {
            "notFound": pilot.fault("GetRouterStatus", router=nobody),
            "invalid": pilot.fault("QueryHistory", router=routers[0]["id"], metric="receivedBytes"),
            "conflict": pilot.fault("SuspendRouter", router=stopped[0]["id"]) if stopped else None,
        }
    return provoked


def network(base):
    told = {}
    for version in PORTS:
        pilot = Pilot(base, version)
        topology = pilot.call("GetTopology", view="combined")
        routers = {router["name"]: {"router": router["id"]} for router in topology["routers"]}
        ends = {"origin": routers["sense-poa"], "destination": routers["sense-rec"]}
        apart = {"origin": routers["sense-poa"], "destination": routers["quarantine-1"]}
        hosts = {"origin": {"host": "rio-edge-1"}, "destination": {"host": "rec-edge-1"}}
        told[version] = {
            "topology": topology,
            "virtual": pilot.call("FindPaths", **ends, view="virtual"),
            "physical": pilot.call(
                "FindPaths", **hosts, view="physical", metric="latency", alternatives=16
            ),
            "around": pilot.call(
                "FindPaths", **hosts, view="physical", avoid=[{"host": "rio-core-1"}]
            ),
            "none": pilot.call("FindPaths", **apart, view="virtual"),
            "tooMany": pilot.fault("FindPaths", **hosts, alternatives=17),
            "nowhere": pilot.fault("FindPaths", **{**hosts, "origin": {"host": "atlantis"}}),
            "load": pilot.call("GetLoad"),
            "physicalLoad": pilot.call("GetLoad", view="physical"),
        }
    return told


def hosts(base):
    made_up = {"driver": "test", "transport": "local"}
    host = "by-zeep"
    told = {}
    for version in PORTS:
        pilot = Pilot(base, version)
        configured = pilot.call("ListHosts")["hosts"][0]["id"]
        told[version] = {
            "checked": pilot.call("CheckHost", endpoint=made_up),
            "registered": pilot.call(
                "RegisterHost", host=host, site="Lab", endpoints=[made_up], requestId=f"r-{version}"
            ),
            "status": online(pilot, host),
            "taken": pilot.fault("RegisterHost", host=host, endpoints=[made_up]),
            "removed": pilot.call("RemoveHost", host=host),
            "gone": pilot.fault("GetHostStatus", host=host),
            "configured": pilot.fault("RemoveHost", host=configured),
            "nowhere": pilot.fault("RegisterHost", host="nowhere", endpoints=[]),
            "badId": pilot.fault("RegisterHost", host="a!b", endpoints=[made_up]),
            "userUnused": pilot.fault(
                "RegisterHost", host="odd", endpoints=[{**made_up, "user": "root"}]
            ),
            "dangerous": pilot.fault(
                "RegisterHost",
                host="odd",
                endpoints=[{"driver": "qemu", "transport": "ssh", "address": "-oProxyCommand=x"}],
            ),
        }
    return told


def online(pilot, host):
    """The host's status once its first attempt has ended, or after half a minute."""
    for _ in range(300):
        status = pilot.call("GetHostStatus", host=host)
        if status["host"]["state"] != "connecting":
            break
        time.sleep(0.1)
    return status


def migrate(base):
    nobody = "00000000-0000-4000-8000-000000000000"
    told = {}
    for version in PORTS:
        pilot = Pilot(base, version)
        router, check = movable(pilot)
        move = {"router": router["id"], "destination": check["verdicts"][0]["host"]}
        cold = {**move, "mode": "cold"}
        request = f"m-{version}"
        seen = {
            "before": router,
            "check": check,
            "one": pilot.call("CheckMigration", **cold),
            "live": pilot.fault("MigrateRouter", **move, mode="live"),
            "asked": pilot.call("MigrateRouter", **cold, requestId=request),
            "again": pilot.call("MigrateRouter", **cold, requestId=request),
        }
        job = seen["asked"]["job"]["id"]
        # The demo is quick, and the server waits for it: one call is enough.
        seen["ended"] = pilot.call("GetJob", job=job, waitSeconds=50)
        seen["after"] = pilot.call("GetRouterStatus", router=router["id"])["router"]
        listed = pilot.call("ListRouters", host=move["destination"])["routers"]
        seen["onDestination"] = [r["id"] for r in listed]
        seen["jobs"] = pilot.call("ListJobs", router=router["id"])["jobs"]
        seen["unfinished"] = pilot.call("ListJobs", unfinished=True)["jobs"]
        seen["cancelled"] = pilot.call("CancelJob", job=job)["job"]
        back = {**move, "destination": router["host"]}
        seen["maintenance"] = pilot.call(
            "SetHostMaintenance", host=router["host"], maintenance=True, reason="new disks"
        )["host"]
        seen["checkMaintenance"] = pilot.call("CheckMigration", **back, mode="cold")
        seen["intoMaintenance"] = pilot.fault("MigrateRouter", **back, mode="cold")
        seen["inUse"] = pilot.call(
            "SetHostMaintenance", host=router["host"], maintenance=False
        )["host"]
        seen["checkInUse"] = pilot.call("CheckMigration", **back, mode="cold")
        seen["faults"] = {
            "noRouter": pilot.fault("MigrateRouter", **{**cold, "router": nobody}),
            "noRouterToCheck": pilot.fault("CheckMigration", router=nobody),
            "noHost": pilot.fault("MigrateRouter", **{**cold, "destination": "atlantis"}),
            "noHostToCheck": pilot.fault("CheckMigration", **{**cold, "destination": "atlantis"}),
            "noHostToKeep": pilot.fault("SetHostMaintenance", host="atlantis", maintenance=True),
            "noJob": pilot.fault("GetJob", job=nobody),
            "noJobToCancel": pilot.fault("CancelJob", job=nobody),
            # It is there by now.
            "ownHost": pilot.fault("MigrateRouter", **cold),
            "longWait": pilot.fault("GetJob", job=job, waitSeconds=1000),
            "noLimit": pilot.fault("ListJobs", limit=0),
            "badRequestId": pilot.fault("MigrateRouter", **cold, requestId="x" * 129),
            "usedRequestId": pilot.fault(
                "MigrateRouter", **{**cold, "destination": router["host"]}, requestId=request
            ),
        }
        told[version] = seen
    return told


def movable(pilot):
    """A running router that can be moved cold, and where to."""
    for router in pilot.call("ListRouters", state="running")["routers"]:
        check = pilot.call("CheckMigration", router=router["id"], mode="cold")
        if check["verdicts"] and check["verdicts"][0]["verdict"] != "obstacle":
            return router, check
    raise SystemExit("no router can be moved")


def watch(base, router, seconds):
    pilot = Pilot(base, "1.1")
    until = time.time() + float(seconds)
    last = None
    while time.time() < until:
        state = pilot.call("GetRouterStatus", router=router)["router"]["state"]
        if state != last:
            print(json.dumps({"t": time.time(), "state": state}), flush=True)
            last = state
        time.sleep(0.02)


def main():
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    command, base, *rest = sys.argv[1:]
    commands = {
        "read": read,
        "act": act,
        "fault": fault,
        "network": network,
        "hosts": hosts,
        "migrate": migrate,
        "rates": rates,
        "watch": watch,
    }
    answer = commands[command](base, *rest)
    if answer is not None:
        json.dump(answer, sys.stdout, default=str, sort_keys=True)


main()
