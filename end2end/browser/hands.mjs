// What a person does in the page, in steps: what several scripts do that make, link and move routers.
import assert from 'node:assert/strict';
import { live } from './chromium.mjs';

export const drawn = (page) => page.locator('.stage.drawn').waitFor({ timeout: 20_000 });
export const rest = (page) => page.waitForTimeout(700);
export const thing = (page, id) => page.locator(`.things [data-id="${id}"]`);
// What a screen reader hears of it.
export const said = (page, id) => thing(page, id).getAttribute('aria-label');
export const dialog = (page) => page.locator('dialog.dialog[open]');
export const submit = (page) => dialog(page).locator('[type=submit]');
export const closed = (page) => dialog(page).waitFor({ state: 'detached' });
export const button = (page, name) => page.getByRole('button', { name, exact: true });
export const note = (page, text) => page.locator('.note', { hasText: text });

// Loads an address and waits until its picture is drawn and rests.
export async function start(page, address) {
  await page.goto(address);
  await live(page);
  await drawn(page);
  await rest(page);
}

// The routers, with the hosts that they are on.
export async function routers(page) {
  const all = await page.evaluate(() =>
    [...document.querySelectorAll('.things .router')].map((e) => [e.dataset.id, e.getAttribute('aria-label')]));
  return all.map(([id, label]) => {
    const [, name, host, state] = label.match(/^Router (\S+) on (\S+), ([^,.]+)/);
    return { id, name, host, state };
  });
}

// A router of this name, once the picture has it.
export async function found(page, name) {
  await page.waitForFunction(
    (name) => [...document.querySelectorAll('.things .router')].some((e) => e.getAttribute('aria-label').startsWith(`Router ${name} on `)),
    name,
    { timeout: 30_000 },
  );
  return (await routers(page)).find((one) => one.name === name);
}

// Until the picture says that a router is in this state.
export async function becomes(page, router, state) {
  await page.waitForFunction(
    ([id, state]) => document.querySelector(`.things [data-id="${id}"]`)?.getAttribute('aria-label').includes(`, ${state}`),
    [router.id, state],
    { timeout: 30_000 },
  );
}

// Until no job works, and none has failed.
export async function settled(page) {
  await page.waitForFunction(() => document.querySelector('#jobs-button').getAttribute('aria-label') === 'Jobs', null, { timeout: 60_000 });
}

// Presses what the dialog is for, once it can be pressed.
export async function done(page) {
  await page.waitForFunction(() => document.querySelector('dialog[open] [type=submit]')?.disabled === false, null, { timeout: 30_000 });
  await submit(page).click();
  await closed(page);
}

// Consents to a storage pool in the dialog that is open, if that is asked for, once the hosts have answered.
export async function consent(page) {
  await page.waitForTimeout(600);
  await dialog(page).locator('.places:not([aria-busy=true])').waitFor({ timeout: 30_000 });
  const asked = dialog(page).getByLabel('Make the storage pool');
  if (await asked.count()) await asked.check();
}

// Makes a router by the dialog that is open; the name it got.
export async function made(page, prepare = async () => {}) {
  await dialog(page).locator('.place').first().waitFor({ timeout: 30_000 });
  await prepare();
  const name = await dialog(page).getByLabel('Name', { exact: true }).inputValue();
  await consent(page);
  await done(page);
  await note(page, name).waitFor({ timeout: 60_000 });
  assert.equal(await page.locator('.note.bad').count(), 0, await page.locator('.notes').textContent());
  return name;
}

// Chooses what begins so in the menu of a router, by keyboard.
export async function choose(page, router, act) {
  await thing(page, router.id).focus();
  await page.keyboard.press('Shift+F10');
  await page.getByRole('menu').waitFor();
  for (let k = 0; k < 20; k += 1) {
    if (await page.evaluate((act) => document.activeElement?.textContent.startsWith(act), act)) break;
    await page.keyboard.press('ArrowDown');
  }
  await page.keyboard.press('Enter');
}

// Draws a line from one router towards another, and holds it there.
export async function draw(page, from, to) {
  const [begin, end] = [await middle(page, from.id), await middle(page, to.id)];
  await page.mouse.move(...begin);
  await page.mouse.down();
  await page.mouse.move(...end, { steps: 12 });
  await page.locator('.rubber.over').waitFor();
}

// Where a thing is once it rests: a picture that moves to its place is pressed beside.
async function resting(page, id) {
  let before = null;
  for (let looks = 0; looks < 50; looks += 1) {
    const box = await thing(page, id).boundingBox();
    if (before && box && before.x === box.x && before.y === box.y) return box;
    before = box;
    await page.waitForTimeout(150);
  }
  throw new Error(`${id} does not come to rest`);
}

// A point of a thing: in its middle, or so far down.
export async function middle(page, id, how = 0.5) {
  const box = await resting(page, id);
  return [box.x + box.width / 2, box.y + box.height * how];
}

// Presses on a router and pulls it out of its place.
export async function hold(page, router) {
  const [x, y] = await middle(page, router.id);
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + 12, y + 9, { steps: 4 });
  await page.locator('.held').waitFor({ timeout: 10_000 });
}

// What the hosts in sight say of what is held, once they were asked.
export async function verdicts(page) {
  await page.locator('.verdict-ring:is(.fine, .warning, .obstacle)').first().waitFor({ timeout: 30_000 });
  return page.evaluate(() => [...document.querySelectorAll('.verdict-ring')].map((ring) => ({
    host: ring.dataset.host,
    verdict: ['fine', 'warning', 'obstacle', 'own', 'asking'].find((one) => ring.classList.contains(one)),
    signed: Boolean(ring.querySelector('svg')),
  })));
}

// Carries what is held over a host.
export async function over(page, host) {
  // The head of a box: no router is there.
  const box = await thing(page, `host:${host}`).boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + Math.min(14, box.height / 2), { steps: 8 });
  await page.locator('.verdict-ring.over').waitFor();
}

// Says in the dialog that is open how a router is moved: it would be live.
export async function movesLive(page) {
  await dialog(page).locator('.how summary', { hasText: 'How: live' }).click();
  assert.ok(await dialog(page).getByRole('radio', { name: /^live/ }).isChecked(), 'live is what it would be');
}

// Once a job has ended well: the note says so, and the picture has the router on its new host.
export async function arrived(page, router, host) {
  await page.locator('.note', { hasText: `${router.name} is on ${host} now` }).waitFor({ timeout: 60_000 });
  await page.waitForFunction(
    ([id, host]) => document.querySelector(`.things [data-id="${id}"]`)?.getAttribute('aria-label').includes(` on ${host},`),
    [router.id, host],
    { timeout: 20_000 },
  );
}
