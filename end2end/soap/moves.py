"""Moves routers over SOAP, as a pilot does, and prints each answer as JSON.

moves.py URL check ROUTER [HOST] | migrate ROUTER HOST [KEY=VALUE ...] | wait JOB | job JOB
             | time ROUTER HOST | load
             | cancel JOB | jobs | where ROUTER | maintenance HOST on|off
"""

import json
import sys
import time

from zeep import Client
from zeep.exceptions import Fault
from zeep.helpers import serialize_object


def main(url, command, *arguments):
    service = lambda name: Client(f"{url}/services/{name}?wsdl").service
    migration, status = service("MigrationService"), service("StatusService")

    def router(name):
        return next(r for r in status.ListRouters().routers if r.name == name)

    def ask():
        match command, arguments:
            case "check", (name, *to):
                return migration.CheckMigration(router=router(name).id, destination=(to or [None])[0])
            case "migrate", (name, to, *options):
                options = dict(option.split("=", 1) for option in options)
                return migration.MigrateRouter(router=router(name).id, destination=to, **options).job
            case "wait", (job,):
                while True:
                    found = migration.GetJob(job=job, waitSeconds=20).job
                    if found.state in ("succeeded", "failed", "cancelled", "interrupted"):
                        return found
            case "time", (name, to):
                id, since = router(name).id, time.monotonic()
                job = migration.MigrateRouter(router=id, destination=to).job
                while job.state in ("queued", "running"):
                    job = migration.GetJob(job=job.id, waitSeconds=20).job
                return {"seconds": time.monotonic() - since, "job": job}
            case "load", ():
                routers = {r.id: r for r in status.ListRouters().routers}
                used = {h.id: 0.0 for h in status.ListHosts().hosts}
                for use in service("MeasurementService").GetLoad().routers:
                    of = routers[use.router]
                    used[of.host] += (use.cpuShare or 0) * of.vcpus
                return {h.id: used[h.id] / h.cpus for h in status.ListHosts().hosts}
            case "job", (job,):
                return migration.GetJob(job=job).job
            case "cancel", (job,):
                return migration.CancelJob(job=job).job
            case "jobs", ():
                return migration.ListJobs().jobs
            case "where", (name,):
                return router(name)
            case "maintenance", (host, on):
                return status.SetHostMaintenance(host=host, maintenance=on == "on").host
        raise SystemExit(__doc__)

    try:
        found = serialize_object(ask(), dict)
    except Fault as fault:
        detail = fault.detail[0] if fault.detail is not None and len(fault.detail) else None
        name = detail.tag.split("}")[-1] if detail is not None else None
        found = {"fault": name, "message": fault.message}
    print(json.dumps(found, default=str))


main(*sys.argv[1:])
