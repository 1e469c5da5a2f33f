// moving.mjs URL SCREENSHOTS: moves routers of the demo fleet as a person does, by dragging and by
// keyboard, and puts hosts into maintenance. What does not do what it should ends the script.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { PHONE, live, open, withBrowser } from './chromium.mjs';
import { arrived, dialog, drawn, hold, over, rest, routers, start as goTo, thing, verdicts } from './hands.mjs';

const [address, shots] = process.argv.slice(2);
const url = address.replace(/\/$/, '');
mkdirSync(shots, { recursive: true });
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const shot = (page, name) => page.screenshot({ path: `${shots}/${name}.png` });
const start = (page, path = '/') => goTo(page, url + path);

// Running routers that the demo's other hosts can take: what their links need is everywhere.
const movable = async (page) =>
  (await routers(page)).filter((one) => one.state === 'running' && one.name.startsWith('campus-'));

async function accessible(page, what) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  const told = violations.map((v) => `${v.id}: ${v.help} at ${v.nodes.slice(0, 3).map((n) => n.target).join(' ')}`);
  assert.deepEqual(told, [], `axe-core on ${what}`);
}

// In both themes: a picture, and axe-core where one can do something.
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

async function byDragging(page) {
  const [router] = await movable(page);
  await hold(page, router);
  const found = await verdicts(page);
  assert.ok(found.length > 3, 'every host in sight is marked');
  assert.equal(found.find((one) => one.verdict === 'own')?.host, router.host, 'its own host is not');
  assert.ok(found.filter((one) => one.verdict !== 'own').every((one) => one.signed), 'colour is not all');
  const { host } = found.find((one) => one.verdict === 'fine' || one.verdict === 'warning');
  await over(page, host);
  await both(page, 'drag');

  // Escape puts it back, and nothing else.
  await page.keyboard.press('Escape');
  await page.locator('.held').waitFor({ state: 'detached' });
  await page.mouse.up();
  assert.equal(await dialog(page).count(), 0, 'after Escape nothing is asked');
  // Nor beside the hosts.
  await hold(page, router);
  const stage = await page.locator('.stage').boundingBox();
  await page.mouse.move(stage.x + stage.width - 5, stage.y + stage.height / 2, { steps: 5 });
  await page.mouse.up();
  await page.locator('.held').waitFor({ state: 'detached' });
  assert.equal(await dialog(page).count(), 0, 'dropped elsewhere it is put back');

  await hold(page, router);
  await verdicts(page);
  await over(page, host);
  await page.mouse.up();
  await dialog(page).waitFor();
  const move = dialog(page).getByRole('button', { name: 'Move', exact: true });
  await page.waitForFunction(() => !document.querySelector('.move-dialog [type=submit]').disabled);
  assert.match(await dialog(page).locator('.from-to').textContent(), new RegExp(`${router.host}.*${host}`));
  await both(page, 'dialog-dropped', 'the dialog');
  await move.click();
  await dialog(page).waitFor({ state: 'detached' });
  // How far it is, while it goes.
  await page.locator('#jobs-button').click();
  const job = page.locator('.drawer .job').first();
  await job.waitFor();
  assert.match(await job.textContent(), new RegExp(`Cold migration of ${router.name}`));
  await shot(page, 'drawer-at-work');
  await arrived(page, router, host);
  await shot(page, 'note');
  await page.locator('.drawer .job', { hasText: 'succeeded' }).first().waitFor();
  await job.locator('summary').click();
  assert.ok((await job.locator('.job-steps li').count()) > 2, 'it says what it did');
  assert.match(await job.locator('.job-result').textContent(), /Took/);
  await both(page, 'drawer', 'the drawer');
  await page.keyboard.press('Escape');
  await page.locator('.drawer').waitFor({ state: 'detached' });
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'jobs-button', 'the focus returns');
  return router.name;
}

