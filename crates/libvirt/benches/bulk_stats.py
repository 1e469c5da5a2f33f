"""The peer of bulk_stats.rs: libvirt's own Python binding makes the same bulk call.

Usage: bulk_stats.py URI GROUPS ROUNDS. Prints the seconds of processor and of wall time that the
rounds took, and how many records came.
"""

import sys
import time

import libvirt

uri, groups, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
connection = libvirt.open(uri)
flags = (
    libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE
    | libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
)
connection.getAllDomainStats(groups, flags)
wall, spent, records = time.perf_counter(), time.process_time(), 0
for _ in range(rounds):
    records += len(connection.getAllDomainStats(groups, flags))
print(time.process_time() - spent, time.perf_counter() - wall, records)
