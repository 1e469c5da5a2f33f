// run.mjs SERVER [SIZE…] [--rounds N] [--profile FILE] [--shots DIRECTORY]
//
// Our page, sigma.js and cytoscape.js draw the same data centre, laid out by ours, in the same
// window of one Chromium, by turns. The rules:
// - the graphics processor is emulated on this machine's own processors (SwiftShader), so frames a
//   second say nothing: what counts is the processor time of the page's main thread a frame;
// - before a path there are frames that do not count, and what is still queued is drained; after it,
//   what it left behind is waited for and counted. The graphics processor may need a minute for
//   that: what the page costs all the time, measured before the path, is taken off for as long;
// - `nothing` is a page without a picture, on the same path: what moving costs that nobody draws for;
// - each is moved by the events of a mouse, as by a person: half of the path is dragged, half is
//   turned with the wheel;
// - the heap is JavaScript's, the DOM's, and every array buffer and WebAssembly memory, after a
//   collection;
// - time to interactive is from the navigation's start until a frame with the picture was drawn and
//   a click on a node was answered: by our page with the panel that opens under the node's name, by
//   the peers with their event.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildSync } from 'esbuild';
import { chromium } from 'playwright-core';

const HERE = dirname(fileURLToPath(import.meta.url));
const HOSTS = { '1k': 83, '10k': 830, '100k': 8300 };
const FLAGS = [
  '--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
  '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist',
  '--disable-frame-rate-limit', '--disable-gpu-vsync', '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding', '--enable-precise-memory-info',
];
const WINDOW = { width: 1280, height: 800 };
// Frames of a path. One of a large graph costs the emulated graphics processor a second.
const FRAMES = { '1k': 60, '10k': 30, '100k': 12 };
// How much nearer the second path is, where names can be read.
const NEAR = 8;
// A path ends after so long, however few frames that were, in milliseconds.
const PATIENCE = 20_000;
// So long it is measured what a page costs that nobody moves, in milliseconds.
const REST = 10_000;
// A click is waited for so long, in milliseconds.
const ANSWER = 60_000;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    profile: { type: 'string' },
    shots: { type: 'string' },
    only: { type: 'string' },
  },
});
const [server, ...asked] = positionals;
const sizes = asked.length ? asked : Object.keys(HOSTS);
for (const size of sizes) if (!HOSTS[size]) throw new Error(`${size} is no size: ${Object.keys(HOSTS).join(', ')}`);

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

// A person at the page: a mouse that presses, drags and turns its wheel at `at`. `turn` says what its
// wheel has to turn for a factor.
function person({ at, turn }) {
  // What is pressed keeps the mouse until the path ends, as the browser would have it.
  let target;
  const send = (Kind, names, more) => {
    for (const name of names) {
      const Event = name.startsWith('pointer') ? PointerEvent : Kind;
      target.dispatchEvent(new Event(name, {
        bubbles: true, cancelable: true, composed: true, view: window, clientX: at[0], clientY: at[1],
        pointerId: 1, pointerType: 'mouse', isPrimary: true, ...more,
      }));
    }
  };
  window.person = {
    press() {
      target = document.elementFromPoint(...at);
      send(MouseEvent, ['pointerdown', 'mousedown'], { button: 0, buttons: 1 });
    },
    drag(dx, dy) {
      at = [at[0] + dx, at[1] + dy];
      send(MouseEvent, ['pointermove', 'mousemove'], { buttons: 1 });
    },
    release: () => send(MouseEvent, ['pointerup', 'mouseup'], { button: 0 }),
    wheel: (factor) => send(WheelEvent, ['wheel'], { deltaY: -Math.log(factor) * turn }),
  };
}

