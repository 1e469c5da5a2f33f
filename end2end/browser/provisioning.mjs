// provisioning.mjs URL SCREENSHOTS: brings an image into the library of the demo fleet as a person does,
// makes routers of it, lives through what can be done to them, links them by mouse and by keyboard, and
// takes all of it away again. What does not do what it should ends the script.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { PHONE, live, open, withBrowser } from './chromium.mjs';
import {
  becomes, button, choose, closed, dialog, done, draw, drawn, found, made, middle, note, rest, settled, start as goTo, submit, thing,
} from './hands.mjs';

const [address, shots] = process.argv.slice(2);
const url = address.replace(/\/$/, '');
mkdirSync(shots, { recursive: true });
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const shot = (page, name) => page.screenshot({ path: `${shots}/${name}.png` });
const start = (page, path = '/') => goTo(page, url + path);

// What axe-core finds is told at the end, all of it.
const faults = [];
async function accessible(page, what) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  faults.push(...violations.map((v) => `${what}: ${v.id}: ${v.help} at ${v.nodes.slice(0, 3).map((n) => n.target).join(' ')}`));
}

// In both themes: a picture, and axe-core.
async function both(page, name, what) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await page.waitForTimeout(350);
    await shot(page, `${name}-${colorScheme}`);
    if (what) await accessible(page, `${what}, ${colorScheme}`);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.waitForTimeout(200);
}

// A disk with nothing on it, in QEMU's format: header, table, reference counts.
function qcow2(megabytes) {
  const cluster = 1 << 16;
  const disk = Buffer.alloc(4 * cluster + megabytes * (1 << 20));
  disk.write('QFI\xfb', 0, 'latin1');
  disk.writeUInt32BE(2, 4);
  disk.writeUInt32BE(16, 20);
  disk.writeBigUInt64BE(64n << 20n, 24);
  disk.writeUInt32BE(1, 36);
  disk.writeBigUInt64BE(BigInt(cluster), 40);
  disk.writeBigUInt64BE(BigInt(2 * cluster), 48);
  disk.writeUInt32BE(1, 56);
  disk.writeBigUInt64BE(BigInt(3 * cluster), 2 * cluster);
  for (let used = 0; used < 4; used += 1) disk.writeUInt16BE(1, 3 * cluster + 2 * used);
  // What is not compressed on its way.
  for (let at = 4 * cluster; at < disk.length; at += 4) disk.writeUInt32BE((at * 2654435761) >>> 0, at);
  return disk;
}

