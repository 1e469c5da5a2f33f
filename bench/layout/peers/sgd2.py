"""s_gd2, sparse: `sgd2.py GRAPH PIVOTS`."""

import json
import resource
import sys

import s_gd2


def used():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return (usage.ru_utime + usage.ru_stime) * 1000


with open(sys.argv[1]) as file:
    graph = json.load(file)
a, b = ([edge[k] for edge in graph["edges"]] for k in (0, 1))
before = used()
places = s_gd2.layout_sparse(a, b, int(sys.argv[2]), random_seed=1)
print(json.dumps({"ms": used() - before, "places": places.tolist()}))
