// page.mjs URL: walks through the page as a person does and says, as JSON, what it showed.
// Any step that does not do what it should ends the script.
import assert from 'node:assert/strict';
import { PHONE, open, withBrowser } from './chromium.mjs';

const [url] = process.argv.slice(2);

const node = (page, id) => page.locator(`svg [data-id="${id}"][data-kind]`);
const hasClass = (page, id, name) =>
  page.waitForFunction(
    ([id, name]) => document.querySelector(`svg [data-id="${id}"][data-kind]`)?.classList.contains(name),
    [id, name],
    // How soon is measured by watch.mjs; here the machine may be busy.
    { timeout: 20_000 },
  );

// Every row of a table page: its texts by column heading.
async function table(page, path) {
  await page.goto(`${url}${path}`);
  return page.evaluate(() => {
    const text = (cell) => cell.textContent.replace(/[▲▼]/g, '').trim();
    const heads = [...document.querySelectorAll('table thead th')].map(text);
    return [...document.querySelectorAll('table tbody tr')].map((row) =>
      Object.fromEntries([...row.children].map((cell, i) => [heads[i], text(cell)])));
  });
}

// Everything that a view draws.
async function drawn(page, view) {
  await page.goto(`${url}/?view=${view}`);
  return page.evaluate(() =>
    [...document.querySelectorAll('svg.topology [data-id]')].map((e) => e.dataset.id).sort());
}

async function withoutScript(browser) {
  const page = await open(browser, url, { javaScriptEnabled: false });
  const html = await page.content();
  const views = {};
  for (const view of ['physical', 'virtual', 'combined']) views[view] = await drawn(page, view);
  const router = views.combined.find((id) => id.startsWith('router:'));
  await page.goto(url);
  await node(page, router).click();
  await page.locator('.panel-head h2').waitFor();
  const routers = await table(page, '/routers');
  const hosts = await table(page, '/hosts');
  await hostsWithoutScript(page);
  await page.context().close();
  return { html, views, routers, hosts };
}

const row = (page, id) => page.locator('.fleet tbody tr').filter({ hasText: id });

// Fills in the form for the host that libvirt's test driver makes up.
async function fillIn(page, id) {
  await page.locator('[name=host][required]').fill(id);
  await page.locator('[name="endpoints[0][driver]"]').selectOption('test');
  await page.locator('[name="endpoints[0][transport]"]').selectOption('local');
  assert.ok(await page.locator('[name="endpoints[0][address]"]').isHidden(), 'this machine has no address');
  assert.ok(await page.locator('[name="endpoints[0][user]"]').isHidden(), 'a user is for SSH');
}

// A host is added and removed by plain forms.
async function hostsWithoutScript(page) {
  await page.goto(`${url}/settings`);
  for (const outcome of ['registered', 'refused']) {
    if (outcome === 'registered') await page.locator('.add > summary').click();
    await fillIn(page, 'by-form');
    await page.getByRole('button', { name: 'Add host' }).click();
    await page.waitForURL(/\/settings/);
    await row(page, 'by-form').waitFor();
    const told = await page.locator('.add .notice[role=alert]').count();
    assert.equal(told, outcome === 'refused' ? 1 : 0, 'an id that is taken is refused, with the form open');
    if (outcome === 'registered') await page.locator('.add > summary').click();
  }
  await row(page, 'by-form').getByRole('button', { name: 'Remove by-form' }).click();
  await page.getByRole('button', { name: 'Remove host' }).click();
  await row(page, 'by-form').waitFor({ state: 'detached' });
}

// The same by keyboard alone, with the endpoint tried first, and news coming by themselves.
async function hostsByKeyboard(page) {
  await page.goto(`${url}/settings`);
  await page.locator('.live.on').waitFor();
  const press = async (button) => {
    await button.focus();
    await page.keyboard.press('Enter');
  };
  await press(page.locator('.add > summary'));
  await fillIn(page, 'by-key');
  assert.equal(await page.locator('.uri output').textContent(), 'test:///default');
  await press(page.getByRole('button', { name: 'Check' }));
  await page.locator('.verdict').filter({ hasText: 'It can be used.' }).waitFor();
  assert.ok((await page.locator('.steps li').count()) >= 5, 'each step is told');
  assert.ok((await page.locator('.capabilities li').count()) > 5, 'so is what the driver can do');
  await page.locator('[name=host][required]').focus();
  await page.keyboard.press('Enter');
  await row(page, 'by-key').filter({ hasText: 'online' }).waitFor();
  assert.ok(await page.locator('.add form').isHidden(), 'the form is closed');

  await press(row(page, 'by-key').getByRole('button', { name: 'Remove by-key' }));
  await page.keyboard.press('Escape');
  await press(row(page, 'by-key').getByRole('button', { name: 'Remove by-key' }));
  await page.locator('.question:popover-open').filter({ hasText: 'Its router runs on' }).waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await row(page, 'by-key').waitFor({ state: 'detached' });
  await page.locator('.done').filter({ hasText: 'by-key' }).waitFor();
}

async function suspendAndResume(page, id, press) {
  // The picture hears of it by an event, often before the buttons do by their answer: until then
  // the other cannot be pressed.
  const goesOnTo = (undo) =>
    page.locator('.panel button:focus').filter({ hasText: undo }).waitFor();
  await press('Suspend');
  await hasClass(page, id, 'paused');
  await goesOnTo('Resume');
  await press('Resume');
  await hasClass(page, id, 'running');
  await goesOnTo('Suspend');
}