async function focusIn(page, selector) {
  for (let tabs = 0; tabs < 60; tabs += 1) {
    if (await page.evaluate((s) => document.activeElement?.matches(s), selector)) return;
    await page.keyboard.press('Tab');
  }
  assert.fail(`${selector} cannot be reached by Tab`);
}

async function byKeyboard(page, not) {
  const router = (await movable(page)).find((one) => one.name !== not);
  await thing(page, router.id).focus();
  await page.keyboard.press('Shift+F10');
  await page.getByRole('menu').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('role')), 'menuitem');
  const resume = page.getByRole('menuitem', { name: /^Resume/ });
  assert.equal(await resume.getAttribute('aria-disabled'), 'true');
  assert.match(await resume.textContent(), /It runs\./, 'what cannot be done says why');
  await both(page, 'menu', 'the menu');
  await page.keyboard.press('Escape');
  await page.getByRole('menu').waitFor({ state: 'detached' });
  assert.equal(await page.evaluate(() => document.activeElement?.dataset.id), router.id, 'the focus returns');
  await page.keyboard.press('Shift+F10');
  await page.getByRole('menu').waitFor();
  for (let k = 0; k < 8; k += 1) {
    if (await page.evaluate(() => document.activeElement?.textContent.startsWith('Move'))) break;
    await page.keyboard.press('ArrowDown');
  }
  await page.keyboard.press('Enter');
  await dialog(page).waitFor();
  await dialog(page).locator('.place').first().waitFor({ timeout: 30_000 });
  await both(page, 'dialog-hosts', 'the dialog with its hosts');
  await focusIn(page, '.place input');
  await page.keyboard.press('Space');
  // On to the first that can be, and back: arrow keys choose.
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  const host = await page.evaluate(() => document.querySelector('.place input:checked').value);
  await page.waitForFunction(() => !document.querySelector('.move-dialog [type=submit]').disabled);
  await focusIn(page, '.move-dialog [type=submit]');
  await page.keyboard.press('Enter');
  await dialog(page).waitFor({ state: 'detached' });
  await page.waitForTimeout(150);
  assert.equal(await page.evaluate(() => document.activeElement?.dataset?.id), router.id, 'the focus returns');
  await arrived(page, router, host);
}

async function liveIsRefused(page) {
  const [router] = await movable(page);
  await page.goto(`${url}/?view=combined&select=${encodeURIComponent(router.id)}`);
  await live(page);
  await page.locator('.panel').getByRole('button', { name: 'Move…' }).click();
  await dialog(page).locator('.place').first().waitFor({ timeout: 30_000 });
  await dialog(page).locator('.place input').first().check();
  await dialog(page).locator('.how summary').click();
  await dialog(page).getByRole('radio', { name: /^live/ }).check();
  await dialog(page).locator('.place.obstacle').first().waitFor({ timeout: 30_000 });
  assert.equal(await dialog(page).locator('.place:not(.obstacle)').count(), 0, 'live it can go nowhere');
  const move = dialog(page).getByRole('button', { name: 'Move', exact: true });
  await page.waitForFunction(() => document.querySelector('#dialog-why-not').textContent.length > 20);
  assert.ok(await move.isDisabled(), 'and is not moved');
  assert.match(await page.locator('#dialog-why-not').textContent(), /live|driver/i, 'and it says why');
  await both(page, 'dialog-refused', 'the dialog that refuses');
  await page.keyboard.press('Escape');
  await dialog(page).waitFor({ state: 'detached' });
}