async function anImage(page) {
  await page.goto(`${url}/images`);
  await live(page);
  await page.getByText('No image yet').waitFor();
  await both(page, 'images-empty', 'the empty library');

  // Without an image, no router: the dialog says so and leads here.
  await page.keyboard.press('n');
  await dialog(page).getByText('there is none yet').waitFor();
  await shot(page, 'create-without-image');
  await page.keyboard.press('Escape');
  await closed(page);

  await button(page, 'Import…').click();
  await dialog(page).locator('.import-files > *').first().waitFor();
  await page.waitForTimeout(200);
  await shot(page, 'images-import');
  await accessible(page, 'the dialog to import');
  await page.keyboard.press('Escape');
  await closed(page);

  await button(page, 'Upload…').click();
  assert.ok(await submit(page).isDisabled(), 'without a file nothing is uploaded');
  assert.match(await page.locator('#dialog-why-not').textContent(), /Choose the file/);
  const file = { name: 'alpine-3.20.qcow2', mimeType: 'application/octet-stream', buffer: qcow2(6) };
  await dialog(page).locator('input[type=file]').setInputFiles(file);
  assert.equal(await dialog(page).getByLabel('Name', { exact: false }).first().inputValue(), 'alpine');
  assert.equal(await dialog(page).getByLabel('Version').inputValue(), '3.20');
  await dialog(page).getByText('More about it').click();
  await dialog(page).getByLabel('Interfaces').fill('1');
  await both(page, 'images-upload', 'the dialog to upload');

  // The connection is cut in the middle: it goes on by itself, from where it was.
  let pieces = 0;
  await page.route('**/images/uploads/**', async (route) => {
    pieces += 1;
    if (pieces === 3) return route.abort('connectionreset');
    await new Promise((go) => setTimeout(go, 350));
    return route.continue().catch(() => {});
  });
  await done(page);
  const upload = page.locator('.upload').first();
  await upload.waitFor();
  await upload.getByText('waiting').waitFor();
  await shot(page, 'images-cut');
  await page.waitForFunction(() => /MB\/s|kB\/s/.test(document.querySelector('.upload .progress-line')?.textContent ?? ''));
  await both(page, 'images-first', 'the library while its first image comes');
  await note(page, 'alpine 3.20 is in the library').waitFor({ timeout: 60_000 });
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  const row = page.locator('.image-row', { hasText: 'alpine' });
  await row.waitFor();

  // Another one is broken off by a page that is loaded anew, and goes on once its file is chosen again.
  const other = { name: 'debian-12-generic-amd64.raw', mimeType: 'application/octet-stream', buffer: qcow2(8).fill(7, 0, 1024) };
  await page.route('**/images/uploads/**', async (route) => {
    const [, begin] = route.request().headers()['content-range'].match(/^bytes (\d+)/);
    return Number(begin) > 0 ? route.abort() : route.continue();
  });
  await button(page, 'Upload…').click();
  await dialog(page).locator('input[type=file]').setInputFiles(other);
  await done(page);
  await page.locator('.upload').getByText('waiting').waitFor();
  page.once('dialog', (question) => question.accept());
  await page.goto(`${url}/images`);
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  await live(page);
  const broken = page.locator('.upload.broken');
  await broken.waitFor();
  assert.match(await broken.textContent(), /debian 12.*Broken off: 256 KiB/);
  await both(page, 'images-broken', 'an upload that was broken off');
  await broken.locator('input[type=file]').setInputFiles({ ...other, buffer: Buffer.alloc(5) });
  await broken.getByText('not the same files').waitFor();
  await page.route('**/images/uploads/**', async (route) => {
    await new Promise((go) => setTimeout(go, 600));
    return route.continue().catch(() => {});
  });
  await broken.locator('input[type=file]').setInputFiles(other);
  await page.waitForFunction(() => /left/.test(document.querySelector('.upload .progress-line')?.textContent ?? ''));
  await both(page, 'images-uploading', 'the library while an upload is under way');
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  await note(page, 'debian 12-generic is in the library').waitFor({ timeout: 60_000 });

  await row.getByRole('link').click();
  await page.locator('.image-facts').waitFor();
  assert.match(await page.locator('.image-facts').textContent(), /SHA-256 [0-9a-f]{64}/);
  await both(page, 'image-details', 'the details of an image');
  await button(page, 'Edit…').click();
  await dialog(page).getByLabel('Description').fill('A small router for tests.');
  await done(page);
  await page.locator('.image-facts .about', { hasText: 'A small router' }).waitFor();
  await button(page, 'Bring to hosts…').click();
  await dialog(page).locator('.place input:enabled').first().waitFor();
  await dialog(page).locator('.place input:enabled').first().check();
  await page.waitForTimeout(900);
  const consent = dialog(page).getByText('Make the storage pool');
  if (await consent.count()) await consent.click();
  await both(page, 'image-distribute', 'the dialog to bring an image to hosts');
  await done(page);
  await page.waitForFunction(() => document.querySelector('.image-row.open td[data-label^=Copies]')?.textContent === '1', null, { timeout: 60_000 });
  await shot(page, 'image-on-host');
  // The other one is in nobody's way, and goes.
  await page.locator('.image-row', { hasText: 'debian' }).getByRole('link').click();
  await page.locator('.image-facts').waitFor();
  await button(page, 'Delete…').click();
  await both(page, 'image-delete', 'the question before an image is deleted');
  await done(page);
  await page.locator('.image-row', { hasText: 'debian' }).waitFor({ state: 'detached', timeout: 60_000 });
}

