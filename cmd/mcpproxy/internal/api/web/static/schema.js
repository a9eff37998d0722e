// A form made from a tool's JSON schema. What a form cannot say is typed as JSON.
import { el } from './dom.js';
import { plain } from './text.js';
import { id } from './ui.js';

/** resolve follows $ref inside the schema and takes nullable apart; depth is bounded. */
function resolve(p, root, depth = 0) {
  if (typeof p !== 'object' || p === null) return {};
  if (typeof p.$ref === 'string' && p.$ref.startsWith('#/') && depth < 8) {
    const at = p.$ref.slice(2).split('/').reduce((o, k) => o?.[k.replaceAll('~1', '/').replaceAll('~0', '~')], root);
    return resolve(at, root, depth + 1);
  }
  const some = p.anyOf ?? p.oneOf;
  if (some?.length === 2 && some.some((x) => x?.type === 'null')) return { ...resolve(some.find((x) => x?.type !== 'null'), root, depth + 1), description: p.description, default: p.default };
  if (Array.isArray(p.type)) return { ...p, type: p.type.find((t) => t !== 'null') };
  return p;
}

/** form returns {node, read()}; read throws an Error that names the field at fault. */
export function form(schema) {
  return object(schema ?? {}, schema ?? {}, 0);
}

function object(p, root, depth) {
  const required = new Set(p.required ?? []);
  const parts = Object.entries(p.properties ?? {}).sort(([a], [b]) => required.has(b) - required.has(a))
    .map(([name, sub]) => [name, part(name, resolve(sub, root), root, required.has(name), depth)]);
  return {
    node: el('div', { class: 'stack tight' }, parts.map(([, f]) => f.node)),
    read: () => {
      const out = {};
      for (const [name, f] of parts) {
        const v = f.read();
        if (v !== undefined) Object.defineProperty(out, name, { value: v, enumerable: true, configurable: true, writable: true });
      }
      return out;
    },
  };
}

function part(name, p, root, required, depth) {
  const scalar = ['string', 'number', 'integer', 'boolean'];
  if (p.enum) return choice(name, p, required);
  if (p.type === 'boolean') return choice(name, { ...p, enum: [true, false] }, required);
  if (p.type === 'object' && p.properties && depth < 3) return nested(name, p, root, required, depth);
  if (p.type === 'array' && scalar.includes(resolve(p.items, root).type) && !p.items?.enum) return lines(name, p, resolve(p.items, root), required);
  if (scalar.includes(p.type)) return one(name, p, required);
  return literal(name, p, required);
}

const ready = (v) => (v === undefined || typeof v === 'string' && !plain(v) ? '' : v); // a default with hidden characters is not filled in

function labelled(name, p, required, input, how) {
  input.id = id();
  const hint = [p.description, how].filter(Boolean).join(' · ');
  if (hint) input.setAttribute('aria-describedby', input.id + 'h');
  if (required) input.required = true;
  return el('div', { class: 'field' }, el('label', { for: input.id }, el('code', null, name), required ? el('span', { class: 'muted' }, ' required') : null), input,
    hint ? el('p', { class: 'small prose', id: input.id + 'h' }, hint) : null);
}

function missing(name, required, empty) {
  if (empty && required) throw new Error(`${name} is required`);
  return empty;
}

function number(text, p, name) {
  const n = Number(text);
  if (text.trim() === '' || Number.isNaN(n) || p.type === 'integer' && !Number.isInteger(n)) throw new Error(`${name} must be ${p.type === 'integer' ? 'a whole number' : 'a number'}`);
  return n;
}

function one(name, p, required) {
  const long = p.type === 'string' && ((p.maxLength ?? 0) > 200 || /text|content|body|message|markdown|query|sql|code/i.test(name));
  const input = long ? el('textarea', { rows: 3, value: String(ready(p.default)) }) : el('input', { value: String(ready(p.default)), inputmode: p.type === 'string' ? null : 'decimal', autocomplete: 'off', spellcheck: false });
  const range = p.minimum !== undefined || p.maximum !== undefined ? `${p.minimum ?? ''} to ${p.maximum ?? ''}` : '';
  return {
    node: labelled(name, p, required, input, [p.format, range].filter(Boolean).join(', ')),
    read: () => (missing(name, required, input.value === '') ? undefined : p.type === 'string' ? input.value : number(input.value, p, name)),
  };
}

function choice(name, p, required) {
  const at = p.enum.findIndex((v) => v === p.default);
  const input = el('select', null, el('option', { value: '' }, required ? 'choose' : 'not given'), p.enum.map((v, i) => el('option', { value: String(i), selected: i === at }, typeof v === 'string' ? v : JSON.stringify(v))));
  return { node: labelled(name, p, required, input), read: () => (missing(name, required, input.value === '') ? undefined : p.enum[input.value]) };
}

function lines(name, p, item, required) {
  const input = el('textarea', { rows: 2, value: Array.isArray(p.default) ? p.default.map(ready).join('\n') : '' });
  return {
    node: labelled(name, p, required, input, 'one a line'),
    read: () => {
      const list = input.value.split('\n').filter((l) => l !== '');
      if (missing(name, required, !list.length)) return undefined;
      return list.map((l) => (item.type === 'string' ? l : item.type === 'boolean' ? l === 'true' : number(l, item, name)));
    },
  };
}

function nested(name, p, root, required, depth) {
  const inner = object(p, root, depth + 1);
  return {
    node: el('fieldset', { class: 'field nested' }, el('legend', { class: 'label' }, el('code', null, name)), p.description ? el('p', { class: 'small muted prose' }, p.description) : null, inner.node),
    read: () => {
      if (!required && [...inner.node.querySelectorAll('input, textarea, select')].every((i) => i.value === '')) return undefined;
      return inner.read();
    },
  };
}

function literal(name, p, required) {
  const input = el('textarea', { class: 'mono', rows: 3, spellcheck: false, value: p.default === undefined ? '' : JSON.stringify(ready(p.default)) });
  return {
    node: labelled(name, p, required, input, 'JSON'),
    read: () => {
      if (missing(name, required, input.value.trim() === '')) return undefined;
      try {
        return JSON.parse(input.value);
      } catch (e) {
        throw new Error(`${name}: ${e.message}`);
      }
    },
  };
}
