// Forms made from schemas: what is typed is what the tool gets.
import { assert, base, shot, visit } from './lib.mjs';

await visit(async (page) => {
  await page.goto(base + '/ui/tools?q=everything');
  await page.getByRole('button', { name: 'Try it: peer:everything' }).click();
  const form = page.getByRole('dialog');
  const call = async () => {
    await form.getByRole('button', { name: 'Call it' }).click();
    await form.getByRole('heading', { name: 'Answer' }).waitFor();
    return JSON.parse(await form.getByLabel('Text', { exact: true }).textContent());
  };
  await form.getByLabel(/^kind/).selectOption('b');
  await form.getByLabel(/^count/).fill('4.5');
  await form.getByRole('button', { name: 'Call it' }).click();
  await form.getByText('count must be a whole number').waitFor();
  await form.getByLabel(/^count/).fill('4');
  assert.deepEqual(await call(), { kind: 'b', count: 4, unit: 'km' }, 'what is not given is not sent; a default is filled in');

  await form.getByLabel(/^ratio/).fill('-0.25');
  await form.getByLabel(/^sure/).selectOption('false');
  await form.getByLabel(/^ids/).fill('1\n2');
  await form.getByLabel(/^maybe/).fill('yes');
  await form.getByLabel(/^street/).fill('Main St 1');
  await form.getByLabel(/^free/).fill('{"any": [1, null]}');
  await form.getByLabel(/^pairs/).fill('[["a", 1]]');
  const want = { kind: 'b', count: 4, unit: 'km', ratio: -0.25, sure: false, ids: [1, 2], maybe: 'yes', place: { street: 'Main St 1' }, free: { any: [1, null] }, pairs: [['a', 1]] };
  assert.deepEqual(await call(), want);
  await shot(page, 'form');

  await form.getByRole('button', { name: 'JSON', exact: true }).click();
  assert.deepEqual(JSON.parse(await form.getByLabel('Arguments', { exact: true }).inputValue()), want, 'the same as JSON');
  await form.getByLabel('Arguments', { exact: true }).fill('{"kind": "a", "count": 1, "more": "é"}');
  assert.deepEqual(await call(), { kind: 'a', count: 1, more: 'é' });
  await form.getByLabel('Arguments', { exact: true }).fill('{"kind": ');
  await form.getByRole('button', { name: 'Call it' }).click();
  await form.getByRole('alert').waitFor();
});
