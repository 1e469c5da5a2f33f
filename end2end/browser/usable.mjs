// usable.mjs URL [ROUNDS]: how soon after a navigation the page with the picture can be used, each time
// by a browser without a cache. Prints milliseconds, the median of all rounds, as JSON:
//   text         the first contentful paint: what the server rendered can be read
//   drawn        the picture is drawn by the page itself
//   answered     a click on a router was answered: its panel is open, under its name
//   facts        and shows the router's facts, which come from the server
import { DESKTOP, withBrowser } from './chromium.mjs';

const [url, rounds = '9'] = process.argv.slice(2);
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const found = { text: [], drawn: [], answered: [], facts: [] };
await withBrowser(async (browser) => {
  for (let round = 0; round < Number(rounds); round += 1) {
    const context = await browser.newContext({ viewport: DESKTOP });
    const page = await context.newPage();
    const when = async (predicate) => {
      await page.waitForFunction(predicate, null, { polling: 'raf' });
      return page.evaluate(() => performance.now());
    };
    await page.goto(url, { waitUntil: 'commit' });
    found.drawn.push(await when(() => document.querySelector('.stage.drawn')));
    const thing = await page.locator('.stage .things a').first().boundingBox();
    await page.mouse.click(thing.x + thing.width / 2, thing.y + thing.height / 2);
    found.answered.push(await when(() => document.querySelector('.panel h2')));
    found.facts.push(await when(() => document.querySelector('.panel .facts')));
    const paint = () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0;
    found.text.push(await page.evaluate(paint));
    await context.close();
  }
});
const medians = Object.entries(found).map(([name, all]) => [name, Math.round(median(all))]);
console.log(JSON.stringify(Object.fromEntries(medians)));