async function newRouters(page) {
  await start(page);
  await page.keyboard.press('n');
  await dialog(page).waitFor();
  await dialog(page).locator('.place').first().waitFor({ timeout: 30_000 });
  const name = dialog(page).getByLabel('Name', { exact: true });
  await name.fill('no name');
  assert.match(await page.locator('#dialog-why-not').textContent(), /letters, digits/);
  assert.ok(await submit(page).isDisabled());
  await name.fill('triangle-a');
  const wait = page.locator('#dialog-why-not', { hasText: /asked/ });
  await wait.waitFor({ state: 'detached', timeout: 30_000 }).catch(() => {});
  await page.waitForTimeout(900);
  await both(page, 'create', 'the dialog for a new router');
  await dialog(page).getByText('More', { exact: true }).click();
  await dialog(page).getByLabel('Tags').fill('test, triangle');
  await shot(page, 'create-more');
  await made(page);
  const a = await found(page, 'triangle-a');
  assert.equal(a.state, 'running');
  await shot(page, 'created-note');
  await page.locator('.note').getByRole('link', { name: 'Show it' }).first().click();
  await page.locator('.panel h2', { hasText: 'triangle-a' }).waitFor();

  // On a host of one's choice: from its menu, by keyboard.
  await start(page);
  const host = (await page.evaluate(() => [...document.querySelectorAll('.things [data-id^="host:"]')].map((e) => e.dataset.id)))
    .find((id) => id !== `host:${a.host}`);
  await thing(page, host).focus();
  await page.keyboard.press('Shift+F10');
  await page.getByRole('menuitem', { name: 'New router here…' }).waitFor();
  await shot(page, 'menu-of-host');
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await dialog(page).locator('.place :checked').waitFor({ timeout: 30_000 });
  assert.equal(`host:${await dialog(page).locator('.place :checked').inputValue()}`, host);
  await dialog(page).getByLabel('Name', { exact: true }).fill('triangle-b');
  await made(page);
  const b = await found(page, 'triangle-b');
  assert.equal(`host:${b.host}`, host);
  // And one that is only defined.
  await button(page, 'New router').click();
  await dialog(page).locator('.place').first().waitFor({ timeout: 30_000 });
  await dialog(page).getByLabel('Name', { exact: true }).fill('triangle-c');
  await dialog(page).getByText('More', { exact: true }).click();
  await dialog(page).getByText('Start it once it is made').click();
  assert.equal(await submit(page).textContent(), 'Create');
  await made(page);
  const c = await found(page, 'triangle-c');
  assert.equal(c.state, 'shut off');
  // A name that is taken is refused before anything is asked for.
  await page.keyboard.press('n');
  await dialog(page).locator('.place').first().waitFor({ timeout: 30_000 });
  await dialog(page).getByLabel('Name', { exact: true }).fill('triangle-c');
  assert.match(await page.locator('#dialog-why-not').textContent(), /already/);
  await page.keyboard.press('Escape');
  await closed(page);
  return [a, b, c];
}