// What the peers' pages offer themselves: where a node is, when a click was answered, and going nearer.
function ours() {
  const stage = document.querySelector('.stage');
  window.bench = {
    // Where the node nearest to the middle is. What lies above the canvas for the keyboard moves with
    // it, and so tells how.
    target(nodes) {
      const box = stage.getBoundingClientRect();
      const { a: scale, e, f } = new DOMMatrix(getComputedStyle(stage.querySelector('.things')).transform);
      let [best, nearest] = [null, Infinity];
      for (const [x, y] of nodes) {
        const at = [x * scale + e, y * scale + f];
        const distance = Math.hypot(at[0] - box.width / 2, at[1] - box.height / 2);
        if (distance < nearest) [best, nearest] = [at, distance];
      }
      return [box.left + best[0], box.top + best[1]];
    },
    async answer() {
      while (!document.querySelector('.panel h2')) await new Promise(requestAnimationFrame);
    },
    approach(factor, [x, y]) {
      for (let step = 0; step < 8; step += 1) {
        stage.querySelector('canvas').dispatchEvent(new WheelEvent('wheel', {
          bubbles: true, cancelable: true, clientX: x, clientY: y, deltaY: -Math.log(factor) / 8 / 0.0016,
        }));
      }
    },
  };
}

// Moves along the path, a step a frame, and says how long each frame took.
async function path({ frames, patience }) {
  const times = [];
  const start = performance.now();
  let last = start;
  const step = async () => {
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    times.push(now - last);
    last = now;
  };
  const half = frames / 2;
  window.person.press();
  for (let k = 0; k < half && last - start < patience / 2; k += 1) {
    const angle = k / half * 2 * Math.PI;
    window.person.drag(Math.cos(angle) * 12, Math.sin(angle) * 9);
    await step();
  }
  window.person.release();
  for (let k = 0; k < half && last - start < patience; k += 1) {
    window.person.wheel(k < half / 2 ? 0.985 : 1 / 0.985);
    await step();
  }
  return times;
}

const peer = (name, turn) => ({
  turn,
  url: ({ peers }) => `${peers}/${name}`,
  drawn: () => window.drawn,
  prepare() {},
  settle() {},
});

// Who draws: where, how it is known that it has drawn, what has to be said before it can be moved, and
// what its wheel turns for a factor of e.
const DRAWERS = {
  ours: {
    url: ({ base }) => `${base}/?view=virtual`,
    drawn: () => !!document.querySelector('.stage.drawn'),
    turn: 1 / 0.0016,
    prepare: (page) => page.evaluate(ours),
    wasm: async () => (await import('/pkg/vms.js')).initSync().memory.buffer.byteLength,
    async settle(page) {
      await page.locator('.panel .close').click();
      await page.locator('.panel h2').waitFor({ state: 'detached' });
    },
  },
  sigma: peer('sigma', 100),
  cytoscape: peer('cytoscape', 250 / Math.LN10),
  nothing: peer('nothing', 100),
  'cytoscape-webgl': peer('cytoscape-webgl', 250 / Math.LN10),
};

