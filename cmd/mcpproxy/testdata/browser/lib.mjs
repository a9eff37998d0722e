// What every journey needs: a browser that remembers what went wrong.
import { createRequire } from 'node:module';
import { mkdirSync, readFileSync } from 'node:fs';
import assert from 'node:assert/strict';

export const { UI_BASE: base, UI_KEY: key, UI_SCREENS: screens, UI_MODULES: modules, UI_CHROMIUM: executablePath } = process.env;
const { chromium } = createRequire(modules + '/')('playwright-core');
mkdirSync(screens, { recursive: true });

/** rest asks the API as a script with the key does. */
export async function rest(method, path, body) {
  const answer = await fetch(base + path, { method, headers: { 'X-API-Key': key, 'Content-Type': 'application/json' }, body: body && JSON.stringify(body) });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text;
}

export const link = async () => JSON.parse(await rest('POST', '/api/v1/session/link', {})).url;

/**
 * visit runs f(page, faults) in a fresh browser profile that is logged in by a
 * one-time link, and fails if the page wrote an error or broke its policy.
 */
export async function visit(f, { width = 1440, theme = 'light', login = true, ...more } = {}) {
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    const context = await browser.newContext({ viewport: { width, height: width < 600 ? 844 : 900 }, colorScheme: theme, reducedMotion: 'reduce', ...more });
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: base });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const faults = [];
    page.on('console', (m) => { if (m.type() === 'error' || /Content.Security.Policy|TrustedType/i.test(m.text())) faults.push(`console: ${m.text()} ${m.location().url}`); });
    page.on('pageerror', (e) => faults.push(`exception: ${e.stack}`));
    page.on('dialog', (d) => { faults.push(`a dialog opened: ${d.message()}`); d.dismiss(); });
    page.on('request', (r) => { if (!/^(blob:|data:)/.test(r.url()) && new URL(r.url()).origin !== base) faults.push(`asked elsewhere: ${r.url()}`); });
    await page.addInitScript(() => addEventListener('securitypolicyviolation', (e) => console.error('Content Security Policy: ' + e.violatedDirective + ' ' + e.blockedURI)));
    if (login) {
      await page.goto(await link());
      await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    }
    try {
      await f(page, faults);
    } catch (e) {
      await shot(page, 'failed').catch(() => {});
      console.error([`at ${page.url()}; see failed.png`, ...faults].join('\n'));
      throw e;
    }
    assert.deepEqual(faults, [], 'the page reported faults');
  } finally {
    await browser.close();
  }
}

export const shot = (page, name) => page.screenshot({ path: `${screens}/${name}.png` });

export const axe = readFileSync(modules + '/axe-core/axe.min.js', 'utf8');

/** go uses the navigation as a person does, where there is room for it. */
export async function go(page, name) {
  const menu = page.getByRole('button', { name: 'Menu' });
  if (await menu.isVisible()) await menu.click();
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name }).click();
  await page.getByRole('heading', { level: 1, name }).waitFor();
}
export { assert };
