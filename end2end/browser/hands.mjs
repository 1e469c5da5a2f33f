// How a person moves routers in the picture, in steps: what scripts do that drag them.
import { live } from './chromium.mjs';

export const drawn = (page) => page.locator('.stage.drawn').waitFor({ timeout: 20_000 });
export const rest = (page) => page.waitForTimeout(700);
export const thing = (page, id) => page.locator(`.things [data-id="${id}"]`);
// What a screen reader hears of it.
export const said = (page, id) => thing(page, id).getAttribute('aria-label');
export const dialog = (page) => page.locator('dialog.move-dialog[open]');

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
async function middle(page, id, how = 0.5) {
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

// Once a job has ended well: the note says so, and the picture has the router on its new host.
export async function arrived(page, router, host) {
  await page.locator('.note', { hasText: `${router.name} is on ${host} now` }).waitFor({ timeout: 60_000 });
  await page.waitForFunction(
    ([id, host]) => document.querySelector(`.things [data-id="${id}"]`)?.getAttribute('aria-label').includes(` on ${host},`),
    [router.id, host],
    { timeout: 20_000 },
  );
}
