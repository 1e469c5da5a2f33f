// topology.mjs URL SCREENSHOTS: goes through everything that one can do with the picture, by
// pointer, keyboard and touch, light and dark. What does not do what it should ends the script.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { PHONE, live, open, withBrowser } from './chromium.mjs';

const [address, shots] = process.argv.slice(2);
const url = address.replace(/\/$/, '');
mkdirSync(shots, { recursive: true });
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const drawn = (page) => page.locator('.stage.drawn').waitFor({ timeout: 20_000 });
const thing = (page, id) => page.locator(`.things [data-id="${id}"]`);
const ids = (page, kind) =>
  page.evaluate((k) => [...document.querySelectorAll(`.things .${k}`)].map((e) => e.dataset.id), kind);
const place = (page, id) =>
  page.evaluate((id) => {
    const box = document.querySelector(`.things [data-id="${id}"]`)?.getBoundingClientRect();
    return box && { x: box.x + box.width / 2, y: box.y + box.height / 2, width: box.width };
  }, id);
const options = async (page) => {
  await page.evaluate(() => { document.querySelector('details.options').open = true; });
  return page.locator('.options-body');
};
const rest = (page) => page.waitForTimeout(700);
const settled = async (page) => {
  await page.waitForFunction(() => !document.querySelector('.stage-frame')?.textContent.includes('Arranging'));
  await rest(page);
};