async function lifecycle(page, [a, , c]) {
  await start(page, `/?view=combined&select=${encodeURIComponent(c.id)}`);
  const panel = page.locator('.panel');
  await panel.locator('h2', { hasText: c.name }).waitFor();
  await both(page, 'panel-off', 'the panel of a router that is off');
  await panel.getByRole('button', { name: 'Start', exact: true }).click();
  await becomes(page, c, 'running');
  // The focus goes on to what undoes it.
  await page.waitForFunction(() => document.activeElement?.textContent === 'Suspend');
  await panel.getByRole('button', { name: 'Suspend', exact: true }).click();
  await becomes(page, c, 'suspended');
  await panel.getByRole('button', { name: 'Resume', exact: true }).click();
  await becomes(page, c, 'running');

  await panel.getByRole('button', { name: 'More…' }).click();
  await page.getByRole('menu').waitFor();
  await both(page, 'panel-menu', 'the menu of a router');
  const start_ = page.getByRole('menuitem', { name: /^Start/ });
  assert.match(await start_.textContent(), /It runs/, 'what cannot be done says why');
  await page.keyboard.press('Escape');
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'router-more', 'the focus returns');

  await choose(page, c, 'Resize');
  await dialog(page).waitFor();
  await dialog(page).getByLabel('Memory').fill('256');
  await both(page, 'resize', 'the dialog to resize');
  await done(page);
  await note(page, c.name).last().waitFor();

  await panel.getByRole('button', { name: 'Shut down…' }).click();
  await dialog(page).getByLabel('Deadline').fill('0');
  assert.match(await page.locator('#dialog-why-not').textContent(), /Deadline/);
  await dialog(page).getByLabel('Deadline').fill('20');
  await both(page, 'shut-down', 'the question before a shutdown');
  await done(page);
  await becomes(page, c, 'shut off');
  await choose(page, a, 'Reset');
  await dialog(page).getByText('not written to its disk is lost').waitFor();
  await page.keyboard.press('Escape');
  await closed(page);
  await page.waitForTimeout(150);
  assert.equal(await page.evaluate(() => document.activeElement?.dataset?.id), a.id, 'the focus returns');

  // One more interface, and away with it.
  await start(page, `/?view=combined&select=${encodeURIComponent(a.id)}`);
  const before = await panel.getByRole('button', { name: /^Take away…/ }).count();
  await panel.getByRole('button', { name: 'Add one…' }).click();
  await dialog(page).waitFor();
  await page.waitForFunction(() => document.querySelector('#dialog-why-not').textContent !== 'The host\'s networks are being read.');
  await both(page, 'attach', 'the dialog for one more interface');
  await submit(page).click();
  // What the demo's driver cannot do, it says.
  const refused = dialog(page).locator('.notice');
  await Promise.race([closed(page), refused.waitFor()]);
  if (await refused.count()) {
    await shot(page, 'attach-refused');
    await page.keyboard.press('Escape');
    await closed(page);
  } else {
    await note(page, a.name).last().waitFor();
    // A driver that cannot plug while it runs does so at the next start.
    const later = /next start/.test(await page.locator('.notes').textContent());
    const count = (expected) => page.waitForFunction(
      (expected) => document.querySelectorAll('.panel [aria-label^="Take away…"]').length === expected,
      expected,
      { timeout: 30_000 },
    );
    if (!later) await count(before + 1);
    await panel.getByRole('button', { name: /^Take away…/ }).last().click();
    await both(page, 'detach', 'the question before an interface goes');
    await done(page);
    if (!later) await count(before);
  }
}

async function links(page, [a, b, c]) {
  await start(page);
  await rest(page);
  // By Shift, and given up.
  await page.keyboard.down('Shift');
  await draw(page, a, b);
  assert.match(await page.locator('.held').textContent(), new RegExp(`${a.name}.*with ${b.name}`));
  await both(page, 'link-drawn');
  await page.keyboard.press('Escape');
  await page.locator('.rubber').waitFor({ state: 'detached' });
  await page.mouse.up();
  await page.keyboard.up('Shift');
  assert.equal(await dialog(page).count(), 0, 'after Escape nothing is asked');

  // By the mode, which a key turns on and off.
  await page.keyboard.press('l');
  await page.getByText('Drag from one router to another').waitFor();
  assert.equal(await button(page, 'Draw links').getAttribute('aria-pressed'), 'true');
  await draw(page, a, b);
  await page.mouse.up();
  await dialog(page).waitFor();
  await dialog(page).getByLabel('Addresses').selectOption('ipv4');
  await page.waitForTimeout(300);
  await both(page, 'link-dialog', 'the dialog for a link');
  await dialog(page).getByLabel('Largest packet').fill('100');
  assert.match(await page.locator('#dialog-why-not').textContent(), /Largest packet/);
  await dialog(page).getByLabel('Largest packet').fill('');
  await dialog(page).getByText('Shut it down and start it again').click();
  await done(page);
  await settled(page);
  await page.keyboard.press('l');
  await page.locator('.mode-note').waitFor({ state: 'detached' });

  // From the handle of a router that is pointed at.
  await start(page);
  const [cx, cy] = await middle(page, c.id);
  await page.mouse.move(cx, cy);
  const handle = page.locator('.link-handle');
  if (await handle.count()) {
    await page.waitForTimeout(300);
    await shot(page, 'link-handle');
    const grip = await handle.boundingBox();
    await page.mouse.move(grip.x + 10, grip.y + 10, { steps: 4 });
    await page.mouse.down();
    await page.mouse.move(...await middle(page, a.id), { steps: 12 });
    await page.locator('.rubber.over').waitFor();
    await page.keyboard.press('Escape');
    await page.mouse.up();
  }

  // By keyboard, from the menu and a list.
  await choose(page, b, 'Link to');
  await dialog(page).locator('.place').first().waitFor();
  await dialog(page).getByRole('searchbox').fill('triangle-c');
  await dialog(page).locator('.place', { hasText: 'triangle-c' }).waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Space');
  await both(page, 'link-to', 'the dialog for a link with its list');
  await dialog(page).getByText('Shut it down and start it again').click();
  await done(page);
  await settled(page);
  await choose(page, c, 'Link to');
  await dialog(page).getByRole('searchbox').fill('triangle-a');
  await dialog(page).locator('.place', { hasText: 'triangle-a' }).click();
  await dialog(page).getByText('Shut it down and start it again').click();
  await done(page);
  await settled(page);
  await choose(page, c, 'Start');
  await becomes(page, c, 'running');
  await start(page);
  await page.mouse.move(5, 5);
  await shot(page, 'triangle');
}

