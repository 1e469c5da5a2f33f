"""A pilot that evens out the load: when a host stays busy, it moves one of its routers elsewhere.

    pip install zeep
    python examples/pilot.py http://127.0.0.1:8080 --busy 0.5 --cooldown 300

Says what it does and why. Ctrl-C ends it; a move that is under way goes on.
"""

import argparse
import time
import uuid

import zeep

READINGS = 3  # A host is busy if as many readings in a row say so: a peak is no reason to move.
OVER = {"succeeded", "failed", "cancelled", "interrupted", "cleanupPending"}


class Pilot:
    def __init__(self, options):
        self.status, self.measurement, self.migration = (
            zeep.Client(f"{options.server}/services/{name}Service?wsdl").service
            for name in ("Status", "Measurement", "Migration"))
        self.given = options
        self.times = {}  # How many readings in a row each host was busy.
        self.moved = {}  # When each router was moved last.

    def sense(self):
        """The hosts, the processors that each of their routers uses, and the sum as a share of the
        host. What a host uses in all is not asked: testbed hosts all tell that of one machine."""
        hosts = {h.id: h for h in self.status.ListHosts().hosts if h.state == "online" and h.cpus}
        running = {r.id: r for r in self.status.ListRouters(state="running").routers}
        used = {host: [] for host in hosts}
        for use in self.measurement.GetLoad().routers:
            router = running.get(use.router)
            if router and router.host in hosts and use.cpuShare is not None:
                used[router.host].append((use.cpuShare * router.vcpus, router))
        return hosts, used, {h: sum(c for c, _ in used[h]) / hosts[h].cpus for h in hosts}

    def choices(self, source, hosts, used, shares):
        """Routers that had better be elsewhere, the busiest first, and where VMS wants each."""
        for cpus, router in sorted(used[source], key=lambda use: use[0], reverse=True)[:5]:
            rested = time.monotonic() - self.moved.get(router.id, -1e9) > self.given.cooldown
            if rested and not router.migratingTo:
                verdicts = self.migration.CheckMigration(router=router.id).verdicts  # Best first.
                there = next((v.host for v in verdicts if v.verdict != "obstacle"), None)
                if there in hosts:
                    apart = shares[source] - shares[there]
                    moved = cpus / hosts[source].cpus + cpus / hosts[there].cpus
                    if apart - abs(apart - moved) > self.given.gain:
                        yield cpus, router, there

    def move(self, router, destination):
        self.moved[router.id] = time.monotonic()  # If it fails, too: not again and again.
        self.times.clear()  # What was measured before says nothing of the time after.
        job = self.migration.MigrateRouter(  # However often it arrives, its id makes it one job.
            router=router.id, destination=destination, requestId=str(uuid.uuid4())).job
        while job.state not in OVER:
            job = self.migration.GetJob(job=job.id, waitSeconds=30).job
        say(f"The {job.kind} {job.state}: {job.error.message if job.error else job.message}")

    def turn(self):
        """Senses, decides and acts; gives whether there was enough to decide by."""
        hosts, used, shares = self.sense()
        busiest = sorted(hosts, key=shares.get, reverse=True)
        self.times = {h: shares[h] > self.given.busy and self.times.get(h, 0) + 1 for h in busiest}
        for host in [host for host, times in self.times.items() if times >= READINGS]:
            for cpus, router, there in self.choices(host, hosts, used, shares):
                say(f"{host} stays {shares[host]:.0%} busy, {there} is {shares[there]:.0%} busy: "
                    f"moving {router.name} there, which uses {cpus:.2f} processors.")
                return self.move(router, there) or True
            say(f"{host} stays {shares[host]:.0%} busy, but no move would better that.")
        return not any(0 < times < READINGS for times in self.times.values())


def say(sentence):
    print(time.strftime("%H:%M:%S"), sentence, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("server", nargs="?", default="http://127.0.0.1:8080")
    parser.add_argument("--busy", type=float, default=0.8, help="share of a host's processors")
    parser.add_argument("--gain", type=float, default=0.05, help="by how much two hosts get closer")
    parser.add_argument("--interval", type=float, default=15, help="seconds; measured every ten")
    parser.add_argument("--cooldown", type=float, default=600, help="seconds a router then stays")
    parser.add_argument("--once", action="store_true", help="end after one decision")
    options = parser.parse_args()
    try:
        pilot = Pilot(options)
        while True:
            try:
                if pilot.turn() and options.once:
                    break
            except (zeep.exceptions.Fault, OSError) as error:  # Conflict, a host away: may pass.
                say(f"Not now: {error}")
            time.sleep(options.interval)
    except KeyboardInterrupt:
        say("Ended.")