async function withScript(browser, router) {
  const page = await open(browser, url);
  const id = await page.evaluate((label) =>
    [...document.querySelectorAll('svg .node.router')]
      .find((node) => node.getAttribute('aria-label').startsWith(`Router ${label} `))?.dataset.id,
  router);
  assert.ok(id, `${router} is drawn`);
  const complaints = page.complaints;

  // Hover shows what it is.
  const tip = page.locator('.tip');
  for (let tries = 0; tries < 40 && !(await tip.isVisible()); tries += 1) {
    // The picture comes alive a little after the bar does, and hears no pointer that stood still.
    await page.mouse.move(1, 1);
    await node(page, id).hover();
    await page.waitForTimeout(250);
  }
  assert.ok(await tip.isVisible(), 'what is pointed at is told');

  // A click opens the facts, the charts have lines, the buttons act.
  await node(page, id).click();
  const panel = page.locator('.panel');
  await panel.locator('h2').waitFor();
  const name = (await panel.locator('h2').textContent()).trim();
  await panel.locator('.chart path').first().waitFor({ state: 'attached' });
  await suspendAndResume(page, id, (label) =>
    panel.getByRole('button', { name: label }).click());

  // The same by keyboard alone.
  await page.keyboard.press('Escape');
  await page.locator('.home:not(.with-panel)').waitFor();
  // The closed panel stays for a moment; what is opened next is another.
  await panel.locator('h2').waitFor({ state: 'detached' });
  await node(page, id).focus();
  await page.keyboard.press('Enter');
  await panel.locator('h2').waitFor();
  await suspendAndResume(page, id, async (label) => {
    await panel.getByRole('button', { name: label }).focus();
    await page.keyboard.press('Enter');
  });
  await page.keyboard.press('Escape');
  await node(page, id).focus();
  await page.keyboard.press('ArrowRight');
  const neighbour = await page.evaluate(() => document.activeElement.dataset.id);
  assert.ok(neighbour && neighbour !== id, 'an arrow key moves to a neighbour');

  // Zoom and pan move the picture and nothing else (and, once it rests, the links above it); nothing jumps when the state changes.
  const place = () => node(page, id).boundingBox();
  const before = await place();
  await page.mouse.move(700, 450);
  await page.mouse.wheel(0, -300);
  await page.waitForTimeout(700);
  const zoomed = await place();
  assert.ok(zoomed.width > before.width * 1.05, 'the wheel zooms in');
  await page.mouse.move(720, 120);
  await page.mouse.down();
  await page.mouse.move(820, 170, { steps: 5 });
  await page.mouse.up();
  await page.waitForTimeout(700);
  const panned = await place();
  assert.ok(Math.abs(panned.x - zoomed.x - 100) < 8, 'dragging pans');

  // Two tabs share one stream.
  const second = await page.context().newPage();
  const streams = [];
  second.on('request', (r) => { if (r.url().includes('/events')) streams.push(r.url()); });
  await second.goto(url);
  await second.locator('.live.on').waitFor();
  assert.deepEqual(streams, [], 'the second tab opens no stream of its own');
  await second.close();

  // Search marks what it finds.
  await page.goto(url);
  await page.getByRole('combobox', { name: 'Find' }).fill(name);
  await page.locator(`svg .node.hit-by-search[data-id="${id}"]`).waitFor();

  await hostsByKeyboard(page);

  // Dark is dark, and stays so.
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.emulateMedia({ colorScheme: 'dark' });
  assert.notEqual(await ground(), light, 'the page follows the system into the dark');
  await page.context().close();

  const phone = await open(browser, url, { viewport: PHONE, hasTouch: true, isMobile: true });
  const wide = await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `the page is ${wide} px wider than a phone`);
  complaints.push(...phone.complaints);
  await phone.context().close();
  return { name, neighbour, complaints };
}

// Every page comes alive as it was sent, with the part of the script that is its own.
async function asSent(browser, drawn) {
  const kinds = new Map(drawn.map((id) => [id.split(':')[0], id]));
  const selections = [...kinds.values()].map((id) => `/?select=${encodeURIComponent(id)}`);
  for (const path of ['/', '/hosts', '/routers', '/jobs', '/settings', ...selections]) {
    const page = await open(browser, `${url}${path}`);
    const later = await page.evaluate(() => performance.getEntriesByType('resource')
      .filter((entry) => /\/later-[^/]+\/.*\.wasm$/.test(entry.name)).length);
    assert.equal(later > 0, path !== '/', `${path} loads what it needs and no more`);
    assert.deepEqual(page.complaints, [], `${path} comes alive`);
    await page.context().close();
  }

  // A part that does not come is told, and tried again.
  const page = await open(browser, url);
  await page.route('**/later-*/**', (route) => route.abort());
  const go = (name) => page.locator('header').getByRole('link', { name }).click();
  await go('Hosts');
  await page.locator('.notice').filter({ hasText: 'Reload the page' }).waitFor();
  await page.unroute('**/later-*/**');
  await go('Routers');
  await page.locator('tbody tr').first().waitFor();
  await go('Hosts');
  await page.locator('tbody tr').first().waitFor();
  await page.context().close();
}

const result = await withBrowser(async (browser) => {
  const still = await withoutScript(browser);
  const running = still.routers.find((row) => row.State === 'running');
  assert.ok(running, 'the table of routers has a running one');
  await asSent(browser, still.views.combined);
  return { still, alive: await withScript(browser, running.Router) };
});
console.log(JSON.stringify(result));
