// One server in a sheet: what it is, its log, and its entry to edit.
import { api, path } from './api.js';
import { el, fill } from './dom.js';
import { alarm, health, restart } from './health.js';
import { refresh, status } from './live.js';
import { ago, plural } from './text.js';
import { banner, button, code, confirm, dialog, note, pairs, tabs } from './ui.js';
import { entryForm, typed } from './entry.js';

/** sheet opens on tab about, logs or edit. */
export function sheet(name, tab = 'about') {
  return dialog(name, 'sheet', (close, signal) => {
    const part = el('div', { class: 'stack' });
    let stop = new AbortController();
    let server = null;
    signal.addEventListener('abort', () => stop.abort());
    const open = (key) => {
      stop.abort();
      stop = new AbortController();
      if (key === 'logs') logs(part, name, stop.signal);
      else if (key === 'edit') edit(part, server, () => choice.press('about'));
      else about(part, name, close, stop.signal);
    };
    status((now) => { server = now.servers.find((s) => s.name === name) ?? server; }, signal);
    const choice = tabs('About this server', [['about', 'About'], ['logs', 'Log'], ['edit', 'Edit']], tab, open);
    return [el('div', { class: 'stack' }, choice, part)];
  });
}

const gone = () => banner('warn', 'This server is not in the configuration.');

function about(part, name, close, signal) {
  status((now) => {
    const s = now.servers.find((x) => x.name === name);
    if (!s) return fill(part, gone());
    const h = health(s);
    fill(part,
      alarm(s) ? banner('bad', [el('b', null, 'No review: '), alarm(s)]) : null,
      el('div', { class: 'banner ' + (h.dot || '') }, el('span', { class: 'dot ' + h.dot }), el('div', { class: 'grow prose' }, h.words), h.help?.(s)),
      pairs([
        ['Transport', s.transport],
        ['Command', code(typed(s))],
        ['URL', code(s.url)],
        ['Works in', code(s.working_dir)],
        ['Environment', code(s.env_names)],
        ['Headers', code(s.header_names)],
        ['Tools', [plural(s.tools, 'tool'), ' for agents', s.held_tools ? `, ${s.held_tools} waiting for review` : '']],
        ['Process', s.pid ? String(s.pid) : ''],
        ['Since', s.since ? ago(s.since) : ''],
      ]),
      el('div', { class: 'actions' },
        s.enabled && s.state !== 'held' ? button('Restart', () => restart(s)) : null,
        button(s.enabled ? 'Disable' : 'Enable', () => api('PATCH', path('servers', name), { enabled: !s.enabled }).then(refresh)),
        el('a', { class: 'btn', href: '/ui/tools?server=' + encodeURIComponent(name), on: { click: () => close() } }, 'Its tools'),
        el('span', { class: 'push' }),
        button('Remove', async () => {
          if (!await confirm(`Remove ${name}?`, 'Its entry goes from the configuration file, and what you approved of it is forgotten. The file is kept as it is otherwise.', 'Remove it')) return;
          await api('DELETE', path('servers', name));
          note(`${name} is removed`);
          close();
          refresh();
        }, { kind: 'danger' })));
  }, signal);
}

const most = 400; // lines of a log that are shown

/** logs shows the end of the server's own log and follows it. */
function logs(part, name, signal) {
  const out = el('pre', { class: 'code log', tabindex: 0, 'aria-label': `Log of ${name}` });
  const follow = el('input', { type: 'checkbox', checked: true });
  const none = el('p', { class: 'muted' }, 'Nothing written yet.');
  fill(part, el('div', { class: 'row' }, el('label', { class: 'check' }, follow, 'Follow'), el('span', { class: 'muted small push' }, `the last ${most} lines`)), none, out);
  out.hidden = true;
  const source = new EventSource(path('servers', name, 'logs') + `?lines=${most}&follow=true`);
  source.addEventListener('message', (m) => {
    none.hidden = true;
    out.hidden = false;
    out.append(el('span', null, JSON.parse(m.data).line + '\n'));
    while (out.childElementCount > most) out.firstElementChild.remove();
    if (follow.checked) out.scrollTop = out.scrollHeight;
  });
  signal.addEventListener('abort', () => source.close());
}

function edit(part, s, done) {
  if (!s) return fill(part, gone());
  const form = entryForm(s);
  fill(part, el('p', { class: 'muted small' }, 'Another command, address or environment makes it a server that nobody approved: it stops and waits for your review.'), form.node,
    el('div', { class: 'actions' }, button('Save', async () => {
      const change = form.read();
      if (Object.keys(change).length) await api('PATCH', path('servers', s.name), change);
      note(`${s.name} is saved`);
      await refresh();
      done();
    }, { kind: 'primary' })));
}
