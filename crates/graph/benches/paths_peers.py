"""Paths by networkx and igraph, for the benchmark `paths`, which wrote the graph that this reads.

    paths_peers.py FILE

FILE holds one JSON object: `nodes`, `edges` (pairs), `lengths` (one an edge), `pairs` (of nodes),
`slow` and `slowest` (how many of the pairs are asked for where that takes long) and `alternatives`.
Each line of the answer is one peer's: its name, what it was asked for, the milliseconds of processor
time of each pair, and the costs found.
"""

import json
import sys
import time

import igraph
import networkx


def timed(peer, what, pairs, find):
    find(*pairs[0])
    milliseconds, costs = [], []
    for pair in pairs:
        start = time.thread_time()
        cost = find(*pair)
        milliseconds.append((time.thread_time() - start) * 1e3)
        costs.append(cost)
    print(json.dumps({"peer": peer, "what": what, "ms": milliseconds, "costs": costs}), flush=True)


def main():
    with open(sys.argv[1]) as file:
        given = json.load(file)
    edges, lengths, pairs = given["edges"], given["lengths"], given["pairs"]
    slow = pairs[: given["slow"]]

    graph = igraph.Graph(n=given["nodes"], edges=edges)

    def hops(a, b):
        return len(graph.get_shortest_path(a, to=b, output="epath"))

    def length(a, b):
        path = graph.get_shortest_path(a, to=b, weights=lengths, output="epath")
        return sum(lengths[edge] for edge in path)

    def alternatives(a, b):
        found = graph.get_k_shortest_paths(
            a, to=b, k=given["alternatives"], weights=lengths, output="epath"
        )
        return sum(lengths[edge] for path in found for edge in path)

    timed("igraph", "hops", pairs, hops)
    timed("igraph", "length", pairs, length)
    timed("igraph", "alternatives", pairs[: given["slowest"]], alternatives)

    graph = networkx.MultiGraph()
    graph.add_nodes_from(range(given["nodes"]))
    graph.add_edges_from((a, b, {"weight": length}) for (a, b), length in zip(edges, lengths))
    timed(
        "networkx",
        "hops",
        slow,
        lambda a, b: len(networkx.bidirectional_shortest_path(graph, a, b)) - 1,
    )
    timed("networkx", "length", slow, lambda a, b: networkx.bidirectional_dijkstra(graph, a, b)[0])


main()
