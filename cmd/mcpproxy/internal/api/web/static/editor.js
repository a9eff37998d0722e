// A text area with line numbers, and marks at the lines that have faults.
import { el, fill } from './dom.js';

/** editor returns {node, area, mark(faults), jump(line)}; lines count from 1. */
export function editor(label) {
  const area = el('textarea', { class: 'mono', wrap: 'off', spellcheck: false, 'aria-label': label, autocomplete: 'off', autocapitalize: 'off' });
  const gutter = el('div', { class: 'gutter', 'aria-hidden': 'true' });
  const numbers = el('div');
  gutter.append(numbers);
  let marked = new Map(), lines = 0;
  const draw = () => {
    const n = area.value.split('\n').length;
    if (n !== lines || marked.dirty) {
      lines = n;
      marked.dirty = false;
      fill(numbers, Array.from({ length: n }, (_, i) => el('div', { class: marked.get(i + 1) ?? '' }, i + 1)));
    }
    numbers.style.transform = `translateY(${-area.scrollTop}px)`;
  };
  area.addEventListener('input', draw);
  area.addEventListener('scroll', draw, { passive: true });
  area.addEventListener('keydown', (e) => {
    if (e.key !== 'Tab' || e.shiftKey || e.ctrlKey || !area.dataset.typed) return; // Tab leaves an area that nobody typed in
    e.preventDefault();
    area.setRangeText('  ', area.selectionStart, area.selectionEnd, 'end');
    area.dispatchEvent(new Event('input', { bubbles: true }));
  });
  area.addEventListener('keydown', (e) => { if (e.key === 'Escape') delete area.dataset.typed; });
  area.addEventListener('beforeinput', () => { area.dataset.typed = '1'; });
  return {
    node: el('div', { class: 'editor' }, gutter, area),
    area,
    draw,
    /** mark shows which lines are at fault: Map of line to 'bad' or 'warn'. */
    mark(by) {
      marked = by;
      marked.dirty = true;
      draw();
    },
    jump(line) {
      const from = area.value.split('\n').slice(0, line - 1).join('\n').length + (line > 1 ? 1 : 0);
      const end = area.value.indexOf('\n', from);
      area.focus();
      area.setSelectionRange(from, end < 0 ? area.value.length : end);
      area.scrollTop = Math.max(0, (line - 6) * parseFloat(getComputedStyle(area).lineHeight));
    },
  };
}
