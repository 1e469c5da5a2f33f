// look.mjs URL DIRECTORY: screenshots of every view and page, desktop and phone, light and dark,
// to be looked at. Ends with a JSON list of what any console complained of.
import { mkdirSync } from 'node:fs';
import { DESKTOP, PHONE, open, withBrowser } from './chromium.mjs';

const [url, directory] = process.argv.slice(2);
mkdirSync(directory, { recursive: true });
const complaints = [];
await withBrowser(async (browser) => {
  for (const colorScheme of ['light', 'dark']) {
    for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
      const page = await open(browser, url, { colorScheme, viewport });
      const shoot = async (name) => {
        await page.waitForTimeout(700);
        await page.screenshot({ path: `${directory}/${name}-${size}-${colorScheme}.png` });
      };
      await shoot('combined');
      const pick = (kind) => page.evaluate((k) =>
        [...document.querySelectorAll(`svg [data-kind][data-id^="${k}:"]`)]
          .find((node) => k !== 'router' || node.classList.contains('running'))?.dataset.id, kind);
      for (const kind of ['router', 'host', 'link', 'segment']) {
        const id = await pick(kind);
        if (!id) continue;
        await page.goto(`${url}/?view=combined&select=${encodeURIComponent(id)}`);
        await shoot(kind);
      }
      for (const [name, path] of [
        ['virtual', '/?view=virtual'],
        ['physical', '/?view=physical'],
        ['hosts', '/hosts'],
        ['routers', '/routers'],
        ['settings', '/settings'],
        ['nothing', '/no-such-page'],
      ]) {
        await page.goto(`${url}${path}`);
        await shoot(name);
        if (name === 'settings') {
          await page.locator('.add > summary').click();
          await shoot('adding');
        }
      }
      complaints.push(...page.complaints.filter((c) => !c.includes('404')));
      await page.context().close();
    }
  }
});
console.log(JSON.stringify(complaints));