// The peers' pages.
async function servePeers(places, box) {
  const bundle = (name) => buildSync({
    entryPoints: [join(HERE, `${name}.js`)], bundle: true, minify: true, write: false, format: 'esm',
  }).outputFiles[0].text;
  const html = (name, more = '') => `<!DOCTYPE html><meta charset=utf-8><style>body{margin:0}
    #stage{position:absolute;left:${box.x}px;top:${box.y}px;width:${box.width}px;height:${box.height}px}</style>
    <div id=stage></div>${more}<script type=module src=/${name}.js></script>`;
  const files = {
    '/sigma': ['text/html', html('sigma')],
    '/cytoscape': ['text/html', html('cytoscape')],
    '/cytoscape-webgl': ['text/html', html('cytoscape', '<script>window.webgl = true</script>')],
    '/nothing': ['text/html', '<!DOCTYPE html><meta charset=utf-8><script type=module src=/nothing.js></script>'],
    '/nothing.js': ['text/javascript', `window.drawn = true;
      window.bench = {
        target: () => [640, 400],
        answer: () => new Promise((resolve) => { addEventListener('click', resolve, { once: true }); }),
        approach() {},
      };`],
    '/sigma.js': ['text/javascript', bundle('sigma')],
    '/cytoscape.js': ['text/javascript', bundle('cytoscape')],
    '/places.json': ['application/json', places],
    '/favicon.ico': ['image/x-icon', ' '],
  };
  const http = createServer((request, response) => {
    const [kind, body] = files[request.url] ?? [];
    response.writeHead(body ? 200 : 404, { 'content-type': kind ?? 'text/plain' }).end(body);
  });
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${http.address().port}`, end: () => http.close() };
}

// A server of ours over a graph of this size.
async function serveOurs(size, directory) {
  const file = join(directory, `${size}.json`);
  const made = spawnSync('python3', [join(HERE, 'graph.py'), `${HOSTS[size]}`], { maxBuffer: 1 << 28 });
  if (made.status !== 0) throw new Error(`graph.py failed: ${made.stderr}`);
  writeFileSync(file, made.stdout);
  const child = spawn(server, [file, '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const base = await new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
    child.stdout.on('data', (text) => {
      const found = /http:\S+/.exec(text);
      if (found) resolve(found[0]);
    });
  });
  return { base, end: () => child.kill() };
}

async function processors(cdp) {
  const { processInfo } = await cdp.send('SystemInfo.getProcessInfo');
  const sum = {};
  for (const { type, cpuTime } of processInfo) sum[type] = (sum[type] ?? 0) + cpuTime * 1e3;
  return sum;
}

// Waits until neither the page nor the graphics processor does anything; says when it stopped.
async function idle(cdp) {
  let [before, still] = [await processors(cdp), 0];
  for (const start = Date.now(); still < 3 && Date.now() - start < 60_000;) {
    await sleep(250);
    const now = await processors(cdp);
    still = now.GPU - before.GPU < 6 && now.renderer - before.renderer < 15 ? still + 1 : 0;
    before = now;
  }
  return before;
}

async function measure(browser, cdp, name, where, size, round) {
  const drawer = DRAWERS[name];
  const context = await browser.newContext({ viewport: WINDOW, deviceScaleFactor: 1, reducedMotion: 'reduce' });
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error(`${name}: ${error}`));
  page.on('console', (message) => { if (message.type() === 'error') console.error(`${name}: ${message.text()}`); });
  page.setDefaultTimeout(120_000);
  const own = await context.newCDPSession(page);
  await own.send('Performance.enable', { timeDomain: 'threadTicks' });
  const thread = async () => {
    const { metrics } = await own.send('Performance.getMetrics');
    return metrics.find((metric) => metric.name === 'ThreadTime').value * 1e3;
  };
  await page.addInitScript(() => {
    window.long = [];
    new PerformanceObserver((list) => window.long.push(...list.getEntries().map((entry) => entry.duration)))
      .observe({ type: 'longtask', buffered: true });
  });

  await page.goto(drawer.url(where), { waitUntil: 'commit', timeout: 300_000 });
  await page.waitForFunction(drawer.drawn, null, { polling: 'raf' });
  const drawn = await page.evaluate(() => new Promise((resolve) => {
    requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now())));
  }));
  await drawer.prepare(page);
  const [x, y] = await page.evaluate((nodes) => window.bench.target(nodes), where.nodes);
  await page.evaluate(() => { window.answered = window.bench.answer().then(() => performance.now()); });
  await page.mouse.click(x, y);
  // NaN, if it never answers: the rest is measured all the same.
  const interactive = await page.evaluate((patience) => Promise.race([
    window.answered,
    new Promise((resolve) => { setTimeout(() => resolve(NaN), patience); }),
  ]), ANSWER);
  const ready = Number.isNaN(interactive) ? NaN : await thread();
  await drawer.settle(page);

  await page.mouse.move(2, 2);
  // Where there is nothing: at the left border, halfway down.
  const { box } = where;
  await page.evaluate(person, { at: [box.x + 16, box.y + box.height / 2], turn: drawer.turn });
  const walk = async (view) => {
    await idle(cdp);
    await page.evaluate(path, { frames: 5, patience: PATIENCE });
    await idle(cdp);
    if (options.shots && round === 0) await page.screenshot({ path: join(options.shots, `${size}-${name}-${view}.png`), timeout: 120_000 });
    const profiled = options.profile && name === 'ours';
    if (profiled) {
      await own.send('Profiler.enable');
      await own.send('Profiler.setSamplingInterval', { interval: 1000 });
      await own.send('Profiler.start');
    }
    await page.evaluate(() => { window.long = []; });
    const still = await thread();
    await sleep(REST);
    const [used, before] = [await thread(), await processors(cdp)];
    const resting = (used - still) / REST;
    const times = await page.evaluate(path, { frames: FRAMES[size], patience: PATIENCE });
    const moved = Date.now();
    const after = await idle(cdp);
    const rested = resting * (Date.now() - moved);
    const main = (await thread() - used - rested) / times.length;
    if (profiled) {
      const { profile } = await own.send('Profiler.stop');
      writeFileSync(`${options.profile}-${size}-${view}.cpuprofile`, JSON.stringify(profile));
    }
    return {
      main,
      gpu: (after.GPU - before.GPU) / times.length,
      long: await page.evaluate(() => window.long.length) / times.length,
    };
  };
  const far = await walk('far');
  await page.evaluate(
    ({ factor, at }) => window.bench.approach(factor, at),
    { factor: NEAR, at: [box.x + box.width / 2, box.y + box.height / 2] },
  );
  const near = await walk('near');
  await own.send('HeapProfiler.enable');
  await own.send('HeapProfiler.collectGarbage');
  const heap = await own.send('Runtime.getHeapUsage');
  const wasm = await page.evaluate(drawer.wasm ?? (() => 0));
  await context.close();
  return {
    name, size, far, near, drawn, interactive, ready,
    heap: (heap.usedSize + (heap.embedderHeapUsedSize ?? 0) + (heap.backingStorageSize ?? 0) + wasm) / 1e6,
  };
}

const directory = mkdtempSync(join(tmpdir(), 'vms-bench-view-'));
const rows = [];
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', headless: true, args: FLAGS });
try {
  const cdp = await browser.newBrowserCDPSession();
  for (const size of sizes) {
    const { base, end } = await serveOurs(size, directory);
    try {
      const places = await (await fetch(`${base}/places.json`)).text();
      const nodes = JSON.parse(places).nodes.map(({ x, y }) => [x, y]);
      // The peers get the very rectangle that our page gives to the picture.
      const page = await browser.newPage({ viewport: WINDOW });
      await page.goto(`${base}/settings`);
      await page.goto(`${base}/?view=virtual`, { waitUntil: 'commit' });
      await page.locator('.stage').waitFor({ timeout: 300_000 });
      const box = await page.locator('.stage').boundingBox({ timeout: 300_000 });
      await page.context().close();
      const peers = await servePeers(places, box);
      const names = options.only ? options.only.split(',') : ['ours', 'sigma', 'cytoscape', 'nothing'];
      for (let round = 0; round < Number(options.rounds); round += 1) {
        for (const name of names) {
          const row = await measure(browser, cdp, name, { base, peers: peers.url, nodes, box }, size, round);
          console.error(JSON.stringify(row, (_, value) => (typeof value === 'number' ? Number(value.toFixed(2)) : value)));
          rows.push(row);
        }
      }
      peers.end();
    } finally {
      end();
    }
  }
} finally {
  await browser.close();
  rmSync(directory, { recursive: true });
}

// The median of every figure. `far` is the whole picture, `near` where names can be read.
const COLUMNS = [
  ['main thread a frame, far, ms', (row) => row.far.main, 1],
  ['near, ms', (row) => row.near.main, 1],
  ['graphics process a frame, far, ms', (row) => row.far.gpu, 0],
  ['near, ms', (row) => row.near.gpu, 0],
  ['long tasks a frame, far', (row) => row.far.long, 2],
  ['near', (row) => row.near.long, 2],
  ['heap, MB', (row) => row.heap, 0],
  ['main thread until interactive, ms', (row) => row.ready, 0],
  ['first frame, s', (row) => row.drawn / 1e3, 1],
  ['interactive, s', (row) => row.interactive / 1e3, 1],
];
console.log(`| nodes | | ${COLUMNS.map(([title]) => title).join(' | ')} |`);
console.log(`|---|---|${COLUMNS.map(() => '---|').join('')}`);
for (const size of sizes) {
  for (const name of Object.keys(DRAWERS)) {
    const own = rows.filter((row) => row.size === size && row.name === name);
    if (own.length === 0) continue;
    const cells = COLUMNS.map(([, read, digits]) => median(own.map(read)).toFixed(digits));
    console.log(`| ${size} | ${name} | ${cells.join(' | ')} |`);
  }
}
