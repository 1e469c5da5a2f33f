// cytoscape.js with labels, on a canvas, with the settings that its documentation advises for large
// graphs and that change nothing of what is drawn.
import cytoscape from 'cytoscape';
import { EDGE, places } from './places.js';

const { nodes, edges } = await places();
const container = document.getElementById('stage');
const cy = cytoscape({
  container,
  elements: {
    nodes: nodes.map(({ label, x, y, width, colour }, id) => ({
      data: { id: `${id}`, label, width, colour }, position: { x, y },
    })),
    edges: edges.map(([source, target], id) => ({ data: { id: `e${id}`, source: `${source}`, target: `${target}` } })),
  },
  style: [
    { selector: 'node', style: {
      label: 'data(label)', width: 'data(width)', height: 'data(width)', 'background-color': 'data(colour)',
      'font-size': 13, 'min-zoomed-font-size': 8, 'text-valign': 'bottom',
    } },
    { selector: 'edge', style: { width: 1, 'line-color': EDGE, 'curve-style': 'haystack' } },
  ],
  layout: { name: 'preset' },
  pixelRatio: 1,
  minZoom: 1e-4,
  renderer: window.webgl ? { name: 'canvas', webgl: true } : { name: 'canvas' },
});
let answered;
cy.on('tap', 'node', ({ target }) => answered?.(target.id()));
cy.on('render', () => { window.drawn = true; });

window.bench = {
  target() {
    const box = container.getBoundingClientRect();
    const middle = { x: box.width / 2, y: box.height / 2 };
    let [best, nearest] = [null, Infinity];
    for (const node of cy.nodes().toArray()) {
      const at = node.renderedPosition();
      const distance = Math.hypot(at.x - middle.x, at.y - middle.y);
      if (distance < nearest) [best, nearest] = [{ ...at }, distance];
    }
    return [box.left + best.x, box.top + best.y];
  },
  answer: () => new Promise((resolve) => { answered = resolve; }),
  approach(factor) {
    cy.zoom({ level: cy.zoom() * factor, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } });
  },
};
