// A configuration with faults: shown by line, not written, and mended.
import { readFileSync, writeFileSync } from 'node:fs';
import { assert, base, go, shot, visit } from './lib.mjs';

const file = process.env.UI_CONFIG;

await visit(async (page, faults) => {
  await page.goto(base + '/ui/settings?tab=file');
  const area = page.getByLabel('Configuration file');
  await area.waitFor();
  const good = readFileSync(file, 'utf8');
  const text = `{
  // a comment that stays
  "listen": ${JSON.stringify(JSON.parse(good).listen)}, "enable_tray": false,
  "top_k": "five",
  "mcpServers": {
    "time": ${JSON.stringify(JSON.parse(good).mcpServers.time)},
    "far": { "url": "ftp://nowhere" }
  }
}
`;
  await area.fill(text);
  await page.getByText('2 faults').waitFor();
  await page.getByText('line 4').waitFor();
  await page.getByText('line 7').waitFor();
  assert.equal(await area.getAttribute('aria-invalid'), 'true');
  assert.ok(await page.getByRole('button', { name: 'Save' }).isDisabled(), 'a faulty text cannot be saved');
  await shot(page, 'settings-faults');
  await page.getByRole('button', { name: /mcpServers\.far\.url/ }).click();
  assert.match(await area.evaluate((a) => a.value.slice(a.selectionStart, a.selectionEnd)), /ftp:\/\/nowhere/, 'a fault leads to its line');
  assert.equal(readFileSync(file, 'utf8'), good, 'nothing was written');

  await area.fill(text.replace('"five"', '7').replace('ftp://nowhere', 'http://127.0.0.1:9/mcp'));
  await page.getByText('No faults.').waitFor();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('The configuration is in force').waitFor();
  assert.match(readFileSync(file, 'utf8'), /a comment that stays/);

  await page.getByRole('button', { name: 'Options' }).click();
  const top = page.getByLabel('Tools that a search returns');
  await top.waitFor();
  assert.equal(await top.inputValue(), '7');
  await top.fill('6');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('The settings are in force').waitFor();
  assert.match(readFileSync(file, 'utf8'), /"top_k": 6/);
  assert.match(readFileSync(file, 'utf8'), /a comment that stays/);

  // Faults that an editor elsewhere makes are on the first page.
  writeFileSync(file, '{ "top_k": [ }');
  await go(page, 'Overview');
  await page.getByText('The configuration file has faults and is not in force').waitFor();
  await shot(page, 'config-fault');
  writeFileSync(file, good);
  await page.getByText('The configuration file has faults and is not in force').waitFor({ state: 'detached' });
});
