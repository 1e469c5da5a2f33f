// sigma.js with labels, over graphology.
import Graph from 'graphology';
import Sigma from 'sigma';
import { EDGE, places } from './places.js';

const { nodes, edges } = await places();
const graph = new Graph({ type: 'undirected', multi: true });
nodes.forEach(({ label, x, y, width, colour }, key) => {
  graph.addNode(key, { label, x, y: -y, size: width / 2, color: colour });
});
for (const [a, b] of edges) graph.addEdge(a, b, { size: 1, color: EDGE });

const container = document.getElementById('stage');
const sigma = new Sigma(graph, container, {
  settings: {
    // The page draws the same: sizes belong to the picture, and labels are as many as there is room.
    itemSizesReference: 'positions',
    zoomToSizeRatioFunction: (ratio) => ratio,
    labelRenderedSizeThreshold: 0,
    // A turn of the wheel is a step of the path, as elsewhere, and nothing moves on by itself.
    zoomingRatio: 1 / 0.985,
    zoomDuration: 1,
    inertiaRatio: 0,
  },
});
const camera = sigma.getCamera();
let answered;
sigma.on('clickNode', ({ node }) => answered?.(node));
// It renders while it is made.
window.drawn = true;

window.bench = {
  // A node near the middle, in pixels of the window.
  target() {
    const box = container.getBoundingClientRect();
    const middle = { x: box.width / 2, y: box.height / 2 };
    let [best, nearest] = [null, Infinity];
    graph.forEachNode((_, { x, y }) => {
      const at = sigma.graphToViewport({ x, y });
      const distance = Math.hypot(at.x - middle.x, at.y - middle.y);
      if (distance < nearest) [best, nearest] = [at, distance];
    });
    return [box.left + best.x, box.top + best.y];
  },
  answer: () => new Promise((resolve) => { answered = resolve; }),
  approach(factor) {
    camera.setState({ ratio: camera.getState().ratio / factor });
  },
};
