// Settings: the configuration as options and as the file, and what search stands on.
import { api, get, post, stream } from './api.js';
import { el, fill } from './dom.js';
import { editor } from './editor.js';
import { on } from './live.js';
import { bytes, number, plural } from './text.js';
import { banner, button, confirm, failed, field, head, note, pairs, tabs, tag } from './ui.js';

export function show(root, signal, params) {
  const part = el('div', { class: 'stack' });
  let stop = new AbortController();
  signal.addEventListener('abort', () => stop.abort());
  const parts = { options, file, search };
  const open = (key) => {
    stop.abort();
    stop = new AbortController();
    fill(part);
    parts[key](part, stop.signal);
  };
  const tab = Object.hasOwn(parts, params.get('tab') ?? '') ? params.get('tab') : 'options';
  fill(root, head('Settings', null, tabs('Settings', [['options', 'Options'], ['file', 'File'], ['search', 'Search']], tab, open)), part);
}

const next = 'From the next start on';
const groups = {
  'Search and answers': {
    top_k: ['Tools that a search returns', 'number'],
    tools_limit: ['The most that an agent may ask for', 'number'],
    tool_response_limit: ['Characters of one answer', 'number', 'The rest is read page by page; 0 is no limit'],
  },
  'What agents may do': {
    allow_server_add: ['Propose servers', 'check', 'They wait for your review all the same'],
    allow_server_remove: ['Remove servers', 'check'],
    disable_management: ['No tool to manage servers', 'check', 'There is no upstream_servers then'],
    require_mcp_auth: ['They need the API key here too', 'check', 'Beyond this machine they always do'],
  },
  'Record and log': {
    audit_max_mb: ['Megabytes of the record', 'number', next],
    audit_max_days: ['Days of the record', 'number', next],
    log_level: ['What the log tells', ['error', 'warn', 'info', 'debug', 'trace']],
    audit_arguments: ['Keep what tools were called with', 'check', 'Arguments may hold secrets'],
  },
  Desktop: { enable_tray: ['Icon in the system tray', 'check', next] },
};

/** option is one key of the top level: its input, and what it was. */
function option(k, was, [label, kind, hint]) {
  if (kind === 'check') {
    const input = el('input', { type: 'checkbox', checked: was });
    return { k, was, kind, read: () => input.checked, node: el('label', { class: 'check' }, input, el('span', null, label, hint ? el('span', { class: 'small muted block' }, hint) : null)) };
  }
  const input = Array.isArray(kind) ? el('select', null, kind.map((v) => el('option', { value: v, selected: v === was }, v))) : el('input', { value: was, inputmode: 'numeric' });
  return { k, was, kind, read: () => (kind === 'number' ? Number(input.value) : input.value), node: field(label, input, hint) };
}

/** options are the keys of the top level, changed one by one. */
async function options(part, signal) {
  let config;
  try {
    config = await get('/api/v1/config', signal);
  } catch (e) {
    return failed(e);
  }
  const all = [];
  const cards = Object.entries(groups).map(([name, keys]) => {
    const mine = Object.entries(keys).filter(([k]) => k in config.settings).map(([k, kind]) => option(k, config.settings[k], kind));
    all.push(...mine);
    const of = (check) => mine.filter((o) => (o.kind === 'check') === check).map((o) => o.node);
    return el('section', { class: 'card stack' }, el('h2', null, name), of(false).length ? el('div', { class: 'fields' }, of(false)) : null, of(true).length ? el('div', { class: 'checks' }, of(true)) : null);
  });
  const save = button('Save', async () => {
    const set = Object.fromEntries(all.filter((o) => o.read() !== o.was).map((o) => [o.k, o.read()]));
    if (Object.keys(set).length) {
      config = await api('PATCH', '/api/v1/config', { set });
      for (const o of all) o.was = config.settings[o.k];
    }
    note('The settings are in force');
  }, { kind: 'primary' });
  fill(part, faulty(config), config.read_only ? banner('warn', 'Read only: nothing can be changed here.') : null, cards,
    config.read_only ? null : el('div', { class: 'actions' }, save, el('span', { class: 'muted small' }, 'Written to ', el('code', null, config.path), '; the rest of it stays as it is.')));
}

const faulty = (config) => (config.in_force === false ? banner('bad', [el('b', null, 'The file on disk has faults and is not in force. '), 'The last good one is.']) : null);

