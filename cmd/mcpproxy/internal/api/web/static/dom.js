// Elements without markup. Every string that becomes a node goes through text(),
// so no page can show a hidden character or build an element out of text.
import { line, pieces, plain } from './text.js';

const svg = 'http://www.w3.org/2000/svg';

function text(s) {
  if (plain(s)) return [s];
  return pieces(s).map((p) => {
    if (p.text !== undefined) return p.text;
    const mark = document.createElement('span');
    mark.className = 'cp';
    mark.textContent = p.hidden;
    return mark;
  });
}

/**
 * fill replaces what is in node; what says the same keeps the focus. Children are
 * strings, numbers, nodes, arrays of these, or nothing (null, false).
 */
export function fill(node, ...children) {
  const was = focused(node);
  node.replaceChildren(...flat(children));
  if (was) heir(node, was)?.focus();
  return node;
}

const focused = (node) => node !== document.activeElement && node.contains(document.activeElement) && document.activeElement;

function heir(node, was) {
  const says = (n) => n.dataset.act ?? n.textContent;
  return [...node.querySelectorAll('a, button')].find((n) => says(n) === says(was));
}

const flat = (children) => children.flat(Infinity).filter((c) => c != null && c !== false)
  .flatMap((c) => (c instanceof Node ? [c] : text(String(c))));

/**
 * el makes an element. props: class, on (listeners by event), data (data-*), a
 * property that the element has (value, checked, hidden, ...), or an attribute.
 */
export function el(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props ?? {})) set(node, key, value);
  return fill(node, ...children);
}

const properties = new Set(['value', 'checked', 'disabled', 'hidden', 'htmlFor', 'open', 'required', 'readOnly', 'selected', 'multiple', 'indeterminate', 'spellcheck']);

function set(node, key, value) {
  if (value == null || value === false && !properties.has(key)) return;
  if (key === 'class') node.className = value;
  else if (key === 'on') for (const [event, f] of Object.entries(value)) node.addEventListener(event, f);
  else if (key === 'data') Object.assign(node.dataset, value);
  else if (properties.has(key)) node[key] = value;
  else if (key === 'href' && !/^(\/|#|blob:|cursor:|vscode:)/.test(value)) throw new Error('a link leads inside, or to an editor');
  else node.setAttribute(key, value === true ? '' : line(value));
}

/** icon draws one symbol of icons.svg; it says nothing to a screen reader. */
export function icon(name, className = 'icon') {
  const node = document.createElementNS(svg, 'svg');
  node.setAttribute('class', className);
  node.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(svg, 'use');
  use.setAttribute('href', '/ui/static/icons.svg#' + name);
  node.append(use);
  return node;
}

export function shape(tag, attributes, ...children) {
  const node = document.createElementNS(svg, tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/**
 * sync makes the children of list those of items. A child is made anew only when
 * its item differs, and keeps the focus if it had it.
 */
export function sync(list, items, keyOf, make) {
  const old = list.kept ?? new Map();
  const kept = new Map();
  let at = list.firstElementChild;
  if (!list.kept) at = (list.replaceChildren(), null);
  for (const item of items) {
    const key = keyOf(item);
    const sign = JSON.stringify(item);
    let entry = old.get(key);
    if (!entry || entry.sign !== sign) {
      const node = make(item);
      const was = entry && focused(entry.node);
      if (entry) {
        if (at === entry.node) at = entry.node.nextElementSibling;
        entry.node.replaceWith(node);
      }
      entry = { node, sign };
      if (was) (heir(node, was) ?? node.querySelector('a, button'))?.focus();
    }
    old.delete(key);
    kept.set(key, entry);
    if (entry.node === at) at = at.nextElementSibling;
    else list.insertBefore(entry.node, at);
  }
  for (const { node } of old.values()) node.remove();
  list.kept = kept;
}
