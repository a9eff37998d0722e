// 200 servers that wait: the queue stays quick.
import { assert, base, visit } from './lib.mjs';
import { calmest } from './frames.mjs';

await visit(async (page) => {
  await page.goto(base + '/ui/review');
  await page.getByRole('heading', { level: 2, name: 'srv000' }).waitFor();
  assert.equal(await page.locator('.queue li').count(), 200);
  const { most } = await calmest(page, '.queue');
  console.log(`longest frame, review: ${most.toFixed(0)} ms`);
  assert.ok(most <= 100, `review: a frame of ${most.toFixed(0)} ms while scrolling`);
  const begin = Date.now();
  for (let i = 0; i < 20; i++) await page.keyboard.press('j');
  await page.getByRole('heading', { level: 2, name: 'srv020' }).waitFor();
  console.log(`20 steps by keyboard: ${Date.now() - begin} ms`);
});
