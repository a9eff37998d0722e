// One tool in a sheet: its definition, and a form to try it.
import { raw } from './api.js';
import { accessTag, definition, pretty } from './definition.js';
import { el, fill } from './dom.js';
import { result } from './result.js';
import { form } from './schema.js';
import { bytes, duration } from './text.js';
import { banner, button, dialog, failed, field, tabs, tag } from './ui.js';

/** toolSheet opens on tab try or about. t is what the API answers for a tool. */
export function toolSheet(t, tab = 'try') {
  return dialog(t.id, 'sheet', () => {
    const part = el('div', { class: 'stack' });
    const tries = attempt(t);
    const choice = tabs('About this tool', [['try', 'Try it'], ['about', 'Definition']], tab, (key) => fill(part, key === 'try' ? tries : definition(t)));
    return [el('div', { class: 'stack' }, el('div', { class: 'row' }, choice, accessTag(t.access), t.state !== 'approved' ? tag(t.state, 'warn') : null), part)];
  });
}

/** attempt is the form and, below it, what came back. */
function attempt(t) {
  const schema = t.definition?.inputSchema ?? {};
  const fields = form(schema);
  const text = el('textarea', { class: 'mono', rows: 8, spellcheck: false, value: '{}' });
  const place = el('div');
  const out = el('div', { class: 'stack tight', 'aria-live': 'polite' });
  let mode = 'form';
  const how = tabs('Arguments as', [['form', 'Form'], ['json', 'JSON']], mode, (key) => {
    if (key === 'json' && mode === 'form') {
      try {
        text.value = pretty(fields.read());
      } catch { /* what is not filled in yet is typed */ }
    }
    mode = key;
    fill(place, key === 'form' ? (Object.keys(schema.properties ?? {}).length ? fields.node : el('p', { class: 'muted' }, 'It takes no arguments.')) : field('Arguments', text, 'One JSON object'));
  });
  const call = button('Call it', async () => {
    let args;
    try {
      args = mode === 'form' ? JSON.stringify(fields.read()) : (JSON.parse(text.value), text.value);
    } catch (e) {
      return fill(out, banner('bad', e.message));
    }
    fill(out, el('p', { class: 'muted' }, 'Waiting for the answer'));
    const begin = performance.now();
    try {
      const answer = await raw('POST', '/api/v1/tools/call', { name: t.id, arguments: JSON.parse(args) });
      fill(out, el('div', { class: 'row' }, el('h3', null, 'Answer'), el('span', { class: 'muted small' }, `${duration(performance.now() - begin)}, ${bytes(answer.length)}`)), result(answer));
    } catch (e) {
      fill(out, banner('bad', [el('b', null, e.message), e.hint ? el('div', { class: 'small prose' }, e.hint) : null]));
      if (e.status === 401) failed(e);
    }
  }, { kind: 'primary', symbol: 'play' });
  return [t.access === 'destructive' ? banner('warn', 'It may delete or change things for good. The call is real.') : null,
    el('div', { class: 'row' }, el('h3', null, 'Arguments'), how), place, el('div', { class: 'actions' }, call), out];
}

