// Opens pages of `agxrun report` in headless Chromium and looks for what must not be there.
//
//   node check.mjs MODULES BROWSER OUT PAGE...
//
// MODULES is the folder with playwright-core and axe-core, OUT is where screenshots and PDFs go. Every finding is a line on stdout,
// `PAGE WIDTH SCHEME KIND: what`; the exit code is 1 where there is one.
import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, browserPath, out, ...pages] = process.argv.slice(2);
const require = createRequire(join(modules, 'x.js'));
const { chromium } = require('playwright-core');
const axe = await readFile(require.resolve('axe-core/axe.min.js'), 'utf8');

const WIDTHS = [1280, 360];
const SCHEMES = ['light', 'dark'];
let findings = 0;

function finding(where, kind, what) {
  findings += 1;
  console.log(`${where} ${kind}: ${what}`);
}

// Everything that a page asks for or says, but for itself.
function listen(page, url, where) {
  page.on('request', (request) => {
    if (request.url().split('#')[0] !== url) finding(where, 'network', request.url());
  });
  page.on('console', (message) => finding(where, 'console', message.text()));
  page.on('pageerror', (error) => finding(where, 'error', error.message));
  page.on('dialog', (dialog) => {
    finding(where, 'dialog', dialog.message());
    return dialog.dismiss();
  });
}

async function overflow(page, where) {
  const wide = await page.evaluate(() => {
    const root = document.documentElement;
    if (root.scrollWidth <= root.clientWidth) return null;
    // What sticks out, innermost first; what scrolls by itself may.
    const names = [...document.body.querySelectorAll('*')]
      .filter((element) => element.getBoundingClientRect().right > root.clientWidth + 0.5 && !element.closest('pre'))
      .map((element) => element.tagName.toLowerCase() + (element.className?.baseVal ?? element.className ? `.${element.className?.baseVal ?? element.className}` : ''));
    return `${root.scrollWidth} in ${root.clientWidth}: ${names.slice(-4).join(' ')}`;
  });
  if (wide) finding(where, 'overflow', wide);
}

async function accessibility(page, where) {
  // Evaluated from outside, since the page's own policy forbids scripts.
  const { violations } = await page.evaluate(`${axe}; axe.run(document, { resultTypes: ['violations'] })`);
  for (const { id, help, nodes } of violations) {
    finding(where, 'accessibility', `${id}: ${help} (${nodes.length}: ${nodes[0].html.slice(0, 120)})`);
  }
}

// As a reader without scripts sees it: the facts are there, and what is folded unfolds.
async function readable(page, where) {
  const seen = (selector) => page.locator(selector).first().isVisible();
  for (const selector of ['h1', '#summary', '#looked', '.result']) {
    if (!(await seen(selector))) finding(where, 'unreadable', `${selector} is not seen`);
  }
  const folded = page.locator('details');
  for (let at = 0; at < (await folded.count()); at += 1) {
    const table = folded.nth(at).locator('table').first();
    if (await table.isVisible()) finding(where, 'unreadable', `details ${at} are open from the start`);
    if (at > 5) continue;
    await folded.nth(at).locator('summary').click();
    if (!(await table.isVisible())) finding(where, 'unreadable', `details ${at} do not open`);
  }
}

async function look(browser, file, width, colorScheme) {
  const url = pathToFileURL(file).href;
  const name = basename(file, '.html');
  const where = `${name} ${width} ${colorScheme}`;
  const options = { viewport: { width, height: width < 600 ? 780 : 900 }, colorScheme, deviceScaleFactor: 1 };

  const plain = await browser.newContext({ ...options, javaScriptEnabled: false });
  const page = await plain.newPage();
  listen(page, url, where);
  await page.goto(url);
  await page.screenshot({ path: join(out, `${name}-${width}-${colorScheme}.png`), fullPage: true });
  await readable(page, where);
  await page.screenshot({ path: join(out, `${name}-${width}-${colorScheme}-open.png`), fullPage: true });
  await plain.close();

  const scripted = await browser.newContext(options);
  const other = await scripted.newPage();
  listen(other, url, where);
  await other.goto(url);
  await overflow(other, where);
  await accessibility(other, where);
  await other.evaluate(() => document.querySelectorAll('details').forEach((details) => { details.open = true; }));
  await overflow(other, `${where} (unfolded)`);
  await accessibility(other, `${where} (unfolded)`);
  await scripted.close();
}

// On paper what is folded is told, too.
async function print(browser, file) {
  const url = pathToFileURL(file).href;
  const name = basename(file, '.html');
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(url);
  await page.emulateMedia({ media: 'print' });
  const hidden = await page.evaluate(() => [...document.querySelectorAll('details table')].filter((table) => !table.checkVisibility({ contentVisibilityAuto: true })).length);
  if (hidden > 0) finding(`${name} print`, 'unreadable', `${hidden} tables stay folded`);
  await page.pdf({ path: join(out, `${name}.pdf`), format: 'A4', margin: { top: '15mm', bottom: '15mm', left: '15mm', right: '15mm' } });
  await context.close();
}

// The pages are local files of ours, and root cannot have Chromium's sandbox.
const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
const browser = await chromium.launch({ executablePath: browserPath, args });
try {
  for (const file of pages) {
    for (const width of WIDTHS) for (const scheme of SCHEMES) await look(browser, file, width, scheme);
    await print(browser, file);
  }
} finally {
  await browser.close();
}
process.exit(findings > 0 ? 1 : 0);
