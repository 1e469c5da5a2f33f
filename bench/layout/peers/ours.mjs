// Our own layouts as WebAssembly: `node ours.mjs GRAPH MODULE bare|INDEX`. The first call in a
// fresh process, as in a page: what compiling costs while it runs is part of the time.
import { readFileSync } from 'node:fs';
import { graph, measure } from './common.mjs';

const { nodes, edges } = graph();
const [, , , module, what] = process.argv;
const { exports } = await WebAssembly.instantiate(
  await WebAssembly.compile(readFileSync(module)),
);
for (const [a, b] of edges) exports.edge(a, b);
exports.prepare();
measure(
  () => (what === 'bare' ? exports.bare() : exports.whole(Number(what))),
  () => Array.from({ length: nodes }, (_, i) => [exports.x(i), exports.y(i)]),
);
