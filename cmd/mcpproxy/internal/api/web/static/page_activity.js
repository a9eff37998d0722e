// Activity: the record of calls, approvals and changes, as it is written.
import { get } from './api.js';
import { el, fill } from './dom.js';
import { on } from './live.js';
import { bytes, duration, moment, number, plural } from './text.js';
import { button, dialog, empty, failed, head, note, pairs, tag } from './ui.js';

const kinds = 'call config secret approved auto-approved held changed applied reverted flapping trusted blocked unblocked forgotten restored lost login logout login-needed login-failed issuer-changed'.split(' ');
const outcomes = 'ok failed refused unsent cancelled'.split(' ');
const colour = { ok: 'ok', failed: 'bad', refused: 'warn', cancelled: '', approved: 'ok', blocked: 'bad', held: 'warn', changed: 'warn', flapping: 'warn', trusted: 'bad', unsent: 'bad' };
const actors = { mcp: 'agent', local: 'command line', browser: 'this page', rest: 'API key', config: 'configuration file', upstream: 'server' };
const most = 300; // rows that are shown

export function show(root, signal, params) {
  const what = choose('What', kinds, params.get('what')), outcome = choose('Outcome', outcomes, params.get('outcome'));
  const server = el('input', { placeholder: 'Server', 'aria-label': 'Server', value: params.get('server') ?? '', class: 'narrow', autocomplete: 'off' });
  const live = el('input', { type: 'checkbox', checked: true });
  const body = el('tbody');
  const count = el('p', { class: 'muted small', 'aria-live': 'polite' });
  const table = el('div', { class: 'card flush scroll', tabindex: 0, role: 'region', 'aria-label': 'The record' }, el('table', { class: 'record' },
    el('thead', null, el('tr', null, [['When'], ['What'], ['Server and tool'], ['By'], ['Outcome'], ['Took', 'num'], ['Answer', 'num']].map(([h, c]) => el('th', { scope: 'col', class: c }, h)))), body));
  const none = el('section', { class: 'card', hidden: true }, empty('Nothing happened yet', 'Calls, approvals and changes come here.'));
  const query = (more) => new URLSearchParams({ what: what.value, outcome: outcome.value, server: server.value.trim(), ...more });
  let last = 0, reading = false, missed = false;

  const read = async (fresh) => {
    if (reading) {
      missed = true;
      return;
    }
    reading = true;
    try {
      const list = await get('/api/v1/audit?' + query({ limit: most, after: fresh ? 0 : last }), signal);
      if (fresh) fill(body);
      if (list.length) last = list.at(-1).seq;
      body.prepend(...list.reverse().map(row));
      while (body.rows.length > most) body.lastElementChild.remove();
      table.hidden = !body.rows.length;
      none.hidden = !!body.rows.length;
      fill(count, body.rows.length === most ? `newest ${number(most)}` : plural(body.rows.length, 'entry', 'entries'));
    } catch (e) {
      failed(e);
    } finally {
      reading = false;
    }
    if (missed && !signal.aborted) {
      missed = false;
      read(false);
    }
  };
  for (const f of [what, outcome, server]) f.addEventListener('change', () => read(true));
  on(['audit'], () => live.checked && read(false), signal);
  live.addEventListener('change', () => live.checked && read(false));
  fill(root, head('Activity', null, button('JSON lines', () => save('jsonl', query), { symbol: 'download', describe: 'Download as JSON lines' }), button('CSV', () => save('csv', query), { symbol: 'download', describe: 'Download as CSV' })),
    el('div', { class: 'row' }, what, outcome, server, el('label', { class: 'check' }, live, 'Live'), el('span', { class: 'push' }, count)), table, none);
  table.hidden = true;
  read(true);
}

const choose = (label, names, chosen) => el('select', { 'aria-label': label, class: 'narrow' }, el('option', { value: '' }, `${label}: all`), names.map((n) => el('option', { value: n, selected: n === chosen }, n)));

function row(e) {
  return el('tr', null,
    el('td', null, el('button', { type: 'button', class: 'link when', title: new Date(e.time).toLocaleString('en-GB'), 'aria-label': `Entry ${e.seq} at ${moment(e.time)}`, on: { click: () => entry(e) } }, moment(e.time))),
    el('td', null, e.what === 'call' ? 'call' : tag(e.what, colour[e.what] ?? '')),
    el('td', null, e.server ? el('code', null, e.server, e.tool ? ':' + e.tool : '') : el('span', { class: 'muted' }, e.detail ?? '')),
    el('td', null, actors[e.actor] ?? e.actor),
    el('td', null, e.outcome ? tag(e.outcome, colour[e.outcome] ?? '') : ''),
    el('td', { class: 'num' }, e.duration_us ? duration(e.duration_us / 1000) : ''),
    el('td', { class: 'num' }, e.received_bytes ? bytes(e.received_bytes) : ''));
}

const entry = (e) => dialog(`Entry ${e.seq}`, 'box', () => [pairs(Object.entries(e).map(([k, v]) => [k.replaceAll('_', ' '), el('code', null, typeof v === 'string' ? v : JSON.stringify(v))]))]);

const columns = ['seq', 'time', 'what', 'actor', 'server', 'tool', 'outcome', 'duration_us', 'sent_bytes', 'received_bytes', 'hash', 'request', 'session', 'detail'];

/** cell is one value of a CSV. A spreadsheet must not take it for a formula. */
function cell(v) {
  let text = v == null ? '' : String(v);
  if (/^[=+\-@\t\r]/.test(text) && typeof v === 'string') text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

async function save(kind, query) {
  const list = await get('/api/v1/audit?' + query({ limit: 100_000 }));
  const lines = kind === 'csv' ? [columns.join(','), ...list.map((e) => columns.map((c) => cell(e[c])).join(','))] : list.map((e) => JSON.stringify(e));
  const url = URL.createObjectURL(new Blob([lines.join('\n') + '\n'], { type: kind === 'csv' ? 'text/csv' : 'application/x-ndjson' }));
  const a = el('a', { href: url, download: `mcpproxy-activity.${kind}` });
  document.body.append(a);
  a.click();
  a.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
  note(`${plural(list.length, 'entry', 'entries')} saved`);
}
