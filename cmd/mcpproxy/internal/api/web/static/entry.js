// The form of one server's entry, new or changed.
import { el, fill } from './dom.js';
import { button, field, tabs } from './ui.js';

/** words splits a command line as a shell would: quotes hold together, \ escapes. */
export function words(text) {
  const out = [];
  let word = null, quote = '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '\\' && quote !== "'" && i + 1 < text.length) word = (word ?? '') + text[++i];
    else if (quote) c === quote ? quote = '' : word += c;
    else if (c === '"' || c === "'") { quote = c; word ??= ''; } else if (/\s/.test(c)) { if (word !== null) out.push(word); word = null; } else word = (word ?? '') + c;
  }
  if (word !== null) out.push(word);
  return out;
}

const quoted = (w) => (/^[\w@%+=:,./${}~-]+$/.test(w) ? w : `'${w.replaceAll("'", `'\\''`)}'`);

/** typed is a server's command line, for words(). */
export const typed = (s) => (s.command ? [s.command, ...(s.args ?? [])].map(quoted).join(' ') : '');

/**
 * entryForm is a form over a server, or an empty one. read returns what differs,
 * as POST and PATCH take it. Values of env and headers are never told by the
 * proxy, so an untouched one stays as it is.
 */
export function entryForm(s) {
  const was = s ?? { transport: 'stdio' };
  const line = el('input', { class: 'mono', value: typed(was), placeholder: 'npx -y @modelcontextprotocol/server-filesystem ~/notes', spellcheck: false, autocomplete: 'off' });
  const name = el('input', { value: '', placeholder: 'files', spellcheck: false, autocomplete: 'off' });
  const dir = el('input', { class: 'mono', value: was.working_dir ?? '', spellcheck: false });
  const url = el('input', { class: 'mono', type: 'url', value: was.url ?? '', placeholder: 'https://example.com/mcp', spellcheck: false });
  const env = valueRows('Environment variable', was.env_names);
  const headers = valueRows('Header', was.header_names);
  const local = el('div', null, field('Command', line, 'As you would type it in a shell'), field('Working directory', dir), env.node);
  const remote = el('div', null, field('URL', url, 'Its query is not shown here; leave the field alone to keep it'), headers.node);
  let kind = was.url && !was.command ? 'http' : 'stdio';
  const choice = tabs('Where it runs', [['stdio', 'A command here'], ['http', 'At an address']], kind, (key) => {
    kind = key;
    local.hidden = key !== 'stdio';
    remote.hidden = key === 'stdio';
  });
  const read = () => {
    const change = {};
    if (!s) change.name = name.value.trim();
    const [command, ...args] = words(line.value);
    if (kind === 'stdio') {
      if (command !== was.command) change.command = command ?? '';
      if (JSON.stringify(args) !== JSON.stringify(was.args ?? [])) change.args = args;
      if (dir.value !== (was.working_dir ?? '')) change.working_dir = dir.value;
      if (env.touched()) change.env = env.read();
    } else {
      if (url.value !== (was.url ?? '')) change.url = url.value.trim();
      if (headers.touched()) change.headers = headers.read();
    }
    return change;
  };
  return { read, node: el('div', null, s ? null : field('Name', name, 'How agents and you will call it'), s ? null : el('div', { class: 'field' }, choice), local, remote) };
}

/** valueRows edits names with values. Changing one means giving all values anew. */
function valueRows(what, names = []) {
  let rows = null;
  const list = el('div', { class: 'stack tight' });
  const add = (name = '', value = '') => {
    const n = el('input', { class: 'mono', value: name, 'aria-label': `${what} name`, placeholder: 'NAME', spellcheck: false });
    const v = el('input', { class: 'mono', value, 'aria-label': `${what} value`, placeholder: 'value, or ${keyring:name}', spellcheck: false, autocomplete: 'off' });
    const row = el('div', { class: 'row' }, el('div', { class: 'grow' }, n), el('div', { class: 'grow' }, v), button('Remove', () => { rows.delete(row); row.remove(); }, { kind: 'quiet small' }));
    row.read = () => [n.value.trim(), v.value];
    rows.add(row);
    list.append(row);
  };
  const begin = () => {
    rows = new Set();
    fill(list);
    for (const name of names) add(name);
  };
  const more = () => {
    if (!rows) begin();
    add();
  };
  if (names.length) fill(list, el('div', { class: 'row small' }, el('code', null, names.join(', ')), button('Set anew', begin, { kind: 'small' })));
  return {
    node: el('fieldset', { class: 'field' }, el('legend', { class: 'label' }, what + 's'), list, el('div', { class: 'actions' }, button('Add', more, { kind: 'quiet small', symbol: 'plus', describe: `Add ${what.toLowerCase()}` }))),
    touched: () => rows !== null,
    read: () => Object.fromEntries([...(rows ?? [])].map((r) => r.read()).filter(([n]) => n)),
  };
}
