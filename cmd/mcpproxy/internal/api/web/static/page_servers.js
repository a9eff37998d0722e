// Servers: every upstream, what it runs, and what can be done with it.
import { el, fill, icon, sync } from './dom.js';
import { typed } from './entry.js';
import { alarm, health, lines } from './health.js';
import { status } from './live.js';
import { plural } from './text.js';
import { button, empty, head } from './ui.js';
import { addServers } from './add.js';
import { sheet } from './server.js';

const adder = () => button('Add servers', () => addServers(), { kind: 'primary', symbol: 'plus' });

export function show(root, signal, params) {
  let now = null;
  const filter = el('input', { type: 'search', placeholder: 'Filter by name or command', 'aria-label': 'Filter servers', on: { input: () => draw() } });
  const list = el('ul', { class: 'list lazy' });
  const none = el('div', { hidden: true });
  const count = el('span', { class: 'muted small', 'aria-live': 'polite' });
  fill(root, head('Servers', null, adder()),
    el('div', { class: 'row' }, el('div', { class: 'searchbox' }, icon('search'), filter), count),
    el('section', { class: 'card flush', 'aria-label': 'Servers' }, list, none));

  const draw = () => {
    if (!now) return;
    const words = filter.value.toLowerCase();
    const shown = now.servers.filter((s) => !words || [s.name, s.command, s.url, ...(s.args ?? [])].join(' ').toLowerCase().includes(words));
    sync(list, shown, (s) => s.name, row);
    none.hidden = shown.length > 0;
    fill(none, now.servers.length === 0 ? empty('No servers yet', 'Paste the entry that a server\'s README shows, or type its command.', adder())
      : empty('Nothing by that name', 'No server has this in its name, command or URL.'));
    fill(count, shown.length === now.servers.length ? plural(shown.length, 'server') : `${shown.length} of ${now.servers.length}`);
  };
  status((s) => { now = s; draw(); }, signal);
  if (params.has('add')) addServers();
  if (params.has('name')) sheet(params.get('name'), params.get('tab') ?? 'about');
}

function row(s) {
  const h = health(s);
  return el('li', null, el('div', { class: 'item' + (alarm(s) ? ' alarm' : '') },
    el('span', { class: 'dot ' + h.dot }),
    el('div', { class: 'grow' },
      el('div', { class: 'line' },
        el('button', { type: 'button', class: 'link name', data: { act: 'open' }, on: { click: () => sheet(s.name) } }, s.name),
        el('code', { class: 'muted clip grow' }, typed(s) || s.url)),
      lines(s, h)),
    el('div', { class: 'side-info' }, el('span', { class: 'figure-s' }, s.tools ? plural(s.tools, 'tool') : ''), h.help?.(s),
      button('Logs', () => sheet(s.name, 'logs'), { kind: 'quiet small', act: 'logs', describe: `Logs of ${s.name}` }))));
}
