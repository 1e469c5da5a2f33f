// shot.mjs URL FILE [WIDTH HEIGHT dark|light]: one screenshot, with what the console complained of.
import { open, withBrowser } from './chromium.mjs';
const [url, file, w = 1440, h = 900, scheme = 'light', script] = process.argv.slice(2);
await withBrowser(async (b) => {
  const page = await open(b, url, { viewport: { width: +w, height: +h }, colorScheme: scheme });
  await page.waitForTimeout(900);
  if (script) await page.evaluate(script);
  await page.waitForTimeout(700);
  await page.screenshot({ path: file });
  console.log(JSON.stringify(page.complaints), await page.evaluate(() => document.querySelector('.stage')?.className));
});
