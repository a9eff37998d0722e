// What changed in a definition since it was approved, word by word.
import { el } from './dom.js';
import { number } from './text.js';
import { tag } from './ui.js';

const keep = 100; // characters of an unchanged run that are shown at either end

function same(text) {
  if (text.length <= 3 * keep) return text;
  return [text.slice(0, keep), el('span', { class: 'muted small' }, ` ⋯ ${number(text.length - 2 * keep)} characters as before ⋯ `), text.slice(-keep)];
}

const word = ({ op, text }) => (op === '+' ? el('ins', null, text) : op === '-' ? el('del', null, text) : same(text));

const classes = { wording: 'accent', 'new capability': 'warn', 'new directive': 'bad' };

/** diff shows a quarantine.Difference; drift is how far the meaning moved, 0 to 1. What comes is never shortened. */
export const diff = (d, drift) => el('div', { class: 'stack tight' },
  el('div', { class: 'row' }, el('h3', null, 'Changed since you approved it'), tag(d.class, classes[d.class] ?? ''),
    drift >= .005 ? el('span', { class: 'muted small' }, `its meaning moved by ${Math.round(drift * 100)} %`) : null),
  (d.changes ?? []).map((c) => el('div', { class: 'change' }, el('code', { class: 'muted' }, c.path), el('p', { class: 'prose' }, c.words.map(word)))));
