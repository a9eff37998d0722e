// How long frames take while something scrolls.

/** calmest is the pass with the shortest longest frame: other work on the machine delays frames, too. */
export async function calmest(page, selector) {
  let best = await longest(page, selector);
  for (let i = 0; i < 3 && best.most > 60; i++) {
    const next = await longest(page, selector);
    if (next.most < best.most) best = next;
  }
  return best;
}

/** longest scrolls a box, or the page, from top to bottom and returns the longest frame in ms. */
const longest = (page, selector) => page.evaluate(async (sel) => {
  const box = sel ? document.querySelector(sel) : document.scrollingElement;
  const frame = () => new Promise(requestAnimationFrame);
  for (let i = 0; i < 10; i++) await frame();
  let most = 0;
  box.scrollTop = 0;
  await frame();
  const step = Math.max(40, box.scrollHeight / 150);
  let before = performance.now();
  while (box.scrollTop + box.clientHeight < box.scrollHeight - 1) {
    box.scrollTop += step;
    await frame();
    const now = performance.now();
    most = Math.max(most, now - before);
    before = now;
  }
  return { most, height: box.scrollHeight };
}, selector);