async function unlink(page, [a, b]) {
  await start(page, `/?view=combined&select=${encodeURIComponent(a.id)}`);
  await page.locator('.panel .card', { hasText: b.name }).getByRole('link', { name: 'link details' }).click();
  await button(page, 'Delete this link…').click();
  await both(page, 'unlink', 'the question before a link is deleted');
  await dialog(page).getByText('Shut it down and start it again').click();
  await done(page);
  await settled(page);
  await start(page, `/?view=combined&select=${encodeURIComponent(a.id)}`);
  await page.locator('.panel h2', { hasText: a.name }).waitFor();
  assert.equal(await page.locator('.panel .card', { hasText: b.name }).count(), 0, 'the link is gone');
}

async function consoles(page, [a, b]) {
  // The demo's driver has no consoles, and says so.
  await start(page);
  await choose(page, a, 'Console');
  const console_ = page.locator('.console');
  const state = console_.locator('.console-state');
  await state.filter({ hasText: 'closed' }).waitFor({ timeout: 30_000 });
  assert.ok((await console_.locator('.console-why').textContent()).length > 10, 'it says why');
  await page.waitForTimeout(400);
  await both(page, 'console-refused', 'a console that there is not');
  await page.getByRole('button', { name: 'Close the console' }).click();
  await console_.waitFor({ state: 'detached' });

  // One that answers what is typed, and ends.
  let ends;
  await page.routeWebSocket(/\/routers\/.*\/console$/, (socket) => {
    const say = (text) => socket.send(Buffer.from(text));
    say('');
    say('\x1b[38;2;120;200;255mrouter\x1b[0m login: ');
    socket.onMessage((typed) => say(typed.toString() === '\r' ? '\r\n# ' : typed.toString().toUpperCase()));
    ends = () => {
      socket.send('The router stopped.');
      socket.close({ code: 1000 });
    };
  });
  await thing(page, b.id).focus();
  await choose(page, b, 'Console');
  await state.filter({ hasText: 'connected' }).waitFor();
  await page.waitForTimeout(300);
  await page.keyboard.type('root');
  await page.keyboard.press('Enter');
  await page.locator('.xterm-rows', { hasText: /login: ROOT/ }).waitFor();
  // Colours are styles, which the page's policy must let in.
  const colour = await page.evaluate(() => [...document.querySelectorAll('.xterm-rows span')].map((e) => getComputedStyle(e).color));
  assert.ok(colour.includes('rgb(120, 200, 255)'), `its colours are shown: ${colour}`);
  await both(page, 'console', 'a console');
  // It is no trap.
  await page.keyboard.press('Tab');
  assert.ok(await page.evaluate(() => document.activeElement?.classList.contains('xterm-helper-textarea')), 'Tab is the router\'s');
  await page.keyboard.press('Control+Shift+L');
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('aria-label')), 'Close the console');
  await console_.getByRole('button', { name: 'Larger' }).click();
  await page.waitForTimeout(300);
  await shot(page, 'console-tall');
  ends();
  await state.filter({ hasText: 'closed' }).waitFor();
  assert.equal(await console_.locator('.console-why').textContent(), 'The router stopped.');
  await console_.getByRole('button', { name: 'Connect again' }).click();
  await state.filter({ hasText: 'connected' }).waitFor();
  await page.keyboard.press('Control+Shift+L');
  await page.keyboard.press('Enter');
  await console_.waitFor({ state: 'detached' });
  assert.equal(await page.evaluate(() => document.activeElement?.dataset?.id), b.id, 'the focus returns');
}

