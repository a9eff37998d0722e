// What a tool answered. It is foreign: text as text, pictures decoded here, the
// rest named and not opened.
import { json } from './definition.js';
import { el } from './dom.js';
import { bytes } from './text.js';
import { banner, tag } from './ui.js';

const most = 200_000; // characters of one text that are shown
const pictures = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);

/** result shows a CallToolResult, given as the text that came. */
export function result(text) {
  const r = JSON.parse(text);
  const items = Array.isArray(r.content) ? r.content : [];
  return [
    r.isError ? banner('bad', el('b', null, 'The tool says that it failed.')) : null,
    items.map(item),
    r.structuredContent !== undefined && !repeats(items, r.structuredContent) ? el('details', { open: !items.length }, el('summary', null, 'Structured content'), json(r.structuredContent, 'Structured content')) : null,
    items.length || r.structuredContent !== undefined ? null : el('p', { class: 'muted' }, 'It answered with nothing.'),
    el('details', null, el('summary', null, 'As it came'), json(cut(text), 'As it came')),
  ];
}

const cut = (s) => (s.length > most ? s.slice(0, most) + `\n(${bytes(s.length)} in all)` : s);

/** repeats reports whether the one text is the structured content once more. */
function repeats(items, structured) {
  if (items.length !== 1 || items[0].type !== 'text') return false;
  try {
    return JSON.stringify(JSON.parse(items[0].text)) === JSON.stringify(structured);
  } catch {
    return false;
  }
}

function item(c) {
  if (c?.type === 'text') return json(cut(indented(String(c.text))), 'Text');
  if (c?.type === 'image' && pictures.has(c.mimeType)) return picture(c);
  if (c?.type === 'resource' && typeof c.resource?.text === 'string') return el('div', null, tag(c.resource.uri ?? 'resource'), json(cut(c.resource.text), 'Resource'));
  if (c?.type === 'resource_link') return el('p', null, tag('link'), ' ', el('code', null, String(c.uri)), ' ', c.name ? String(c.name) : '');
  return el('p', { class: 'muted' }, `${c?.type ?? 'something'}${c?.mimeType ? `, ${c.mimeType}` : ''}${typeof c?.data === 'string' ? `, ${bytes(Math.round(c.data.length * .75))}` : ''}: not shown`);
}

function indented(text) {
  if (!/^\s*[{[]/.test(text) || text.length > most) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function picture(c) {
  try {
    const url = URL.createObjectURL(new Blob([Uint8Array.from(atob(c.data), (x) => x.charCodeAt(0))], { type: c.mimeType }));
    return el('img', { class: 'answer', alt: 'Picture that the tool answered with', src: url, on: { load: () => URL.revokeObjectURL(url) } });
  } catch {
    return el('p', { class: 'muted' }, 'a picture that cannot be decoded');
  }
}
