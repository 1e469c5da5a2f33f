// drag_live.mjs URL ROUTER HOST SHOTS [--fail]: drags a router onto a host, so that it moves there
// live and slowly, and watches it go. With --fail somebody breaks that meanwhile. Prints what the
// page said of the job. The pictures of the documentation are from here: see the test that runs it.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { open, withBrowser } from './chromium.mjs';
import { arrived, dialog, done, drawn, hold, movesLive, over, rest, routers, said, thing, verdicts } from './hands.mjs';

const [address, name, host, shots, how] = process.argv.slice(2);
const url = `${address.replace(/\/$/, '')}/?view=combined`;
const fails = how === '--fail';
const MEBIBYTES = /\d (MiB|KiB) of \d/;
mkdirSync(shots, { recursive: true });

// A picture in both themes, of the size that the documentation shows.
async function both(page, what) {
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme });
    await page.waitForTimeout(300);
    await page.screenshot({ path: `${shots}/${what}-${colorScheme}.png` });
  }
}

// Drags it there. What the hosts say of it is what it returns.
async function drag(page, router) {
  await hold(page, router);
  const found = await verdicts(page);
  const there = found.find((one) => one.host === host);
  assert.match(there?.verdict ?? 'no verdict', /^(fine|warning)$/, `${host} can take it`);
  await over(page, host);
  // Further down, where what is said covers least.
  const box = await thing(page, `host:${host}`).boundingBox();
  await page.mouse.move(box.x + box.width * 0.06, box.y + box.height * 0.82, { steps: 5 });
  await page.locator('.held', { hasText: `→ ${host}` }).waitFor();
  await both(page, 'drag');
  await page.mouse.up();
  return there.verdict;
}

// Says how fast, and that it shall be done.
async function confirm(page) {
  const form = dialog(page);
  await form.waitFor();
  await movesLive(page);
  await form.getByRole('textbox', { name: /^Bandwidth/ }).fill('8');
  await page.waitForFunction(() => !document.querySelector('.move-dialog [type=submit]').disabled);
  await both(page, 'dialog');
  await done(page);
}

// While it goes: in the drawer, how far it is, and on the picture, where to.
async function underWay(page, router) {
  await page.locator('#jobs-button').click();
  const job = page.locator('.drawer .job').first();
  await job.getByRole('heading', { name: `Live migration of ${name}` }).waitFor();
  await job.locator('.progress-line', { hasText: MEBIBYTES }).waitFor({ timeout: 20_000 });
  const share = () => job.locator('progress').evaluate((bar) => bar.position);
  const early = await share();
  await page.waitForFunction(
    (early) => document.querySelector('.drawer .job progress')?.position > Math.max(early, 0.25),
    early,
    { timeout: 20_000 },
  );
  await job.getByRole('button', { name: 'Cancel' }).waitFor();
  assert.match(await said(page, router.id), new RegExp(`being moved to ${host}`), 'its badge');
  assert.equal(await thing(page, `migration:${router.id.replace('router:', '')}`).count(), 1, 'its edge');
  const progress = await job.locator('.progress-line').innerText();
  await both(page, 'under-way');
  return progress.replace(/\s+/g, ' ');
}

async function ended(page, router) {
  const job = page.locator('.drawer .job').first();
  if (!fails) {
    await arrived(page, router, host);
    await job.locator('.chip', { hasText: 'succeeded' }).waitFor();
    await both(page, 'arrived');
    const note = await page.locator('.note').innerText();
    return { note, result: await job.locator('.job-result').innerText() };
  }
  await job.locator('.chip', { hasText: 'failed' }).waitFor({ timeout: 60_000 });
  const advice = await job.locator('.advice').innerText();
  assert.ok(advice, 'it says what to do');
  await page.locator('.note.bad').waitFor();
  // The picture is as it was.
  await page.waitForFunction(
    ([id, was]) => document.querySelector(`.things [data-id="${id}"]`)?.getAttribute('aria-label') === was,
    [router.id, router.said],
    { timeout: 20_000 },
  );
  await both(page, 'failed');
  return { advice, message: await job.locator('.notice').innerText() };
}

const found = await withBrowser(async (browser) => {
  const page = await open(browser, url, { viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' });
  await drawn(page);
  await rest(page);
  const router = (await routers(page)).find((one) => one.name === name);
  assert.ok(router, `${name} is in the picture`);
  assert.notEqual(router.host, host, 'it is elsewhere');
  router.said = await said(page, router.id);
  const verdict = await drag(page, router);
  await confirm(page);
  const progress = await underWay(page, router);
  return { verdict, progress, ...(await ended(page, router)), complaints: page.complaints };
});
console.log(JSON.stringify(found));
