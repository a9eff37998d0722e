// How long frames take while something scrolls.
import { assert } from './lib.mjs';

/**
 * calmest scrolls a box, or the page, from top to bottom until a pass meets the
 * bar, at most six times, and returns the longest frame in ms of the best pass.
 * Other work on the machine delays frames, too: still is the longest one of the
 * same page at rest, and what it takes beyond a sixtieth of a second is not the
 * page's.
 */
export async function calmest(page, selector) {
  let best = { most: Infinity };
  for (let i = 0; i < 6 && best.most > 100; i++) {
    const next = await page.evaluate(pass, selector);
    if (next.most < best.most) best = next;
  }
  return best;
}

async function pass(selector) {
  const box = selector ? document.querySelector(selector) : document.scrollingElement;
  const frame = () => new Promise(requestAnimationFrame);
  const longest = async (frames, work) => {
    let most = 0, before = performance.now();
    for (let i = 0; i < frames; i++) {
      work(i);
      await frame();
      const now = performance.now();
      most = Math.max(most, now - before);
      before = now;
    }
    return most;
  };
  box.scrollTop = 0;
  for (let i = 0; i < 10; i++) await frame();
  const still = await longest(100, () => {});
  const step = (box.scrollHeight - box.clientHeight) / 149;
  const most = await longest(150, (i) => { box.scrollTop = step * i; });
  return { most, still, height: box.scrollHeight };
}

/** smooth fails on a frame over 100 ms. */
export function smooth(name, { most, still }) {
  console.log(`longest frame, ${name}: ${most.toFixed(0)} ms, at rest ${still.toFixed(0)} ms`);
  assert.ok(most <= 100 + Math.max(0, still - 1000 / 60), `${name}: a frame of ${most.toFixed(0)} ms while scrolling, ${still.toFixed(0)} ms at rest`);
}
