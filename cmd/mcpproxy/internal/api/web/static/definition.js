// A tool's definition as a reviewer or a caller reads it.
import { el } from './dom.js';
import { pairs, tag } from './ui.js';

const typeOf = (p) => {
  if (typeof p !== 'object' || p === null) return String(p);
  if (p.enum) return p.enum.map((v) => JSON.stringify(v)).join(' | ');
  if (p.const !== undefined) return JSON.stringify(p.const);
  const type = [p.type].flat().filter(Boolean).join(' or ');
  if (type === 'array') return `list of ${typeOf(p.items ?? {}) || 'anything'}`;
  return type || (p.anyOf || p.oneOf ? (p.anyOf ?? p.oneOf).map(typeOf).join(' or ') : p.$ref ? String(p.$ref) : 'anything');
};

export const pretty = (v) => JSON.stringify(v, null, 2);

export const json = (v, label) => el('pre', { class: 'code', tabindex: 0, 'aria-label': label }, typeof v === 'string' ? v : pretty(v));

/** parameters lists what a tool takes; a schema without properties has none. */
export function parameters(schema) {
  const props = Object.entries(schema?.properties ?? {});
  if (!props.length) return el('p', { class: 'muted small' }, 'No parameters.');
  const required = new Set(schema.required ?? []);
  return el('ul', { class: 'params' }, props.map(([name, p]) => el('li', null,
    el('code', null, el('b', null, name)), ' ', el('span', { class: 'muted small' }, typeOf(p), required.has(name) ? ', required' : '', p?.default !== undefined ? `, default ${JSON.stringify(p.default)}` : ''),
    p?.description ? el('div', { class: 'prose small' }, String(p.description)) : null)));
}

export const accessTag = (access) => tag(access === 'read' ? 'reads' : access === 'write' ? 'writes' : 'may destroy', access === 'read' ? 'ok' : access === 'write' ? 'accent' : 'warn');

const known = new Set(['name', 'title', 'description', 'inputSchema', 'outputSchema', 'annotations', 'arguments', 'uri', 'uriTemplate', 'mimeType', 'instructions']);

/** taken lists what a tool or a prompt takes; other kinds take nothing. */
function taken(kind, d) {
  if (kind === 'tool') return parameters(d.inputSchema);
  if (kind !== 'prompt' || !d.arguments?.length) return null;
  return el('ul', { class: 'params' }, d.arguments.map((a) => el('li', null, el('code', null, el('b', null, a.name)), a.required ? el('span', { class: 'muted small' }, ' required') : null,
    a.description ? el('div', { class: 'prose small' }, String(a.description)) : null)));
}

/** definition shows all that an agent is shown; one of an odd shape as JSON. */
export function definition(t) {
  try {
    return parts(t);
  } catch {
    return json(t.definition, 'Whole definition');
  }
}

function parts({ kind = 'tool', description, definition: d }) {
  const notes = Object.entries(d.annotations ?? {}).map(([k, v]) => `${k}: ${JSON.stringify(v)}`).join(', ');
  const more = Object.keys(d).filter((k) => !known.has(k));
  const node = el('div', { class: 'stack tight' },
    description ? el('p', { class: 'prose' }, description) : el('p', { class: 'muted' }, 'It has no description.'),
    taken(kind, d),
    pairs([['Title', d.title], ['Address', d.uri ?? d.uriTemplate], ['Type', d.mimeType], ['Hints', notes], ['Also has', more.join(', ')], ['Answers with', d.outputSchema ? typeOf(d.outputSchema) : '']]));
  const said = node.textContent;
  let open = false; // where it says more than a word that is not above
  JSON.stringify(d, (k, v) => {
    open ||= k !== '$schema' && [k, v].some((s) => typeof s === 'string' && s.length > 24 && !said.includes(s));
    return v;
  });
  node.append(el('details', { open }, el('summary', null, 'Whole definition'), json(d, 'Whole definition')));
  return node;
}