// How many different colours a part of the screen has: a picture has many, an empty canvas few.
async function colours(page, clip) {
  const png = (await page.screenshot({ clip })).toString('base64');
  return page.evaluate(async (png) => {
    const bytes = Uint8Array.from(atob(png), (c) => c.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const canvas = new OffscreenCanvas(image.width, image.height);
    const pen = canvas.getContext('2d');
    pen.drawImage(image, 0, 0);
    const { data } = pen.getImageData(0, 0, image.width, image.height);
    const seen = new Set();
    for (let i = 0; i < data.length; i += 4) seen.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
    return seen.size;
  }, png);
}
const STAGE = { x: 300, y: 120, width: 800, height: 600 };

async function moving(page) {
  const id = (await ids(page, 'router'))[0];
  const before = await place(page, id);
  await page.mouse.move(before.x, before.y);
  await page.mouse.wheel(0, -400);
  await rest(page);
  const near = await place(page, id);
  assert.ok(near.width > before.width * 1.2, 'the wheel zooms in');
  assert.ok(Math.hypot(near.x - before.x, near.y - before.y) < 3, 'what is under the pointer stays there');
  const empty = await page.evaluate(() => {
    for (let y = 140; y < 860; y += 20) {
      for (let x = 40; x < 1400; x += 20) {
        const at = document.elementFromPoint(x, y);
        if (at && !at.closest('[data-id]') && at.closest('.stage')) return { x, y };
      }
    }
    return null;
  });
  assert.ok(empty, 'there is empty ground');
  await page.mouse.move(empty.x, empty.y);
  await page.mouse.down();
  await page.mouse.move(empty.x + 90, empty.y + 40, { steps: 6 });
  await page.mouse.up();
  await rest(page);
  const panned = await place(page, id);
  assert.ok(Math.abs(panned.x - near.x - 90) < 6 && Math.abs(panned.y - near.y - 40) < 6, 'dragging pans');
  await page.reload();
  await live(page);
  await drawn(page);
  await rest(page);
  const again = await place(page, id);
  assert.ok(Math.abs(again.x - panned.x) < 6 && Math.abs(again.width - panned.width) < 1, 'where one was is remembered');
  await page.keyboard.press('0');
  await page.locator('.stage').press('0').catch(() => {});
  await page.getByRole('button', { name: 'Show everything' }).click();
  await rest(page);
}

async function picking(page) {
  const [first] = await ids(page, 'router');
  const at = await place(page, first);
  await page.mouse.move(at.x, at.y);
  await page.locator('.tip').waitFor();
  await page.mouse.click(at.x, at.y);
  await page.locator('.panel-head h2').waitFor();
  assert.ok(page.url().includes(encodeURIComponent(first)), 'a click selects what is there');
  // Just beside the disc is not on it.
  const [edge] = await ids(page, 'edge');
  assert.ok(edge, 'links can be reached');
  await page.keyboard.press('Escape');
  await page.locator('.home:not(.with-panel)').waitFor();
}

async function keyboard(page) {
  const [first] = await ids(page, 'router');
  await thing(page, first).focus();
  const label = await thing(page, first).getAttribute('aria-label');
  assert.match(label, /^Router .+ on .+\./, 'a screen reader hears a sentence');
  await page.keyboard.press('ArrowRight');
  const next = await page.evaluate(() => document.activeElement?.dataset?.id);
  assert.ok(next && next !== first, 'an arrow leads to a neighbour');
  await page.keyboard.press('Enter');
  await page.locator('.panel-head h2').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('.home:not(.with-panel)').waitFor();
  const before = (await place(page, first)).width;
  await thing(page, first).focus();
  await page.keyboard.press('+');
  await rest(page);
  assert.ok((await place(page, first)).width > before * 1.1, 'plus enlarges');
  await page.keyboard.press('0');
  await rest(page);
  assert.ok(await page.locator('[aria-live=polite]').count(), 'there is a live region');
}

async function searching(page) {
  const [first] = await ids(page, 'router');
  const label = (await thing(page, first).getAttribute('aria-label')).split(' ')[1];
  const box = page.getByRole('combobox').first();
  await box.fill(label);
  const hit = page.locator('#search-hits [role=option]').first();
  await hit.waitFor();
  await page.locator(`.things .hit-by-search[data-id="${first}"]`).waitFor();
  await box.press('ArrowDown');
  await box.press('Enter');
  await page.locator('.panel-head h2').waitFor();
  await page.keyboard.press('Escape');
  await box.fill('');
  await page.goto(url);
  await live(page);
  await drawn(page);
  await rest(page);
}

async function narrowing(page) {
  const all = await ids(page, 'node');
  const bar = await options(page);
  const filter = bar.locator('[name=filter]');
  await filter.fill('kind:router state:running');
  await settled(page);
  const some = await ids(page, 'node');
  assert.ok(some.length > 0 && some.length < all.length, 'a filter leaves some');
  await filter.fill('kind:');
  await page.locator('#filter-verdict.wrong, [aria-invalid=true]').first().waitFor();
  await filter.fill('');
  await settled(page);
  assert.equal((await ids(page, 'node')).length, all.length, 'and without it all are back');
  await bar.locator('[name=highlight]').fill('kind:router');
  await rest(page);
  assert.match(await page.locator('#highlight-verdict').textContent(), /\d/, 'it says how many stand out');
  await bar.locator('[name=highlight]').fill('');
  await bar.locator('button[value=hosts]').click();
  await settled(page);
  assert.ok((await ids(page, 'router')).length < all.length / 2, 'folded hosts hide their routers');
  await page.screenshot({ path: `${shots}/folded.png` });
  await bar.locator('button[value=unfold]').click();
  await settled(page);
  assert.equal((await ids(page, 'node')).length, all.length, 'unfolded, all are back');
}

async function arranging(page) {
  await page.goto(`${url}/?view=virtual`);
  await live(page);
  await drawn(page);
  await rest(page);
  const bar = await options(page);
  const select = bar.locator('[name=layout]');
  const names = await select.locator('option').allTextContents();
  assert.ok(names.length >= 7, 'seven layouts');
  const [first, second] = await ids(page, 'router');
  let before = null;
  for (let k = 1; k < names.length; k += 1) {
    await select.selectOption({ index: k });
    await settled(page);
    const [a, b] = [await place(page, first), await place(page, second)];
    const now = [a.x, a.y, b.x, b.y].map(Math.round).join();
    assert.notEqual(now, before, `${names[k]} is another picture`);
    before = now;
    await page.screenshot({ path: `${shots}/layout-${k}.png` });
  }
  assert.equal(await page.locator('.stage-notice').count(), 0, 'no layout failed');
  await bar.locator('[name=colour]').selectOption({ index: 2 });
  await bar.locator('[name=minimap]').check();
  await bar.locator('[name=weathermap]').check();
  await rest(page);
  await page.locator('.minimap').waitFor();
  await page.screenshot({ path: `${shots}/weathermap.png` });
  const [network] = await bar.locator('[name=network] option').evaluateAll((all) => all.slice(1).map((o) => o.value));
  const count = (await ids(page, 'node')).length;
  await bar.locator('[name=network]').selectOption(network);
  await settled(page);
  assert.ok((await ids(page, 'node')).length < count, 'one network is less than all');
  await bar.locator('button[value=reset]').click();
  await settled(page);
}

async function taking(page) {
  const bar = await options(page);
  const found = {};
  for (const ending of ['png', 'svg', 'graphml', 'dot', 'json']) {
    const download = page.waitForEvent('download');
    await bar.locator(`button[value=${ending}]`).click();
    const file = await (await download).path();
    found[ending] = readFileSync(file);
  }
  assert.equal(found.png.subarray(1, 4).toString(), 'PNG');
  assert.ok(found.png.readUInt32BE(16) > 1200, 'at full resolution');
  assert.match(found.svg.toString(), /^<svg[^]*<\/svg>$/);
  assert.match(found.graphml.toString(), /<graphml[^]*<node /);
  assert.match(found.dot.toString(), /graph[^]*--/);
  assert.ok(JSON.parse(found.json).nodes.length > 10);
}

async function losing(page) {
  await page.goto(url);
  await live(page);
  await drawn(page);
  await rest(page);
  const before = await colours(page, STAGE);
  assert.ok(before > 40, `the picture has ${before} colours`);
  await page.evaluate(() => {
    const gl = document.querySelector('.stage canvas').getContext('webgl2');
    window.lost = gl.getExtension('WEBGL_lose_context');
    window.lost.loseContext();
  });
  await page.waitForTimeout(300);
  await page.evaluate(() => window.lost.restoreContext());
  await page.waitForTimeout(900);
  const after = await colours(page, STAGE);
  assert.ok(after > before / 2, `a lost context comes back: ${after} colours after ${before}`);
}

async function accessible(page, what) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  const told = violations.map((v) => `${v.id}: ${v.help} at ${v.nodes.slice(0, 3).map((n) => n.target).join(' ')}`);
  assert.deepEqual(told, [], `axe-core on ${what}`);
}