async function bulk(page) {
  await page.goto(`${url}/routers?q=triangle`);
  await live(page);
  await page.getByRole('searchbox').first().fill('triangle').catch(() => {});
  for (const name of ['triangle-a', 'triangle-b', 'triangle-c']) await page.getByLabel(`Choose ${name}`).check();
  const bar = page.locator('.bulk');
  assert.match(await bar.textContent(), /3 routers chosen/);
  await both(page, 'bulk', 'the table with chosen routers');
  await bar.getByRole('button', { name: /^Suspend/ }).click();
  await note(page, 'suspended').first().waitFor();
  await bar.getByRole('button', { name: /^Resume/ }).click();
  await note(page, 'resumed').first().waitFor();
  await bar.getByRole('button', { name: /^Delete/ }).click();
  await dialog(page).getByText('What goes').waitFor();
  await page.waitForTimeout(500);
  await both(page, 'bulk-delete', 'the question before routers are deleted');
  await done(page);
  await page.getByLabel('Choose triangle-a').waitFor({ state: 'detached', timeout: 60_000 });
  await page.getByLabel('Choose triangle-c').waitFor({ state: 'detached', timeout: 60_000 });
  await settled(page);
}

async function onAPhone(browser, router) {
  const page = await open(browser, `${url}/images`, { viewport: PHONE, hasTouch: true, isMobile: true });
  const { complaints } = page;
  const fits = async (what) => {
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= PHONE.width, `nothing sticks out of ${what}: ${wide}`);
  };
  await page.locator('.image-row').first().getByRole('link').click();
  await page.locator('.image-facts').waitFor();
  await both(page, 'phone-images', 'the library on a phone');
  await fits('the library');
  await page.goto(`${url}/?view=combined&select=${encodeURIComponent(router.id)}`);
  await live(page);
  await shot(page, 'phone-router');
  await page.locator('.panel').getByRole('button', { name: 'More…' }).click();
  await page.waitForTimeout(250);
  await shot(page, 'phone-menu');
  await page.keyboard.press('Escape');
  await button(page, 'New router').click();
  await dialog(page).locator('.place').first().waitFor({ timeout: 30_000 });
  await page.waitForTimeout(600);
  await both(page, 'phone-create', 'the dialog for a new router on a phone');
  await page.keyboard.press('Escape');
  await closed(page);
  await page.locator('.panel').getByRole('button', { name: 'Console', exact: true }).click();
  await page.locator('.console').waitFor();
  await page.waitForTimeout(1500);
  await both(page, 'phone-console', 'a console on a phone');
  await page.getByRole('button', { name: 'Close the console' }).click();
  await page.goto(`${url}/routers`);
  await live(page);
  await page.getByLabel(`Choose ${router.name}`).check();
  await both(page, 'phone-bulk', 'the table on a phone');
  await fits('the table');
  await page.context().close();
  return complaints;
}

const complaints = await withBrowser(async (browser) => {
  const page = await open(browser, url);
  await drawn(page);
  await anImage(page);
  const made = await newRouters(page);
  await lifecycle(page, made);
  await links(page, made);
  await unlink(page, made);
  await consoles(page, made);
  const phone = await onAPhone(browser, made[0]);
  await bulk(page);
  // The browser complains of what was cut on purpose, and of a link that was looked at when it went.
  const meant = (text) => /ERR_CONNECTION_RESET|ERR_FAILED|link_facts|status of 404/.test(text);
  return [...page.complaints.filter((text) => !meant(text)), ...phone];
});
assert.deepEqual(faults, [], 'axe-core');
console.log(JSON.stringify({ complaints }));