async function maintenance(page) {
  await start(page);
  const [router] = await movable(page);
  await hold(page, router);
  const { host } = (await verdicts(page)).find((one) => one.verdict === 'fine' || one.verdict === 'warning');
  await page.keyboard.press('Escape');
  await page.mouse.up();
  await start(page, `/?view=combined&select=host:${host}`);
  await page.getByRole('button', { name: 'Put into maintenance…' }).click();
  await page.getByRole('textbox', { name: /^Why/ }).fill('new disks');
  await page.waitForTimeout(250);
  await shot(page, 'maintenance-question');
  await accessible(page, 'the question');
  await page.keyboard.press('Enter');
  await page.locator('.maintenance-box.on').waitFor();
  await page.waitForFunction(
    (id) => document.querySelector(`.things [data-id="${id}"]`)?.getAttribute('aria-label').includes('in maintenance (new disks)'),
    `host:${host}`,
    { timeout: 20_000 },
  );
  await both(page, 'maintenance', 'a host in maintenance');
  for (const path of ['/hosts', '/settings']) {
    await page.goto(url + path);
    await page.locator('tr', { hasText: host }).getByText('in maintenance').waitFor();
  }
  await shot(page, 'maintenance-settings');
  // What is dragged now is refused there.
  await start(page);
  await page.locator('.options').evaluate((bar) => { bar.open = true; });
  await page.locator('[name=highlight]').fill('maintenance:true');
  await rest(page);
  assert.match(await page.locator('#highlight-verdict').textContent(), /\b1\b/, 'it can be asked for');
  await page.locator('[name=highlight]').fill('');
  await page.locator('.options').evaluate((bar) => { bar.open = false; });
  await hold(page, router);
  const ring = (await verdicts(page)).find((one) => one.host === host);
  assert.equal(ring.verdict, 'obstacle', 'nothing lands on a host in maintenance');
  await over(page, host);
  assert.match(await page.locator('.held').textContent(), /maintenance/, 'and it says why');
  await shot(page, 'maintenance-drag');
  await page.keyboard.press('Escape');
  await page.mouse.up();
  await page.goto(`${url}/?view=combined&select=host:${host}`);
  await live(page);
  await page.getByRole('button', { name: 'Take back into use' }).click();
  await page.locator('.maintenance-box:not(.on)').waitFor();
}

async function table(page) {
  await page.goto(`${url}/jobs`);
  await live(page);
  assert.ok((await page.locator('tbody tr').count()) >= 2, 'the jobs are listed');
  await page.locator('tbody th a').first().click();
  await page.locator('.jobs.alone .job').waitFor();
  await both(page, 'jobs', 'the page of jobs');
  await page.goto(`${url}/jobs?state=failed`);
  await page.getByText('No job matches').waitFor();
}

async function onAPhone(browser) {
  const page = await open(browser, url, { viewport: PHONE, hasTouch: true, isMobile: true });
  const { complaints } = page;
  await drawn(page);
  await rest(page);
  const [router] = await movable(page);
  await page.goto(`${url}/?view=combined&select=${encodeURIComponent(router.id)}`);
  await live(page);
  await shot(page, 'phone-panel');
  await page.locator('.panel').getByRole('button', { name: 'Move…' }).click();
  await dialog(page).locator('.place').first().waitFor({ timeout: 30_000 });
  await dialog(page).locator('.place').first().click();
  await both(page, 'phone-dialog', 'the dialog on a phone');
  await page.keyboard.press('Escape');
  await dialog(page).waitFor({ state: 'detached' });
  await page.locator('#jobs-button').click();
  await page.locator('.drawer .job').first().waitFor();
  await both(page, 'phone-drawer', 'the drawer on a phone');
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= PHONE.width, `nothing sticks out: ${wide}`);
  await page.context().close();
  return complaints;
}

const complaints = await withBrowser(async (browser) => {
  const page = await open(browser, url);
  await drawn(page);
  await rest(page);
  await page.locator('#jobs-button').click();
  await page.locator('.drawer').getByText('No job yet.').waitFor();
  await both(page, 'drawer-empty', 'the empty drawer');
  await page.keyboard.press('Escape');
  await page.locator('.drawer').waitFor({ state: 'detached' });
  const first = await byDragging(page);
  await start(page);
  await byKeyboard(page, first);
  await liveIsRefused(page);
  await maintenance(page);
  await table(page);
  return [...page.complaints, ...(await onAPhone(browser))];
});
console.log(JSON.stringify({ complaints }));