async function touching(browser) {
  const page = await open(browser, url, { viewport: PHONE, hasTouch: true, isMobile: true });
  await drawn(page);
  await rest(page);
  const [id] = await ids(page, 'box');
  const before = await place(page, id);
  const session = await page.context().newCDPSession(page);
  const touch = (type, points) => session.send('Input.dispatchTouchEvent', {
    type, touchPoints: points.map(([x, y], k) => ({ x, y, id: k })),
  });
  await touch('touchStart', [[150, 420], [240, 420]]);
  for (let k = 1; k <= 6; k += 1) await touch('touchMove', [[150 - k * 10, 420], [240 + k * 10, 420]]);
  await touch('touchEnd', []);
  await rest(page);
  assert.ok((await place(page, id)).width > before.width * 1.3, 'two fingers enlarge');
  await page.screenshot({ path: `${shots}/phone-near.png` });
  await accessible(page, 'a phone');
  const { complaints } = page;
  await page.context().close();
  return complaints;
}

async function withoutWebGl(browser) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  await context.addInitScript(() => {
    const get = HTMLCanvasElement.prototype.getContext;
    HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
      return kind === 'webgl2' ? null : get.call(this, kind, ...rest);
    };
  });
  const page = await context.newPage();
  await page.goto(url);
  await live(page);
  await rest(page);
  const router = page.locator('.stage svg.topology .node.router').first();
  await router.click();
  await page.locator('.panel-head h2').waitFor();
  assert.equal(await page.locator('.stage canvas').count(), 0, 'the SVG stays without WebGL');
  await context.close();
}

const complaints = await withBrowser(async (browser) => {
  const page = await open(browser, url);
  await drawn(page);
  await rest(page);
  for (const step of [moving, picking, keyboard, searching, narrowing, arranging, taking, losing]) {
    await step(page);
  }
  await page.goto(url);
  await live(page);
  await drawn(page);
  await rest(page);
  await page.screenshot({ path: `${shots}/light.png` });
  await accessible(page, 'the page, light');
  await page.emulateMedia({ colorScheme: 'dark' });
  await rest(page);
  await page.screenshot({ path: `${shots}/dark.png` });
  await accessible(page, 'the page, dark');
  const phone = await touching(browser);
  await withoutWebGl(browser);
  return [...page.complaints, ...phone];
});
console.log(JSON.stringify({ complaints }));
