// 200 servers that wait: the queue stays quick.
import { assert, base, visit } from './lib.mjs';
import { calmest, smooth } from './frames.mjs';

await visit(async (page) => {
  await page.goto(base + '/ui/review');
  await page.getByRole('heading', { level: 2, name: 'srv000' }).waitFor();
  assert.equal(await page.locator('.queue li').count(), 200);
  smooth('review', await calmest(page, '.queue'));
  const begin = Date.now();
  for (let i = 0; i < 20; i++) await page.keyboard.press('j');
  await page.getByRole('heading', { level: 2, name: 'srv020' }).waitFor();
  console.log(`20 steps by keyboard: ${Date.now() - begin} ms`);
});
