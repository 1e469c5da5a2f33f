// Debian's Chromium under Playwright, as every script here starts it.
import { chromium } from 'playwright-core';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const DESKTOP = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };

// Runs `story(browser)` and ends the browser whatever happens.
export async function withBrowser(story) {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    headless: true,
    args: FLAGS,
  });
  try {
    return await story(browser);
  } finally {
    await browser.close();
  }
}

// A page in a context of its own. What its console, network and scripts complain of is in
// `page.complaints`.
export async function open(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: DESKTOP, ...options });
  const page = await context.newPage();
  page.complaints = [];
  page.on('console', (message) => {
    // Reading pixels back is what a screenshot does.
    const ours = !message.text().includes('GPU stall due to ReadPixels');
    if (ours && ['error', 'warning'].includes(message.type())) {
      page.complaints.push(`${message.type()}: ${message.text()}`);
    }
  });
  page.on('pageerror', (error) => page.complaints.push(`script: ${error}`));
  page.on('response', (response) => {
    if (response.status() >= 400) page.complaints.push(`${response.status()} ${response.url()}`);
  });
  await page.goto(url);
  if (options.javaScriptEnabled !== false) await live(page);
  return page;
}

// Waits until the page has come alive and its event stream is open.
export async function live(page) {
  await page.locator('.live.on').waitFor({ timeout: 30_000 });
}
