// d3-force: links, charge and centre as in its examples, until it has cooled down (300 ticks).
import { forceCenter, forceLink, forceManyBody, forceSimulation } from 'd3-force';
import { graph, measure } from './common.mjs';

const { nodes, edges } = graph();
const points = Array.from({ length: nodes }, (_, id) => ({ id }));
const links = edges.map(([source, target]) => ({ source, target }));
measure(
  () => {
    const simulation = forceSimulation(points)
      .force('link', forceLink(links))
      .force('charge', forceManyBody())
      .force('center', forceCenter())
      .stop();
    simulation.tick(300);
  },
  () => points.map(({ x, y }) => [x, y]),
);
