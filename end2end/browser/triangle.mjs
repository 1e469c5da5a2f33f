// triangle.mjs URL KERNEL INITRD SHOTS STEP [WORD…]: one step of how a person makes a triangle of
// routers over three hosts, lives with it, and takes it away again, all of it in the page:
//
//   upload             the image, and the beginning of a second one
//   create             t1, t2 and t3, which are only defined
//   link               each with each, drawn in the picture
//   start              all of them, from the table
//   look               at the picture
//   ping ROUTER TO     at a router's console
//   move ROUTER HOST   live, by dragging
//   resize ROUTER MIB, suspend ROUTER, resume ROUTER, shutdown ROUTER
//   delete             the routers, from the table
//   forget             the image
//
// What does not do what it should ends the script. Prints what the page complained of. The pictures
// of the documentation are from here: see the test that runs it.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { live, open, withBrowser } from './chromium.mjs';
import {
  arrived, becomes, button, choose, consent, dialog, done, draw, found, hold, made, movesLive, note, over, settled,
  start as goTo, submit, verdicts,
} from './hands.mjs';

const [address, kernel, initrd, shots, step, ...words] = process.argv.slice(2);
const url = address.replace(/\/$/, '');
mkdirSync(shots, { recursive: true });

const HOSTS = { t1: 'alpha', t2: 'beta', t3: 'gamma' };
const NAMES = Object.keys(HOSTS);
const picture = (page) => goTo(page, `${url}/?view=combined`);

// A picture in both themes, of the size that the documentation shows.
async function both(page, what) {
  for (const [colorScheme, suffix] of [['dark', '-dark'], ['light', '']]) {
    await page.emulateMedia({ colorScheme });
    await page.waitForTimeout(350);
    await page.screenshot({ path: `${shots}/${what}${suffix}.png` });
  }
}

// Fills in what the image is, and begins to upload it.
async function upload(page, version) {
  await button(page, 'Upload…').click();
  await dialog(page).getByLabel('What it is').selectOption('kernel');
  await dialog(page).getByLabel('Choose the kernel').setInputFiles(kernel);
  await dialog(page).getByLabel('Choose the initial file system').setInputFiles(initrd);
  const fill = (label, text) => dialog(page).getByLabel(label).fill(text);
  await dialog(page).getByLabel('Name', { exact: true }).fill('router');
  await fill('Version', version);
  await dialog(page).getByText('More about it').click();
  await fill('Description', 'The testbed\'s guest: BusyBox that forwards.');
  await fill('Memory', '128');
  await fill('Arguments of the kernel', 'console=ttyS0 quiet no_timer_check vms.shell=1');
  await dialog(page).getByText('guest agent runs in it').click();
  await done(page);
}

async function toImages(page) {
  await page.goto(`${url}/images`);
  await live(page);
}

async function uploads(page) {
  await toImages(page);
  await page.getByText('No image yet').waitFor();
  await upload(page, '1');
  await note(page, 'router 1 is in the library').getByRole('button', { name: 'Put this away' }).click({ timeout: 60_000 });
  await page.locator('.image-row', { hasText: 'router' }).waitFor();

  // Another one goes slowly, and is given up.
  await page.route('**/images/uploads/**', async (route) => {
    await new Promise((go) => setTimeout(go, 600));
    return route.continue();
  });
  await upload(page, '2');
  await page.waitForFunction(() => document.querySelector('.upload progress')?.position > 0.3, null, { timeout: 60_000 });
  await page.waitForFunction(() => /B\/s/.test(document.querySelector('.upload .progress-line')?.textContent ?? ''));
  await both(page, 'image-library');
  await page.locator('.upload').getByRole('button', { name: 'Cancel' }).click();
  await page.locator('.upload').waitFor({ state: 'detached' });
  await page.unroute('**/images/uploads/**', { behavior: 'wait' });
  assert.equal(await page.locator('.image-row').count(), 1, 'the first one is all there is');
}

async function create(page) {
  await picture(page);
  for (const [name, host] of Object.entries(HOSTS)) {
    await page.keyboard.press('n');
    await made(page, async () => {
      const form = dialog(page);
      await form.getByLabel('Name', { exact: true }).fill(name);
      await form.locator(`.place input[value=${host}]`).check({ timeout: 30_000 });
      await form.getByText('None: each link to another router').waitFor();
      if (name === NAMES[0]) {
        await consent(page);
        await page.waitForFunction(() => document.querySelector('dialog[open] [type=submit]')?.disabled === false);
        await both(page, 'create-router');
      }
      await form.getByText('More', { exact: true }).click();
      await form.getByLabel('Virtual network').fill('triangle');
      await form.getByLabel('Tags').fill('edge');
      await form.getByText('Start it once it is made').click();
      assert.equal(await submit(page).textContent(), 'Create');
    });
    const router = await found(page, name);
    assert.deepEqual([router.host, router.state], [host, 'shut off']);
  }
}

