// Definitions of every odd shape, each to be read in full; and a hasty hand.
import { writeFileSync } from 'node:fs';
import { assert, base, rest, visit } from './lib.mjs';

const tools = JSON.parse(process.env.UI_PEER_NEXT).tools;
const waiting = async () => JSON.parse(await rest('GET', '/api/v1/quarantine')).flatMap((s) => s.tools.map((t) => t.name));

writeFileSync(process.env.UI_PEER_FILE, process.env.UI_PEER_NEXT);
await rest('POST', '/api/v1/servers/peer/restart', {});
for (let i = 0; i < 200 && (await waiting()).length < tools.length; i++) await new Promise((r) => setTimeout(r, 50));
const names = await waiting();
assert.equal(names.length, tools.length, `waiting: ${names}`);

await visit(async (page) => {
  await page.goto(base + '/ui/review?server=peer');
  const read = page.locator('.review .offered');
  for (const name of names) {
    await page.getByRole('button', { name: new RegExp(`^peer:${name}`) }).click();
    await page.getByRole('heading', { level: 2, name: `peer:${name}`, exact: true }).waitFor({ timeout: 3000 }).catch(() => assert.fail(`peer:${name} is not shown`));
    assert.ok((await read.textContent()).includes(`canary-${name}`), `${name}: its text is there`);
    if (name === 'within' || name === 'fine') assert.equal(await read.locator('details[open]').count(), name === 'within' ? 1 : 0, `${name}: the whole is open where it says more`);
  }

  // The second click of a hasty hand falls on what came in the place of the first.
  await page.getByRole('button', { name: /^peer:fine/ }).click();
  const decide = page.locator('.decide .primary');
  await decide.and(page.locator(':not([aria-disabled])')).click();
  await page.getByRole('heading', { level: 2, name: 'peer:fine', exact: true }).waitFor({ state: 'detached' });
  await decide.dispatchEvent('click');
  await new Promise((r) => setTimeout(r, 300));
  assert.deepEqual((await waiting()).sort(), names.filter((n) => n !== 'fine').sort(), 'one click more approves nothing unread');
  await decide.and(page.locator(':not([aria-disabled])')).click(); // a moment later it does
  for (let i = 0; i < 100 && (await waiting()).length > names.length - 2; i++) await new Promise((r) => setTimeout(r, 50));
  assert.equal((await waiting()).length, names.length - 2);
});
