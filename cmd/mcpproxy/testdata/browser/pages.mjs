// Every page at both widths and in both themes: accessible, not wider than the
// screen, light and fast. Keeps the pictures.
import { assert, axe, base, go, rest, shot, visit } from './lib.mjs';

const pages = ['', 'servers', 'tools', 'review', 'activity', 'secrets', 'settings', 'connect'];
const extra = { 'tools-search': '/ui/tools?q=read+a+file', 'tools-all': '/ui/tools?server=', 'server': '/ui/servers?name=files', 'add': '/ui/servers?add=1' };
const worst = new Set(['serious', 'critical']);

/** settle waits until a page stands still; its event stream never does. */
async function settle(page) {
  await page.locator('main h1').first().waitFor();
  await page.evaluate(() => new Promise((done) => {
    let timer = setTimeout(done, 200);
    new MutationObserver(() => { clearTimeout(timer); timer = setTimeout(done, 200); }).observe(document.body, { subtree: true, childList: true });
    setTimeout(done, 1500);
  }));
}

/** check fails on what axe-core calls serious or critical; rules choose some of its rules. */
async function check(page, name, rules) {
  const { violations } = await page.evaluate((values) => window.axe.run(document, { resultTypes: ['violations'], ...(values && { runOnly: { type: 'rule', values } }) }), rules);
  for (const v of violations.filter((x) => worst.has(x.impact))) {
    assert.fail(`${name}: ${v.impact}: ${v.id}: ${v.help}\n${v.nodes.slice(0, 3).map((n) => `${n.html}\n${n.failureSummary}`).join('\n')}`);
  }
}

// The theme changes colours and nothing else, so the second one needs no second load.
for (const width of [1440, 390]) {
  await visit(async (page) => {
    const all = { ...Object.fromEntries(pages.map((p) => [p || 'overview', '/ui/' + p])), ...extra };
    for (const [name, path] of Object.entries(all)) {
      await page.emulateMedia({ colorScheme: 'light' });
      await page.goto(base + path);
      await settle(page);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${name} is ${wide} px wider than the screen of ${width}`);
      await page.evaluate(axe);
      await check(page, `${name} ${width} light`);
      await shot(page, `${name}-${width}-light`);
      await page.emulateMedia({ colorScheme: 'dark' });
      await check(page, `${name} ${width} dark`, ['color-contrast', 'link-in-text-block']);
      await shot(page, `${name}-${width}-dark`);
    }
  }, { width, bypassCSP: true });
}

// The keyboard alone: skip link first, then the pages, and a visible focus.
await visit(async (page) => {
  await page.goto(base + '/ui/');
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.locator('#main button, #main a').first().waitFor(); // what the page is about is there
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
  await page.keyboard.press('Tab');
  const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.notEqual(ring, 'none', 'the focus is visible');
  // What has the focus keeps it when the page is drawn anew around it.
  const review = page.locator('#main .banner').getByRole('link', { name: 'Review' });
  await review.focus();
  await review.evaluate((link) => { link.dataset.old = 'yes'; });
  await rest('POST', '/api/v1/servers/time/restart');
  await page.locator('#main .banner a:not([data-old])').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Review');
  await go(page, 'Servers');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main', 'a new page takes the focus');
});

// First paint with nothing cached: the best of some profiles, for other work on
// the machine delays it. (The weight of all files is web_test.go's.)
await visit(async (page) => {
  const paints = [];
  for (let i = 0; i < 8 && !(Math.min(...paints) < 200); i++) {
    const fresh = await page.context().browser().newContext();
    const one = await fresh.newPage();
    await one.goto(base + '/ui/');
    await one.getByRole('heading', { level: 1, name: 'Open this page with a link' }).waitFor();
    paints.push(await one.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime));
    await fresh.close();
  }
  const paint = Math.min(...paints);
  assert.ok(paint <= 300, `first paint after ${paint} ms`);
  console.log(`first paint: ${paint.toFixed(0)} ms`);
}, { login: false });
