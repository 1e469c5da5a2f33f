// watch.mjs URL ROUTER_ID SECONDS: a JSON line, with the time in seconds since 1970, for every
// state in which the topology on the page shows the router.
import { open, withBrowser } from './chromium.mjs';

const [url, router, seconds] = process.argv.slice(2);
await withBrowser(async (browser) => {
  const page = await open(browser, url);
  await page.exposeFunction('report', (t, state) => console.log(JSON.stringify({ t, state })));
  await page.evaluate((id) => {
    const states = ['running', 'paused', 'stopped', 'failed', 'unknown', 'neutral'];
    let last = null;
    const look = () => {
      const node = document.querySelector(`svg .node[data-id="${id}"]`);
      const state = node ? states.find((s) => node.classList.contains(s)) ?? null : null;
      if (state === last) return;
      last = state;
      window.report(Date.now() / 1000, state);
    };
    new MutationObserver(look).observe(document.body, {
      subtree: true, childList: true, attributes: true, attributeFilter: ['class'],
    });
    look();
  }, `router:${router}`);
  await page.waitForTimeout(Number(seconds) * 1000);
});
