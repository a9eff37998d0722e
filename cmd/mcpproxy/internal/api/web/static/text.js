// Foreign text made safe to read: what a reader would not see becomes visible.

// Control, format, private and unassigned characters, every space but the plain
// one, and letters that are drawn as nothing. Line feed and tab stay.
const unseen = /(?![ \n\t])[\p{C}\p{Z}\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0\ufe00-\ufe0e\u{e0100}-\u{e01ef}]/u;
const unseenAll = new RegExp(unseen.source, 'gu');

export const codePoint = (c) => 'U+' + c.codePointAt(0).toString(16).toUpperCase().padStart(4, '0');

/** plain reports whether nothing in text is hidden. */
export const plain = (text) => !unseen.test(text);

/** line is text for an attribute, with hidden characters as <U+XXXX>. */
export const line = (text) => String(text).replace(unseenAll, (c) => `<${codePoint(c)}>`);

/** pieces cuts text at hidden characters: [{text}, {hidden}]. */
export function pieces(text) {
  const out = [];
  let from = 0;
  for (const m of text.matchAll(unseenAll)) {
    if (m.index > from) out.push({ text: text.slice(from, m.index) });
    out.push({ hidden: codePoint(m[0]) });
    from = m.index + m[0].length;
  }
  if (from < text.length) out.push({ text: text.slice(from) });
  return out;
}

const counts = new Intl.NumberFormat('en');
export const number = (n) => counts.format(n);
export const plural = (n, one, many = one + 's') => `${number(n)} ${n === 1 ? one : many}`;

/** short writes a number in at most four characters: 950, 12.4k, 3.1M. */
export function short(n) {
  if (n < 10_000) return number(Math.round(n));
  const [div, unit] = n < 1e6 ? [1e3, 'k'] : [1e6, 'M'];
  const v = n / div;
  return (v < 100 ? v.toFixed(1).replace(/\.0$/, '') : Math.round(v)) + unit;
}

export function bytes(n) {
  if (n < 1024) return n + ' B';
  return n < 1 << 20 ? (n / 1024).toFixed(1) + ' KB' : (n / (1 << 20)).toFixed(1) + ' MB';
}

export function duration(ms) {
  if (ms < 1) return ms.toFixed(1) + ' ms';
  return ms < 1000 ? Math.round(ms) + ' ms' : (ms / 1000).toFixed(1) + ' s';
}

/** ago says how long a moment is past, or how far ahead. */
export function ago(when, now = Date.now()) {
  const s = Math.round((now - new Date(when)) / 1000);
  const n = Math.abs(s);
  const text = n < 60 ? `${n} s` : n < 3600 ? `${Math.round(n / 60)} min` : n < 86400 ? `${Math.round(n / 3600)} h` : `${Math.round(n / 86400)} d`;
  if (n < 3) return 'now';
  return s < 0 ? `in ${text}` : `${text} ago`;
}

/** moment is a time of today, or a day and a time. */
export function moment(when) {
  const d = new Date(when);
  const day = d.toDateString() === new Date().toDateString() ? '' : d.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' }) + ' ';
  return day + clock(when);
}

export const clock = (when) => new Date(when).toLocaleTimeString('en-GB');
