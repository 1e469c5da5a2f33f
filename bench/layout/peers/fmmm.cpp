// OGDF's FMMM with its high-level options: `fmmm < GRAPH`, which is "nodes lines", then two ends a
// line.
#include <ctime>
#include <iostream>
#include <ogdf/basic/GraphAttributes.h>
#include <ogdf/energybased/FMMMLayout.h>
#include <vector>

int main() {
  int count, lines, a, b;
  std::cin >> count >> lines;
  ogdf::Graph graph;
  std::vector<ogdf::node> nodes;
  for (int i = 0; i < count; i++) nodes.push_back(graph.newNode());
  for (int i = 0; i < lines && std::cin >> a >> b; i++) graph.newEdge(nodes[a], nodes[b]);
  ogdf::GraphAttributes places(graph);
  ogdf::setSeed(1);
  ogdf::FMMMLayout layout;
  layout.useHighLevelOptions(true);
  layout.unitEdgeLength(15.0);
  layout.newInitialPlacement(true);
  layout.qualityVersusSpeed(ogdf::FMMMOptions::QualityVsSpeed::GorgeousAndEfficient);
  const std::clock_t before = std::clock();
  layout.call(places);
  const double ms = 1000.0 * double(std::clock() - before) / CLOCKS_PER_SEC;
  std::cout << "{\"ms\":" << ms << ",\"places\":[";
  for (int i = 0; i < count; i++)
    std::cout << (i ? "," : "") << '[' << places.x(nodes[i]) << ',' << places.y(nodes[i]) << ']';
  std::cout << "]}\n";
}
