// Review: what waits for a person, one thing at a time, and the decision.
import { get, path, post, raw, stream } from './api.js';
import { definition, accessTag } from './definition.js';
import { diff } from './diff.js';
import { el, fill, sync } from './dom.js';
import { typed } from './entry.js';
import { later, on, refresh, single, status } from './live.js';
import { plural } from './text.js';
import { banner, button, code, confirm, dialog, empty, failed, field, head, note, pairs, tag } from './ui.js';

const page = (server, ...rest) => path('quarantine', server, ...rest);

export function show(root, signal, params) {
  const queue = el('ul', { class: 'list', 'aria-label': 'What waits' });
  const sheet = el('section', { class: 'card review', 'aria-label': 'What is reviewed' });
  const frame = el('div', { class: 'split' }, el('nav', { class: 'card flush queue', 'aria-label': 'Queue' }, queue), sheet);
  const keys = el('p', { class: 'muted small keys' }, ['j', 'k'].map((k) => el('kbd', null, k)), ' move ', el('kbd', null, 'a'), ' approve ', el('kbd', null, 'b'), ' block ', el('kbd', null, 'i'), ' look inside');
  fill(root, head('Review', 'Agents see nothing of what waits here. What you approve is exactly the text that you see, and nothing that it becomes later.'), frame, keys);

  let items = [], chosen = null, reports = new Map();
  const choose = (item, moved) => {
    chosen = item;
    fill(sheet); // or another's text may stay
    draw();
    for (const b of queue.querySelectorAll('button')) {
      if (b.dataset.key === item?.key) b.setAttribute('aria-current', 'true');
      else b.removeAttribute('aria-current');
    }
    if (!item) return fill(sheet, empty('Nothing waits', 'Every server and tool that is here was approved as it is. What changes will wait here.'));
    fill(sheet, view(item, reports.get(item.server.server), again));
    const at = queue.querySelector('[aria-current]');
    if (moved) at?.focus();
    at?.scrollIntoView({ block: 'nearest' });
    scan(item.server);
  };
  const scan = async (server) => {
    if (reports.has(server.server) || !server.tools.length) return;
    reports.set(server.server, null);
    try {
      const found = await get(page(server.server, 'scan'), signal);
      reports.set(server.server, new Map(found.map((f) => [f.id, f.report])));
      if (chosen?.server.server === server.server) choose(chosen);
    } catch (e) {
      failed(e);
    }
  };
  // Where a lot waits, only the servers are listed, and what the chosen one has.
  const rows = () => {
    if (items.length <= 40) return items;
    const by = Map.groupBy(items, (i) => i.server.server);
    return [...by].flatMap(([name, group]) => (group.length === 1 || name === chosen?.server.server ? group : [{ ...group[0], title: name, words: plural(group.length, 'decision') }]));
  };
  const draw = () => {
    sync(queue, rows().map(({ key, title, words, kind }) => ({ key, title, words, kind })), (i) => i.key, (i) => el('li', null,
      el('button', { type: 'button', class: 'pick', data: { key: i.key, act: 'pick' }, on: { click: () => choose(items.find((x) => x.key === i.key)) } },
        el('span', { class: 'name' }, i.title), el('span', { class: 'words' }, i.words), i.kind ? tag(i.kind, 'bad') : null)));
    frame.classList.toggle('none', !items.length);
    keys.hidden = !items.length;
  };
  let print = '', asked = '';
  const read = single(async () => {
    const mine = asked;
    asked = '';
    const text = await raw('GET', '/api/v1/quarantine', undefined, signal);
    if (text === print && !mine) return;
    if (text !== print) reports = new Map();
    print = text;
    items = JSON.parse(text).flatMap(entries);
    const same = chosen && items.find((i) => i.key === chosen.key);
    if (same && same.hash !== chosen.hash && mine !== chosen.key) return changed(same); // never swap a text under its reader
    choose(same ?? items.find((i) => i.server.server === (chosen?.server.server ?? params.get('server'))) ?? items[0] ?? null);
  });
  // again looks after an action on an item, which the person expects to change.
  const again = (item) => {
    asked = item?.key;
    return read();
  };
  const changed = (now) => {
    draw();
    sheet.querySelector('.moved')?.remove();
    const note = banner('bad', [el('b', null, 'It changed while you were reading. '), 'Below is what it was; that cannot be approved any more.'], button('Show what is there now', () => choose(now), { kind: 'small primary' }));
    note.classList.add('moved');
    sheet.prepend(note);
  };
  // The queue may differ whenever the status does: look again then.
  let sign = null;
  const soon = later(() => read().catch(failed), 150, signal);
  status((now) => {
    const s = JSON.stringify(now.servers.map((x) => [x.name, x.state, x.enabled, x.held_tools, x.tools, x.args, x.url]));
    if (s !== sign) soon();
    sign = s;
  }, signal);
  on(['quarantine'], soon, signal);

  const step = (by) => {
    const at = items.findIndex((i) => i.key === chosen?.key);
    const next = items[Math.min(items.length - 1, Math.max(0, at + by))];
    if (next) choose(next, true);
  };
  const acts = { j: () => step(1), k: () => step(-1), a: () => chosen && askHash(chosen, again), b: () => chosen && block(chosen, again), i: () => chosen && inspect(chosen, again) };
  addEventListener('keydown', (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || document.querySelector('dialog[open]') || e.target.closest?.('input, textarea, select')) return;
    if (Object.hasOwn(acts, e.key)) {
      e.preventDefault();
      Promise.resolve(acts[e.key]()).catch(failed);
    }
  }, { signal });
}

