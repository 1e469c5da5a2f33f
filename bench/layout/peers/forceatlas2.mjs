// graphology's ForceAtlas2 with the settings that it infers from the graph.
import Graph from 'graphology';
import forceAtlas2 from 'graphology-layout-forceatlas2';
import { graph, measure, random } from './common.mjs';

const { nodes, edges } = graph();
const own = new Graph({ type: 'undirected' });
const next = random(1);
for (let i = 0; i < nodes; i++) own.addNode(i, { x: next() * 100, y: next() * 100 });
for (const [a, b] of edges) own.mergeEdge(a, b);
measure(
  () => forceAtlas2.assign(own, { iterations: 500, settings: forceAtlas2.inferSettings(own) }),
  () => own.mapNodes((_, { x, y }) => [x, y]),
);
