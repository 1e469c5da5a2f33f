#!/usr/bin/env python3
"""graph.py HOSTS: a data centre as JSON, {"kinds": […], "edges": [[a, b], …]}.

Four spines, a leaf for twenty hosts, a bridge and nine machines a host, and virtual networks of six
to fourteen machines, each around a virtual router. The same number gives the same graph. By the
same rules as `data_centre` in bench/layout/src/graphs.rs, with other random numbers.
"""

import json
import random
import sys

MACHINES = 9


def data_centre(hosts, seed=2):
    chance = random.Random(seed)
    kinds, edges, machines = [], [], []

    def new(kind):
        kinds.append(kind)
        return len(kinds) - 1

    spines = [new("spine") for _ in range(4)]
    leaves = [new("leaf") for _ in range(max(2, hosts // 20))]
    edges += [(leaf, spine) for leaf in leaves for spine in spines]
    for number in range(hosts):
        host = new("host")
        edges.append((host, leaves[number % len(leaves)]))
        bridge = new("bridge")
        edges.append((host, bridge))
        for _ in range(MACHINES):
            machine = new("vm")
            edges.append((machine, bridge))
            machines.append(machine)
    chance.shuffle(machines)
    while machines:
        members = chance.randint(6, 14)
        router = new("vrouter")
        edges += [(router, machine) for machine in machines[:members]]
        del machines[:members]
    return {"kinds": kinds, "edges": edges}


json.dump(data_centre(int(sys.argv[1])), sys.stdout, separators=(",", ":"))