/** file edits the whole file; every fault is shown at its line while one types. */
async function file(part, signal) {
  const e = editor('Configuration file');
  const found = el('ul', { class: 'faults', 'aria-live': 'polite' });
  const state = el('p', { class: 'small muted' });
  const top = el('div', { class: 'stack tight' });
  let config = null, timer = 0;
  const say = ({ faults, warnings }) => {
    e.mark(new Map([...warnings.map((f) => [f.line, 'warn']), ...faults.map((f) => [f.line, 'bad'])]));
    fill(found, [...faults.map((f) => [f, 'bad']), ...warnings.map((f) => [f, 'warn'])].map(([f, kind]) => el('li', null, tag(f.line ? `line ${f.line}` : kind === 'bad' ? 'fault' : 'notice', kind), ' ',
      el('button', { type: 'button', class: 'link', on: { click: () => e.jump(f.line || 1) } }, f.path ? el('code', null, f.path) : null, f.path ? ': ' : '', f.message))));
    fill(state, faults.length ? plural(faults.length, 'fault') + ': nothing is written before they are gone' : 'No faults.');
    e.area.setAttribute('aria-invalid', String(faults.length > 0));
    save.disabled = faults.length > 0 || config.read_only;
  };
  const check = async () => {
    try {
      say(await post('/api/v1/config/validate', { text: e.area.value }, signal));
    } catch (err) {
      failed(err);
    }
  };
  const load = async () => {
    config = await get('/api/v1/config', signal);
    e.area.value = config.text;
    fill(top, faulty(config), config.hidden ? el('p', { class: 'muted small' }, el('code', null, '"**redacted**"'), ` stands for ${plural(config.hidden, 'value')} that may be secret. Left alone, ${config.hidden === 1 ? 'it keeps' : 'they keep'} what is in the file.`) : null);
    say(config);
    e.draw();
  };
  const save = button('Save', async () => {
    try {
      config = await api('PUT', '/api/v1/config', { text: e.area.value, hash: config.hash });
      e.area.value = config.text;
      say(config);
      note('The configuration is in force');
    } catch (err) {
      if (err.code === 'config') return check();
      if (err.code !== 'conflict') throw err;
      if (await confirm('The file was changed meanwhile', 'Somebody else wrote it since you opened it here. Your text is not written. Load theirs, and lose yours?', 'Load theirs')) await load();
    }
  }, { kind: 'primary' });
  e.area.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(check, 250);
  });
  signal.addEventListener('abort', () => clearTimeout(timer));
  try {
    await load();
  } catch (err) {
    return failed(err);
  }
  fill(part, top, e.node, found, el('div', { class: 'actions' }, save, button('Undo all', load), state, el('code', { class: 'muted push' }, config.path)));
  e.draw();
}

/** search is the model and the index that it fills. */
function search(part, signal) {
  const models = el('ul', { class: 'list' });
  const index = el('div');
  const bar = el('progress', { max: 1, value: 0, hidden: true, 'aria-label': 'Rebuilding' });
  const read = async () => {
    try {
      const [list, now] = await Promise.all([get('/api/v1/models', signal), get('/api/v1/index', signal)]);
      fill(models, list.map((m) => model(m, read)));
      fill(index, pairs([
        ['Tools', number(now.tools)],
        ['Vectors', `${number(now.vectors)}${now.vectors < now.tools ? ', the rest is under way' : ''}`],
        ['Model', now.model || 'none: words only'],
        ['Built in', `${now.build_ms.toFixed(1)} ms`],
        ['Rebuilt at the start', now.rebuilt],
      ]), now.model_error ? banner('bad', now.model_error) : null);
    } catch (e) {
      failed(e);
    }
  };
  on(['index', 'config'], read, signal);
  fill(part, el('section', { class: 'card flush' }, el('header', null, el('h2', null, 'Sentence model'), el('span', { class: 'small muted' }, 'finds tools by meaning; nothing leaves this machine')), models),
    el('section', { class: 'card stack' }, el('div', { class: 'row' }, el('h2', null, 'Index'), el('span', { class: 'push' }, button('Rebuild', async () => {
      bar.hidden = false;
      try {
        await stream('/api/v1/index/rebuild', {}, (p) => { bar.value = p.total ? p.done / p.total : 0; }, signal);
        note('The index is rebuilt');
      } finally {
        bar.hidden = true;
      }
      await read();
    }))), bar, index));
  read();
}

const model = (m, read) => el('li', null, el('div', { class: 'item' }, el('span', { class: 'dot ' + (m.error ? 'bad' : m.in_service ? 'ok' : '') }),
  el('div', { class: 'grow' }, el('div', { class: 'name' }, m.name), el('div', { class: 'words' + (m.error ? ' bad' : '') }, m.error || [m.bundled ? 'in the program' : 'your own', m.bytes ? `, ${bytes(m.bytes)}` : '', m.dim ? `, ${m.dim} dimensions` : ''])),
  el('div', { class: 'side-info' }, m.in_service ? tag('in service', 'ok') : null, m.chosen && !m.in_service ? tag('chosen', 'accent') : null,
    m.chosen ? null : button('Use', async () => {
      await post('/api/v1/models/use', { name: m.name });
      note(`${m.name} serves as soon as it has its vectors`);
      await read();
    }, { kind: 'small', describe: `Use ${m.name}` }))));
