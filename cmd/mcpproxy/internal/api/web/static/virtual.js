// A list of any length: only what is in view is in the document.
import { el, fill } from './dom.js';

/**
 * virtual shows count rows of height px. row(i) returns a node, or null while
 * item i is not there yet; need(from, to) is told what will be looked at.
 */
export function virtual(label, height, row, need) {
  const tall = el('ul', { class: 'tall' });
  const box = el('div', { class: 'virtual', tabindex: 0, role: 'group', 'aria-label': label }, tall);
  const shown = new Map();
  let count = 0, frame = 0;
  const draw = () => {
    frame = 0;
    const from = Math.max(0, Math.floor(box.scrollTop / height) - 6);
    const to = Math.min(count, Math.ceil((box.scrollTop + box.clientHeight) / height) + 6);
    for (const [i, node] of shown) {
      if (i < from || i >= to) {
        node.remove();
        shown.delete(i);
      }
    }
    for (let i = from; i < to; i++) {
      if (shown.has(i)) continue;
      const inner = row(i);
      if (!inner) continue;
      const li = el('li', { class: 'vrow', 'aria-setsize': String(count), 'aria-posinset': String(i + 1) }, inner);
      li.style.top = i * height + 'px';
      li.style.height = height + 'px';
      shown.set(i, li);
      tall.append(li);
    }
    need?.(from, to);
  };
  const later = () => { frame ||= requestAnimationFrame(draw); };
  box.addEventListener('scroll', later, { passive: true });
  new ResizeObserver(later).observe(box);
  return {
    node: box,
    /** reset says how many there are and forgets the rows that are shown. */
    reset(n) {
      count = n;
      shown.clear();
      fill(tall);
      tall.style.height = n * height + 'px';
      draw();
    },
    /** more draws rows that came meanwhile. */
    more: draw,
    first: () => Math.floor(box.scrollTop / height),
    top: () => { box.scrollTop = 0; },
  };
}
