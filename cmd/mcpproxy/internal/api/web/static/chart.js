// A day in bars: searches and calls by the hour.
import { el, shape } from './dom.js';
import { number } from './text.js';

/** chart draws hours, oldest first: [{hour: RFC 3339, searches, calls}]. */
export function chart(hours) {
  const width = 960, height = 96, base = 78;
  const most = Math.max(4, ...hours.map((h) => h.searches + h.calls));
  const step = width / Math.max(hours.length, 1);
  const calls = hours.reduce((n, h) => n + h.calls, 0), searches = hours.reduce((n, h) => n + h.searches, 0);
  const drawing = shape('svg', { class: 'chart', viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': `${number(searches)} searches and ${number(calls)} calls in the last ${hours.length} hours` },
    shape('line', { class: 'axis', x1: 0, x2: width, y1: base + .5, y2: base + .5 }));
  hours.forEach((h, i) => {
    const x = i * step + step * .18, w = step * .64;
    const a = (h.calls / most) * (base - 6), b = (h.searches / most) * (base - 6);
    if (h.calls) drawing.append(shape('rect', { class: 'calls', x, width: w, y: base - a, height: a, rx: 2 }));
    if (h.searches) drawing.append(shape('rect', { class: 'searches', x, width: w, y: base - a - b, height: b, rx: 2 }));
  });
  if (!calls && !searches) return el('p', { class: 'muted' }, 'No search and no call in the last 24 hours. What agents do shows here, hour by hour.');
  const marks = hours.filter((_, i) => i % 6 === 0).map((h) => el('span', null, new Date(h.hour).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })));
  return [el('header', null, el('h2', null, 'Last 24 hours'), el('span', { class: 'legend push' }, el('span', null, el('i'), 'Calls'), el('span', null, el('i', { class: 'searches' }), 'Searches'))),
    drawing, el('div', { class: 'hours' }, marks)];
}
