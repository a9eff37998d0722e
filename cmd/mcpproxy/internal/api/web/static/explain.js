// Why a tool stands where it stands: the view of each ranking.
import { el } from './dom.js';
import { tag } from './ui.js';

const arm = (name, a, unit) => el('tr', null, el('th', { scope: 'row' }, name), el('td', { class: 'num' }, a?.rank ? `#${a.rank}` : 'not in it'), el('td', { class: 'num' }, a?.rank ? a.score.toFixed(3) : ''), el('td', { class: 'muted' }, unit));

/** explain shows an index.Explain. */
export function explain(x) {
  if (!x) return null;
  return el('div', { class: 'stack tight' },
    el('table', { class: 'arms' }, el('thead', { class: 'sr' }, el('tr', null, ['Ranking', 'Place', 'Score', 'Measure'].map((h) => el('th', { scope: 'col' }, h)))),
      el('tbody', null, arm('Words', x.bm25, 'BM25F sum'), arm('Meaning', x.vector, 'cosine'),
        x.words ? el('tr', null, el('th', { scope: 'row' }, 'Word by word'), el('td', null), el('td', { class: 'num' }, x.words.toFixed(3)), el('td', { class: 'muted' }, 'mean of best cosines')) : null,
        x.fit ? el('tr', null, el('th', { scope: 'row' }, 'Fit'), el('td', null), el('td', { class: 'num' }, x.fit.toFixed(3)), el('td', { class: 'muted' }, 'comparable between requests')) : null)),
    x.terms?.length ? el('p', { class: 'row small' }, el('span', { class: 'muted' }, 'Matched'), x.terms.map((t) => tag([t.term, el('span', { class: 'muted' }, ' ' + t.fields.join(', '))]))) : null,
    x.note ? el('p', { class: 'muted small' }, x.note) : null);
}
