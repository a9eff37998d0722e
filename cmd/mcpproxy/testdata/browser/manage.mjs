// A server by form, from its first line to its removal, and the record of it.
import { readFileSync } from 'node:fs';
import { assert, base, go, rest, shot, visit } from './lib.mjs';

const program = process.env.UI_PROGRAM;
const names = async () => JSON.parse(await rest('GET', '/api/v1/servers')).map((s) => s.name);

await visit(async (page, faults) => {
  await go(page, 'Servers');
  await page.getByRole('button', { name: 'Add servers' }).first().click();
  await page.getByRole('button', { name: 'Fill a form' }).click();
  await page.getByLabel('Name').fill('clock');
  await page.getByLabel('Command').fill(`'${program}' example time`);
  await page.getByRole('button', { name: 'Add environment variable' }).click();
  await page.getByLabel('Environment variable name').fill('TZ');
  await page.getByLabel('Environment variable value').fill('UTC');
  await page.getByRole('button', { name: 'Add server', exact: true }).click();
  await page.getByRole('button', { name: 'clock', exact: true }).waitFor();
  const added = JSON.parse(await rest('GET', '/api/v1/servers')).find((s) => s.name === 'clock');
  assert.deepEqual([added.command, added.args, added.env_names, added.state], [program, ['example', 'time'], ['TZ'], 'held']);

  // A name that is taken is refused, and the form stays.
  await page.getByRole('button', { name: 'Add servers' }).click();
  await page.getByLabel(/README/).fill('[{"name": "clock", "url": "http://127.0.0.1:9/mcp"}]');
  await page.getByRole('button', { name: 'Add 1 server' }).click();
  await page.getByText('exists already').waitFor();
  faults.splice(0, faults.length, ...faults.filter((f) => !f.includes('409'))); // it was asked for
  await page.getByLabel('Name').fill('far');
  await page.getByRole('button', { name: 'Add 1 server' }).click();
  await page.getByRole('button', { name: 'far', exact: true }).waitFor();

  await page.getByRole('button', { name: 'clock', exact: true }).click();
  await page.getByRole('button', { name: 'Edit' }).click();
  await page.getByLabel('Command').fill(`${program} example units`);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('clock is saved').waitFor();
  await page.getByRole('button', { name: 'Disable' }).click();
  await page.getByRole('dialog').getByText('disabled').first().waitFor();
  await shot(page, 'manage-sheet');
  await page.getByRole('dialog').getByRole('button', { name: 'Enable', exact: true }).last().click();
  await page.getByRole('dialog').getByText(/waits for your approval/).waitFor();
  assert.deepEqual(JSON.parse(await rest('GET', '/api/v1/servers')).find((s) => s.name === 'clock').env_names, ['TZ'], 'an untouched value stays');
  await page.getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('button', { name: 'Remove it' }).click();
  await page.getByRole('button', { name: 'clock', exact: true }).waitFor({ state: 'detached' });
  assert.deepEqual(await names(), ['guarded', 'live', 'far']);

  // A login tells where to go; an address that a server named is never a link.
  await page.getByText('needs you to log in').or(page.getByRole('button', { name: 'Log in to guarded' })).first().waitFor();
  const prompt = { url: 'https://login.example.test/?<b>x</b>', host: 'login.example.test', opened: false };
  await page.route('**/servers/guarded/login', (r) => r.fulfill({ contentType: 'application/x-ndjson', body: JSON.stringify({ prompt }) + '\n' }));
  await page.getByRole('button', { name: 'Log in to guarded' }).click();
  await page.getByRole('dialog').getByText('https://login.example.test/?<b>x</b>').waitFor();
  assert.equal(await page.locator('a[href*="login.example"]').count(), 0);
  await page.keyboard.press('Escape');
  await page.route('**/servers/guarded/login', (r) => r.fulfill({ contentType: 'application/x-ndjson', body: JSON.stringify({ end: true, login: {} }) + '\n' }));
  await page.getByRole('button', { name: 'Log in to guarded' }).click();
  await page.getByText('is logged in').waitFor();

  // A link out of a sheet closes it.
  await page.getByRole('button', { name: 'far', exact: true }).click();
  await page.getByRole('dialog').getByRole('link', { name: 'Review far' }).click();
  await page.getByRole('heading', { level: 2, name: 'far' }).waitFor();
  assert.equal(await page.getByRole('dialog').count(), 0);

  // What an agent does appears by itself, can be chosen, and can be taken away.
  await go(page, 'Activity');
  await rest('POST', '/api/v1/tools/call', { name: 'live:convert_units', arguments: { value: 1, from: 'km', to: 'm' } });
  await page.getByRole('row', { name: /live:convert_units.*ok/ }).waitFor();
  await page.getByLabel('What').selectOption('call');
  await page.getByText('1 entry').waitFor();
  await shot(page, 'activity-call');
  for (const [button, want] of [['Download as CSV', /^seq,time,what.*\n1?\d,.*,call,rest,live,convert_units,ok,/], ['Download as JSON lines', /^\{"seq":\d+.*"tool":"convert_units"/]]) {
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: button }).click()]);
    assert.match(readFileSync(await file.path(), 'utf8'), want);
  }

  // Secrets: set, used, deleted; the value is nowhere.
  await go(page, 'Secrets');
  await page.getByRole('button', { name: 'Set a secret' }).first().click();
  await page.getByLabel('Name').fill('demo_token');
  await page.getByLabel('Value').fill('s3cret-value-4711');
  await page.getByRole('button', { name: 'Set', exact: true }).click();
  await page.getByText('${keyring:demo_token}').waitFor();
  assert.ok(!(await page.content()).includes('4711'), 'a value is never shown');
  await shot(page, 'secrets-one');
  await page.getByRole('button', { name: 'Delete demo_token' }).click();
  await page.getByRole('button', { name: 'Delete it' }).click();
  await page.getByText('No secrets yet').waitFor();

  // A token in a pasted snippet goes to the keyring, and its placeholder to the file.
  await go(page, 'Servers');
  await page.getByRole('button', { name: 'Add servers' }).click();
  await page.getByLabel(/README/).fill('{"mcpServers": {"gh": {"command": "npx", "args": ["-y", "server-gh"], "env": {"GITHUB_TOKEN": "ghp_0123456789", "LEVEL": "1"}}}}');
  await page.getByLabel(/Put GITHUB_TOKEN into the keyring/).waitFor();
  await page.getByRole('button', { name: 'Add 1 server' }).click();
  await page.getByRole('button', { name: 'gh', exact: true }).waitFor();
  const config = readFileSync(process.env.UI_CONFIG, 'utf8');
  assert.ok(config.includes('${keyring:gh_github_token}') && !config.includes('ghp_0123456789'), config);
  assert.match(await rest('GET', '/api/v1/secrets'), /gh_github_token/);

  // Logging out ends it.
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByRole('heading', { name: 'Open this page with a link' }).waitFor();
  await page.goto(base + '/ui/servers');
  await page.getByRole('heading', { name: 'Open this page with a link' }).waitFor();
});
