"""Graphviz's sfdp: `sfdp.py GRAPH [prism]`. Its time is that of the program, reading included."""

import json
import math
import resource
import subprocess
import sys

with open(sys.argv[1]) as file:
    graph = json.load(file)


def layout(overlap, side):
    """Places, and the processor time in ms."""
    lines = "".join(f"{a}--{b};" for a, b in graph["edges"])
    text = (
        f"graph {{ graph [K=1 start=1 overlap={overlap}] "
        f'node [shape=box fixedsize=true width={side} height={side} label=""] {lines} }}'
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    answer = subprocess.run(
        ["sfdp", "-Tplain"], input=text, capture_output=True, text=True, check=True
    ).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    places = [None] * graph["nodes"]
    for line in answer.splitlines():
        words = line.split()
        if words[0] == "node":
            places[int(words[1])] = [float(words[2]), float(words[3])]
    return places, used * 1000


places, ms = layout("true", 0.1)
if "prism" in sys.argv:
    # Once more, with nodes as wide as the score will have them.
    mean = sum(math.dist(places[a], places[b]) for a, b in graph["edges"]) / len(graph["edges"])
    places, ms = layout("prism", graph["side"] * mean)
print(json.dumps({"ms": ms, "places": places}))
