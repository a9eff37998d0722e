// Every page at both widths and in both themes: accessible, not wider than the
// screen, light and fast. Keeps the pictures.
import { assert, axe, base, go, shot, visit } from './lib.mjs';

const pages = ['', 'servers', 'tools', 'review', 'activity', 'secrets', 'settings', 'connect'];
const extra = { 'tools-search': '/ui/tools?q=read+a+file', 'tools-all': '/ui/tools?server=', 'server': '/ui/servers?name=files', 'add': '/ui/servers?add=1' };
const worst = new Set(['serious', 'critical']);

async function check(page, name) {
  await page.waitForLoadState('networkidle').catch(() => {}); // the event stream stays open
  await page.waitForTimeout(250);
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  for (const v of violations.filter((x) => worst.has(x.impact))) {
    assert.fail(`${name}: ${v.impact}: ${v.id}: ${v.help}\n${v.nodes.slice(0, 3).map((n) => `${n.html}\n${n.failureSummary}`).join('\n')}`);
  }
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `${name} is ${wide} px wider than the screen`);
}

for (const width of [1440, 390]) {
  for (const theme of ['light', 'dark']) {
    await visit(async (page) => {
      const all = { ...Object.fromEntries(pages.map((p) => [p || 'overview', '/ui/' + p])), ...extra };
      for (const [name, path] of Object.entries(all)) {
        await page.goto(base + path, { waitUntil: 'load' });
        await page.locator('main h1').first().waitFor();
        await check(page, `${name} ${width} ${theme}`);
        await shot(page, `${name}-${width}-${theme}`);
      }
    }, { width, theme, bypassCSP: true });
  }
}

// The keyboard alone: skip link first, then the pages, and a visible focus.
await visit(async (page) => {
  await page.goto(base + '/ui/');
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
  await page.keyboard.press('Tab');
  const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.notEqual(ring, 'none', 'the focus is visible');
  await go(page, 'Servers');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main', 'a new page takes the focus');
});

// First paint and weight, nothing cached.
await visit(async (page) => {
  await page.goto(base + '/ui/');
  await page.getByRole('heading', { level: 1 }).waitFor();
  const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime);
  assert.ok(paint <= 300, `first paint after ${paint} ms`);
  let weight = 0;
  page.on('response', async (r) => { if (new URL(r.url()).pathname.startsWith('/ui/')) weight += (await r.body().catch(() => '')).length; });
  await page.context().clearCookies();
  for (const p of pages) await page.goto(base + '/ui/' + p);
  console.log(`first paint: ${paint.toFixed(0)} ms`);
});
