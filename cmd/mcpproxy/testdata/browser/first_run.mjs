// A person's first minutes: link, snippet, look inside, approve, search, try.
import { assert, base, go, link, shot, visit } from './lib.mjs';

const program = process.env.UI_PROGRAM;

await visit(async (page) => {
  const begin = Date.now();
  const once = await link();
  await page.goto(once);
  await page.getByRole('heading', { name: 'Add your first server' }).waitFor();
  assert.equal(new URL(page.url()).hash, '', 'the token leaves the address');
  await shot(page, 'first-1-welcome');

  await page.getByRole('link', { name: 'Add a server' }).click();
  await page.getByLabel(/README/).fill(`// from a README
    "mcpServers": { "notes": { "command": ${JSON.stringify(program)}, "args": ["example", "notes"], }, }`);
  await shot(page, 'first-2-paste');
  await page.getByRole('button', { name: 'Add 1 server' }).click();

  await page.getByRole('status').getByRole('link', { name: 'Review' }).click();
  await page.getByRole('heading', { level: 2, name: 'notes' }).waitFor();
  assert.equal(await page.getByRole('button', { name: /^Approve/ }).count(), 0, 'nothing to approve before somebody looked');
  await page.getByRole('button', { name: 'Look inside', exact: true }).click();
  await page.getByRole('heading', { name: 'add_note' }).waitFor();
  await shot(page, 'first-3-review');
  await page.getByRole('button', { name: /^Approve notes and all \d that it offers$/ }).click();
  await page.getByRole('heading', { name: 'Nothing waits' }).waitFor();

  await go(page, 'Tools');
  await page.getByPlaceholder('What do you want to do?').fill('write down something to remember');
  await page.getByRole('heading', { name: 'notes:add_note' }).waitFor();
  await page.getByText('Why it is here').first().click();
  await page.getByText('BM25F sum').first().waitFor();
  await shot(page, 'first-4-search');
  await page.getByRole('button', { name: 'Try it: notes:add_note' }).click();
  await page.getByRole('button', { name: 'Call it' }).click();
  await page.getByText('title is required').waitFor();
  await page.getByLabel(/^title/).fill('Milk');
  await page.getByLabel(/^tags/).fill('shopping\nhome');
  await page.getByRole('button', { name: 'Call it' }).click();
  await page.getByRole('heading', { name: 'Answer' }).waitFor();
  await page.getByLabel('Text', { exact: true }).getByText('Milk').waitFor();
  await shot(page, 'first-5-answer');
  await page.keyboard.press('Escape');

  await go(page, 'Activity');
  await page.getByRole('row', { name: /notes:add_note.*this page.*ok/ }).first().waitFor();
  const took = Date.now() - begin;
  assert.ok(took < 30_000, `the first run took ${took} ms`);
  console.log(`first run: ${took} ms`);

  // A second use of the link opens nothing, and says how to get another.
  await page.context().clearCookies();
  await page.goto(base + '/ui/connect');
  await page.getByRole('heading', { name: 'Open this page with a link' }).waitFor();
  await page.getByText('mcpproxy ui').waitFor();
  await shot(page, 'logged-out');
}, { login: false });