async function link(page) {
  await picture(page);
  await page.keyboard.press('l');
  await page.getByText('Drag from one router to another').waitFor();
  for (const [from, to] of [['t1', 't2'], ['t2', 't3'], ['t3', 't1']]) {
    await draw(page, await found(page, from), await found(page, to));
    await page.mouse.up();
    await dialog(page).waitFor();
    await dialog(page).getByLabel('Addresses').selectOption('ipv4');
    await done(page);
    await settled(page);
  }
}

// Chooses all routers in the table; the bar of what can be done to them.
async function all(page) {
  await page.goto(`${url}/routers`);
  await live(page);
  for (const name of NAMES) await page.getByLabel(`Choose ${name}`).check();
  const bar = page.locator('.bulk');
  assert.match(await bar.textContent(), /3 routers chosen/);
  return bar;
}

async function start(page) {
  await (await all(page)).getByRole('button', { name: /^Start/ }).click();
  await note(page, 'are started').waitFor({ timeout: 60_000 });
  for (const name of NAMES) await page.locator('tr', { hasText: name }).getByText('running').waitFor();
}

async function look(page) {
  await picture(page);
  for (const name of NAMES) await becomes(page, await found(page, name), 'running');
  assert.equal(await page.locator('.things [data-id^="link:"]').count() >= 3, true, 'the links are drawn');
  // Until rates are known.
  await page.waitForTimeout(5000);
  await both(page, 'made-triangle');
}

async function ping(page, [name, to]) {
  await picture(page);
  await choose(page, await found(page, name), 'Console');
  await page.locator('.console-state', { hasText: 'connected' }).waitFor({ timeout: 30_000 });
  await page.keyboard.press('Enter');
  await page.keyboard.type(`ping ${to}`);
  await page.keyboard.press('Enter');
  await page.locator('.xterm-rows', { hasText: /seq=5 ttl=/ }).waitFor({ timeout: 30_000 });
  await both(page, 'console');
  await page.keyboard.press('Control+C');
  await page.locator('.xterm-rows', { hasText: ' 0% packet loss' }).waitFor();
  await button(page, 'Close the console').click();
  await page.locator('.console').waitFor({ state: 'detached' });
}

async function move(page, [name, host]) {
  await picture(page);
  const router = await found(page, name);
  await hold(page, router);
  const there = (await verdicts(page)).find((one) => one.host === host);
  assert.match(there?.verdict ?? 'no verdict', /^(fine|warning)$/, `${host} can take it`);
  await over(page, host);
  await page.mouse.up();
  await dialog(page).waitFor();
  await movesLive(page);
  await done(page);
  await arrived(page, router, host);
  await both(page, 'moved');
}

// The panel of a router.
async function panel(page, name) {
  await picture(page);
  const router = await found(page, name);
  await goTo(page, `${url}/?view=combined&select=${encodeURIComponent(router.id)}`);
  await page.locator('.panel h2', { hasText: name }).waitFor();
  return [router, (act) => page.locator('.panel').getByRole('button', { name: act, exact: true }).click()];
}

async function resize(page, [name, mebibytes]) {
  const [router] = await panel(page, name);
  await choose(page, router, 'Resize');
  await dialog(page).getByLabel('Memory').fill(mebibytes);
  await done(page);
  await note(page, 'next start').waitFor();
}

async function suspend(page, [name]) {
  const [router, press] = await panel(page, name);
  await press('Suspend');
  await becomes(page, router, 'suspended');
}

async function resume(page, [name]) {
  const [router, press] = await panel(page, name);
  await press('Resume');
  await becomes(page, router, 'running');
}

async function shutdown(page, [name]) {
  const [router, press] = await panel(page, name);
  await press('Shut down…');
  await dialog(page).getByLabel('Deadline').fill('30');
  await done(page);
  await becomes(page, router, 'shut off');
}

async function delete_(page) {
  await (await all(page)).getByRole('button', { name: /^Delete/ }).click();
  await dialog(page).getByText('3 links, with the interfaces at both ends').waitFor();
  await done(page);
  for (const name of NAMES) await page.getByLabel(`Choose ${name}`).waitFor({ state: 'detached', timeout: 60_000 });
  await settled(page);
}

async function forget(page) {
  await toImages(page);
  await page.locator('.image-row').getByRole('link').click();
  await page.locator('.image-facts').waitFor();
  await button(page, 'Delete…').click();
  await done(page);
  await page.getByText('No image yet').waitFor({ timeout: 60_000 });
}

const STEPS = { upload: uploads, create, link, start, look, ping, move, resize, suspend, resume, shutdown, delete: delete_, forget };

const complaints = await withBrowser(async (browser) => {
  const page = await open(browser, url, { reducedMotion: 'reduce' });
  try {
    await STEPS[step](page, words);
  } catch (error) {
    await page.screenshot({ path: `${shots}/failed-${step}.png` });
    throw error;
  }
  return page.complaints;
});
console.log(JSON.stringify({ complaints }));
