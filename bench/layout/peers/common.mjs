// What the runners of JavaScript share: a graph as `{nodes, edges}`, and the answer as JSON.
import { readFileSync } from 'node:fs';

export const graph = () => JSON.parse(readFileSync(process.argv[2]));

/// Runs a layout and prints the processor time that it took, all threads together, in ms.
export function measure(work, places) {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  process.stdout.write(JSON.stringify({ ms: (user + system) / 1000, places: places() }));
}

/// Numbers in [0, 1) that are the same each time (mulberry32).
export function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
