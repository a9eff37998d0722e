// A server that attacks whoever reads it: nothing runs, everything shows.
import { assert, base, go, shot, visit } from './lib.mjs';

const raw = /[\u001b\u0007\u009b\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]|[\u{e0000}-\u{e007f}]/u;

async function clean(page, where) {
  const found = await page.evaluate(() => ({
    text: document.documentElement.textContent,
    attributes: [...document.querySelectorAll('*')].flatMap((n) => [...n.attributes].map((a) => a.value)).join('\n'),
    foreign: document.querySelectorAll('main script, main iframe, main object, main embed, main form, main style, main [onerror], main [onload], main img:not(.answer), dialog script, dialog img:not(.answer)').length,
    pwned: window.pwned,
  }));
  assert.equal(found.pwned, undefined, `${where}: something ran`);
  assert.equal(found.foreign, 0, `${where}: text became markup`);
  assert.doesNotMatch(found.text, raw, `${where}: a hidden character reached the page`);
  assert.doesNotMatch(found.attributes, raw, `${where}: a hidden character reached an attribute`);
}

await visit(async (page) => {
  await page.goto(base + '/ui/review?server=held');
  await page.getByRole('button', { name: 'Look inside', exact: true }).click();
  await page.getByText('<script>window.pwned = 1</script>').first().waitFor();
  await page.getByText('U+202E').first().waitFor();
  await page.getByText('U+001B').first().waitFor();
  for (const d of await page.locator('summary').all()) await d.click();
  await clean(page, 'review');
  await shot(page, 'hostile-review');

  await page.keyboard.press('a'); // a blocking finding: the named button asks for the hash as well
  await page.keyboard.press('Escape');

  await go(page, 'Tools');
  await page.getByRole('button', { name: 'All tools' }).click();
  await page.getByRole('button', { name: /:bad/ }).first().waitFor();
  await clean(page, 'all tools');
  await page.getByRole('button', { name: /:bad/ }).first().click();
  await clean(page, 'form');
  await page.getByRole('button', { name: 'Call it' }).click();
  await page.getByRole('heading', { name: 'Answer' }).waitFor();
  for (const d of await page.locator('dialog summary').all()) await d.click();
  await page.getByText('U+202E').first().waitFor();
  await clean(page, 'answer');
  await shot(page, 'hostile-answer');
  await page.keyboard.press('Escape');
  await page.goto(base + '/ui/servers?name=hostile&tab=logs');
  await page.getByText('<b>stderr</b>').first().waitFor();
  await clean(page, 'log');
  for (const name of ['Overview', 'Activity', 'Servers']) {
    await page.keyboard.press('Escape');
    await go(page, name);
    await page.waitForTimeout(300);
    await clean(page, name);
  }
});
