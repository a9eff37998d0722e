// Adding servers: paste what another client has, or fill a form.
import { api, path, post } from './api.js';
import { el, fill } from './dom.js';
import { entryForm, typed } from './entry.js';
import { refresh } from './live.js';
import { secretive, servers } from './snippet.js';
import { plural } from './text.js';
import { banner, button, code, dialog, field, note, pairs, tag, tabs } from './ui.js';

const example = `"mcpServers": {
  "files": {
    "command": "npx",
    "args": ["-y", "@modelcontextprotocol/server-filesystem", "~/notes"]
  }
}`;

/** addServers opens the dialog; it resolves when that is closed. */
export function addServers() {
  return dialog('Add servers', 'sheet', (close) => {
    const part = el('div', { class: 'stack' });
    const foot = el('div', { class: 'actions' });
    const choice = tabs('How', [['paste', 'Paste a snippet'], ['form', 'Fill a form']], 'paste', (key) => (key === 'paste' ? paste : byForm)(part, foot, close));
    return [el('div', { class: 'stack' }, el('p', { class: 'muted' }, 'A new server does not run until you approve it.'), choice, part), foot];
  });
}

const done = (names, close) => {
  refresh();
  close(names);
  note([el('b', null, names.join(', ')), names.length === 1 ? ' is added and waits for your review. ' : ' are added and wait for your review. ',
    el('a', { href: '/ui/review?server=' + encodeURIComponent(names[0]) }, 'Review')]);
};

function paste(part, foot, close) {
  const box = el('textarea', { class: 'mono', rows: 11, placeholder: example, spellcheck: false });
  const preview = el('div', { class: 'stack tight', 'aria-live': 'polite' });
  let found = [];
  const add = button('Add', async () => {
    const added = [];
    for (const card of found) {
      await card.add();
      added.push(card.name());
    }
    done(added, close);
  }, { kind: 'primary' });
  box.addEventListener('input', () => {
    found = [];
    if (box.value.trim()) {
      try {
        found = servers(box.value).map(card);
        box.removeAttribute('aria-invalid');
        fill(preview, found.map((c) => c.node));
      } catch (e) {
        box.setAttribute('aria-invalid', 'true');
        fill(preview, el('p', { class: 'bad-text' }, e.message));
      }
    } else {
      fill(preview);
    }
    add.disabled = !found.length;
    fill(add, found.length ? `Add ${plural(found.length, 'server')}` : 'Add');
  });
  add.disabled = true;
  fill(part, field('What the README or another client\'s file shows', box, 'Claude, Cursor, VS Code, Gemini and our own form are read.'), preview);
  fill(foot, button('Cancel', () => close()), add);
}

/** card previews one server of a snippet; secrets in plain text may go to the keyring. */
function card(change) {
  const name = el('input', { value: change.name, spellcheck: false });
  const secrets = ['env', 'headers'].flatMap((where) => Object.entries(change[where] ?? {}).filter(([k, v]) => secretive(k, v)).map(([k]) => ({ where, k })));
  const move = el('input', { type: 'checkbox', checked: true });
  return {
    name: () => name.value.trim(),
    add: async () => {
      const c = { ...structuredClone(change), name: name.value.trim() };
      if (secrets.length && move.checked) {
        for (const { where, k } of secrets) {
          const secret = `${c.name}_${k}`.toLowerCase().replace(/[^a-z0-9_]+/g, '_');
          await api('PUT', path('secrets', secret), { value: c[where][k] });
          c[where][k] = `\${keyring:${secret}}`;
        }
      }
      await post('/api/v1/servers', c);
    },
    node: el('div', { class: 'card' }, field('Name', name),
      pairs([
        ['Command', code(typed(change))],
        ['URL', code(change.url)],
        ['Environment', code(Object.keys(change.env ?? {}))],
        ['Headers', code(Object.keys(change.headers ?? {}))],
        ['State', change.enabled === false ? tag('disabled') : null],
      ]),
      secrets.length ? banner('warn', el('label', { class: 'check' }, move, el('span', null, 'Put ', el('b', null, secrets.map((s) => s.k).join(', ')), ' into the keyring instead of the configuration file'))) : null),
  };
}

function byForm(part, foot, close) {
  const form = entryForm(null);
  fill(part, form.node);
  fill(foot, button('Cancel', () => close()), button('Add server', async () => {
    const change = form.read();
    await post('/api/v1/servers', change);
    done([change.name], close);
  }, { kind: 'primary' }));
}