/** entries are the decisions that a server asks for: the server itself, or each of its definitions and all at once. */
function entries(s) {
  if (s.state !== 'approved') {
    return [{ key: s.server, server: s, whole: true, hash: s.hash, title: s.server, kind: s.state === 'blocked' ? 'blocked' : '',
      words: s.inspected ? `${s.state === 'changed' ? 'its launch changed, ' : ''}${plural(s.tools.length, 'item')}` : 'not looked at yet' }];
  }
  const each = s.tools.map((t) => ({ key: t.id, server: s, tool: t, hash: t.hash, title: t.id, kind: t.state === 'blocked' ? 'blocked' : '',
    words: t.diff ? t.diff.class + (t.drift ? `, drift ${t.drift.toFixed(2)}` : '') : `new ${t.kind}` }));
  const open = each.filter((i) => !i.kind);
  return open.length < 2 || open.length < each.length ? each : [...each, { key: s.server, server: s, all: true, hash: s.hash, title: `all ${open.length} of ${s.server}`, kind: '', words: 'in one decision' }];
}

const launch = (l) => pairs([
  ['Runs', code(typed(l))],
  ['Connects to', code(l.url)],
  ['Over', l.transport],
  ['Works in', code(l.working_dir)],
  ['Is given', code(l.env_names)],
  ['Sends', code(l.header_names)],
  ['Logged in at', code(l.issuer)],
]);

const what = (i) => (i.all ? `all ${i.server.tools.length} of ${i.server.server}` : i.whole ? `${i.server.server} and ${i.server.tools.length === 1 ? 'the one thing it offers' : `all ${i.server.tools.length} that it offers`}` : i.tool.id);

function view(item, found, again) {
  const s = item.server;
  const tools = item.tool ? [item.tool] : s.tools;
  const worst = tools.some((t) => found?.get(t.id)?.verdict === 'block');
  const blocked = item.kind === 'blocked';
  return [
    el('header', null, el('h2', null, item.title), item.tool ? [tag(item.tool.state, 'warn'), nature(item.tool)] : tag(item.all ? 'changed or new' : s.state, 'warn')),
    s.reason && item.whole ? el('p', { class: 'prose muted' }, s.reason) : null,
    item.whole ? el('div', { class: 'launch' }, launch(s.launch)) : null,
    item.whole && !s.inspected ? banner('warn', [el('b', null, 'Nobody has looked inside yet. '), 'To see what it offers it is started once, listed and stopped.'],
      button('Look inside', () => inspect(item, again), { kind: 'small primary' })) : null,
    el('div', { class: 'stack offered' }, tools.map((t) => offered(t, found?.get(t.id), !item.tool))),
    el('footer', { class: 'decide' },
      el('span', { class: 'muted small grow' }, 'hash ', el('code', null, item.hash.slice(0, 12))),
      item.all ? null : button(blocked ? 'Unblock' : 'Block', () => block(item, again), { kind: 'danger' }),
      blocked || item.whole && !s.inspected ? null : late(item, button(`Approve ${what(item)}`, () => (worst ? askHash(item, again) : approve(item, again)), { kind: 'primary wrap' }))),
  ];
}

