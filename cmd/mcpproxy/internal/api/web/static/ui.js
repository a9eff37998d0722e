// The parts of a page that several pages need.
import { el, fill, icon } from './dom.js';

/** note tells the outcome of an action, and screen readers too; the next one takes its place. */
export function note(message, kind = 'ok') {
  const close = el('button', { type: 'button', class: 'btn quiet small square', 'aria-label': 'Dismiss', on: { click: () => box.remove() } }, icon('close'));
  const box = el('div', { class: 'note ' + kind }, el('div', { class: 'grow' }, message), close);
  const notes = document.getElementById('notes');
  notes.replaceChildren(box);
  notes.hidePopover();
  notes.showPopover(); // above a dialog that opened meanwhile
  setTimeout(() => box.remove(), kind === 'bad' ? 12_000 : 5000);
}

/** failed shows an error with its next step. */
export function failed(error) {
  if (error.name === 'AbortError' || error.status === 401) return;
  if (error.status === undefined) console.error(error); // of this page, not of the API
  note([el('b', null, error.message), error.hint ? el('div', { class: 'small muted' }, error.hint) : null], 'bad');
}

/** button runs f; while f works it cannot be pressed again. */
export function button(label, f, { kind = '', symbol, act, title, describe } = {}) {
  const b = el('button', { type: 'button', class: 'btn ' + kind, data: act ? { act } : {}, title, 'aria-label': describe }, symbol ? icon(symbol) : null, label);
  b.addEventListener('click', async () => {
    if (b.getAttribute('aria-disabled')) return;
    b.setAttribute('aria-disabled', 'true');
    try {
      await f(b);
    } catch (e) {
      failed(e);
    } finally {
      b.removeAttribute('aria-disabled');
    }
  });
  return b;
}

export async function copy(text) {
  await navigator.clipboard.writeText(text);
  note('Copied');
}

export const copyLine = (text, what) => el('div', { class: 'copyline' }, el('code', null, text),
  button('Copy', () => copy(text), { kind: 'small', symbol: 'copy', describe: 'Copy ' + what }));

/** head is the top of a page: its name, what it is for, and its actions. */
export const head = (title, lead, ...actions) => el('div', { class: 'head' }, el('h1', null, title),
  actions.length ? el('div', { class: 'actions' }, actions) : null, lead ? el('p', null, lead) : null);

export const empty = (title, words, ...actions) => el('div', { class: 'empty' }, el('h2', null, title), el('p', null, words),
  actions.length ? el('div', { class: 'actions' }, actions) : null);

export const banner = (kind, words, ...actions) => el('div', { class: 'banner ' + kind, role: kind === 'bad' ? 'alert' : null },
  el('div', { class: 'grow' }, words), actions);

export const tag = (words, kind = '') => el('span', { class: 'tag ' + kind }, words);

export const pairs = (rows) => el('dl', { class: 'pairs' }, rows.filter((r) => r && r[1] != null && r[1] !== '').map(([k, v]) => [el('dt', null, k), el('dd', null, v)]));

/** code is a value, or several, as it is typed; nothing for none. */
export const code = (v) => (v?.length ? el('code', null, [v].flat().join(', ')) : null);

let ids = 0;
export const id = () => 'i' + ++ids;

/** field is a labelled input; hint stands below it. */
export function field(label, input, hint) {
  input.id ||= id();
  const below = hint ? el('p', { class: 'small', id: input.id + 'h' }, hint) : null;
  if (below) input.setAttribute('aria-describedby', below.id);
  return el('div', { class: 'field' }, el('label', { for: input.id }, label), input, below);
}

/**
 * dialog opens a modal: a sheet at the side, or a box in the middle. build gets
 * close and a signal that ends with it, and returns [body, footer]. It resolves
 * with what close was given.
 */
export function dialog(title, kind, build) {
  return new Promise((resolve) => {
    const stop = new AbortController();
    const name = id();
    let result;
    const close = (value) => { result = value; d.close(); };
    const d = el('dialog', { class: kind, 'aria-labelledby': name });
    const [body, footer] = build(close, stop.signal, d);
    const heading = el('h2', { id: name, tabindex: -1 }, title);
    fill(d, el('header', null, heading,
      el('button', { type: 'button', class: 'btn quiet square', 'aria-label': 'Close', on: { click: () => close() } }, icon('close'))),
      el('div', { class: 'body' }, body), footer ? el('footer', null, footer) : null);
    d.addEventListener('close', () => { stop.abort(); d.remove(); resolve(result); });
    d.addEventListener('click', (e) => { if (e.target === d && kind === 'sheet') d.close(); });
    document.body.append(d);
    d.showModal();
    (d.querySelector('.body :is(input, textarea, select):not([readonly])') ?? heading).focus();
  });
}

export const confirm = (title, words, yes, kind = 'danger') => dialog(title, 'box', (close) => [
  el('p', { class: 'prose' }, words),
  [button('Cancel', () => close(false)), button(yes, () => close(true), { kind })],
]);

/** tabs shows one of several parts; choices are [key, label]. */
export function tabs(label, choices, chosen, choose) {
  const list = el('div', { class: 'tabs', role: 'group', 'aria-label': label });
  const press = (key) => {
    for (const b of list.children) b.setAttribute('aria-pressed', String(b.dataset.key === key));
    choose(key);
  };
  fill(list, choices.map(([key, words]) => el('button', { type: 'button', data: { key }, on: { click: () => press(key) } }, words)));
  list.press = press;
  press(chosen);
  return list;
}