/** late is b, which works a moment after item came: a second click is for what was there before. */
function late(item, b) {
  const rest = (item.since ??= Date.now()) + 700 - Date.now();
  if (rest > 0) {
    b.setAttribute('aria-disabled', 'true');
    setTimeout(() => b.removeAttribute('aria-disabled'), rest);
  }
  return b;
}

function offered(t, report, named) {
  return el('article', { class: 'tool' },
    named ? el('div', { class: 'row' }, el('h3', null, el('code', null, t.name)), nature(t)) : null,
    t.looks_like ? banner('bad', ['Its name is easily taken for that of ', el('code', null, t.looks_like), ', which you approved.']) : null,
    t.flapping ? banner('warn', 'It changed and came back more than once, so it waits whatever it says.') : null,
    findings(report),
    t.diff ? diff(t.diff, t.drift) : null,
    t.diff ? el('details', null, el('summary', null, 'As it would be'), definition(t)) : definition(t));
}

const nature = (t) => (t.kind === 'tool' ? accessTag(t.access) : tag(t.kind));

function findings(report) {
  if (!report || report.verdict === 'pass') return null;
  const kind = report.verdict === 'block' ? 'bad' : 'warn';
  const groups = Map.groupBy(report.findings, (f) => f.rule + '\n' + f.why + '\n' + f.text);
  const advice = [...new Set(report.findings.map((f) => f.do).filter(Boolean))];
  return el('div', { class: 'banner ' + kind }, el('div', { class: 'grow' },
    el('b', null, report.verdict === 'block' ? 'No honest tool has this' : 'Read this with care'),
    el('ul', { class: 'found' }, [...groups.values()].map((g) => el('li', null, g[0].why, ': ', el('code', null, g[0].text), el('span', { class: 'muted small' }, ' in ', el('code', null, g.slice(0, 3).map((f) => f.field).join(', ')), g.length > 3 ? ` and ${g.length - 3} more places` : '')))),
    advice.map((a) => el('p', { class: 'muted small' }, a))));
}

async function inspect(item, again) {
  note(['Starting ', el('b', null, item.server.server), ' once']);
  await stream(page(item.server.server, 'inspect'), {}, () => {});
  await again(item);
}

async function approve(item, again) {
  try {
    await post(page(item.server.server, 'approve'), item.tool ? { tool: item.tool.name, kind: item.tool.kind, hash: item.hash } : { hash: item.hash });
    note(['Approved ', el('b', null, what(item)), ' with hash ', el('code', null, item.hash.slice(0, 12))]);
  } catch (e) {
    if (e.code !== 'conflict') throw e;
    note('It moved since you read it: nothing was approved.', 'bad');
    return again();
  }
  refresh();
  await again(item);
}

/** askHash approves after a person typed the beginning of the hash that is shown. */
async function askHash(item, again) {
  if (item.kind === 'blocked' || item.whole && !item.server.inspected) return;
  const input = el('input', { class: 'mono', maxlength: 6, autocomplete: 'off', spellcheck: false });
  const wrong = el('p', { class: 'bad-text small', role: 'alert' });
  const yes = await dialog(`Approve ${what(item)}?`, 'box', (close) => {
    const ok = button('Approve', () => check(), { kind: 'primary' });
    const check = () => {
      if (input.value.trim().toLowerCase() === item.hash.slice(0, 6)) return close(true);
      input.setAttribute('aria-invalid', 'true');
      fill(wrong, 'That is not how it begins.');
      input.select();
    };
    input.addEventListener('keydown', (e) => { if (e.key === 'Enter') check(); });
    return [el('div', { class: 'stack' }, el('p', null, 'It has the hash ', el('code', null, el('b', null, item.hash.slice(0, 6)), item.hash.slice(6, 16), '…')),
      field('Type its first six characters', input), wrong), [button('Cancel', () => close(false)), ok]];
  });
  if (yes) await approve(item, again);
}

async function block(item, again) {
  if (item.all) return;
  const blocked = item.kind !== 'blocked';
  const name = item.tool ? item.tool.id : item.server.server;
  if (blocked && !await confirm(`Block ${name}?`, 'Agents never get it, whatever was or will be approved, until you unblock it.', 'Block it')) return;
  await post(page(item.server.server, 'block'), { tool: item.tool?.name ?? '', kind: item.tool?.kind ?? '', blocked });
  note([name, blocked ? ' is blocked' : ' is no longer blocked']);
  refresh();
  await again(item);
}
