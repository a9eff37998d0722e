// Overview: what needs a person, how it goes, and every server in one line.
import { get } from './api.js';
import { el, fill, icon, sync } from './dom.js';
import { alarm, health, lines, waits } from './health.js';
import { later, on, status } from './live.js';
import { duration, moment, number, plural, short } from './text.js';
import { banner, copyLine, head } from './ui.js';
import { chart } from './chart.js';

export function show(root, signal) {
  const attention = el('div', { class: 'stack tight' });
  const figures = el('dl', { class: 'figures' });
  const day = el('section', { class: 'card', hidden: true });
  const list = el('ul', { class: 'list lazy' });
  const servers = el('section', { class: 'card flush' }, el('header', null, el('h2', null, 'Servers'), el('span', { class: 'small' }),
    el('a', { class: 'btn small push', href: '/ui/servers' }, 'Manage')), list);
  const endpoint = el('section', { class: 'card' });
  fill(root, head('Overview'), attention, figures, day, servers, endpoint);

  let stats = null, latest = null;
  const draw = (now) => {
    const first = now.servers.length === 0;
    for (const part of [figures, servers]) part.hidden = first;
    day.hidden = first || !stats;
    fill(attention, first && !now.unreachable ? welcome() : notices(now));
    fill(figures, summary(now, stats));
    fill(servers.querySelector('.small'), counted(now.servers));
    sync(list, [...now.servers].sort(byUrgency), (s) => s.name, row);
    if (now.endpoint && !endpoint.hasChildNodes()) fill(endpoint, el('header', null, el('h2', null, 'Your agents connect here'), el('a', { class: 'push small', href: '/ui/connect' }, 'Snippets for each client')), copyLine(now.endpoint, 'the endpoint'));
  };
  status((now) => {
    latest = now;
    draw(now);
  }, signal);
  const count = () => get('/api/v1/stats', signal).then((s) => {
    stats = s;
    if (latest) draw(latest);
    fill(day, chart(stats.hours));
  }, () => {}); // the figures stay as they are; the status says what is wrong
  on(['audit', 'index'], later(count, 500, signal), signal);
  count();
}

const byUrgency = (a, b) => (health(b).urgent ? 1 : 0) - (health(a).urgent ? 1 : 0);

function counted(servers) {
  const up = servers.filter((s) => s.enabled && s.state === 'ready').length;
  return `${up} of ${servers.length} running`;
}

function notices(now) {
  const list = [];
  if (now.unreachable) list.push(banner('bad', [el('b', null, 'mcpproxy does not answer. '), 'Start it: ', el('code', null, 'mcpproxy serve')]));
  if (now.config_error) list.push(banner('bad', [el('b', null, 'The configuration file has faults and is not in force. '), el('div', { class: 'prose small' }, now.config_error)], el('a', { class: 'btn small', href: '/ui/settings?tab=file' }, 'Open it')));
  if (now.storage_error) list.push(banner('bad', [el('b', null, 'Nothing can be stored. '), now.storage_error]));
  if (now.loss) list.push(banner('bad', [el('b', null, 'Approvals were lost. '), now.loss.reason, ' Every server waits for you again', now.loss.backup ? [', or bring the copy of ', moment(now.loss.backup.time), ' back: ', el('code', null, 'mcpproxy quarantine restore')] : '', '.']));
  if (now.index.model_error) list.push(banner('warn', ['The sentence model does not serve: ', now.index.model_error], el('a', { class: 'btn small', href: '/ui/settings?tab=search' }, 'Models')));
  const waiting = now.servers.filter(waits);
  if (waiting.length) {
    list.push(banner('warn', [el('b', null, `${plural(waiting.length, 'server')} ${waiting.length === 1 ? 'waits' : 'wait'} for your review: `), waiting.slice(0, 4).map((s) => s.name).join(', '), waiting.length > 4 ? ` and ${waiting.length - 4} more` : '', '. Agents see nothing of it until you approve.'],
      el('a', { class: 'btn small primary', href: '/ui/review' }, 'Review')));
  }
  return list;
}

const step = (n, title, words, ...rest) => el('li', { class: 'card step' }, el('span', { class: 'rank', 'aria-hidden': 'true' }, n), el('div', { class: 'stack tight' }, el('h2', null, title), el('p', { class: 'muted' }, words), rest));

const welcome = () => el('ol', { class: 'steps' },
  step(1, 'Add your first server', 'Paste the entry that a server\'s README shows, or type its command. It does not run yet.',
    el('div', null, el('a', { class: 'btn primary', href: '/ui/servers?add=1' }, icon('plus'), 'Add a server'))),
  step(2, 'Review what it offers', 'You read the exact text that agents would be given, and approve it. What changes later waits for you again.'),
  step(3, 'Connect your agent', 'One entry instead of one for each server. Agents search in plain words and get the few tools that fit.',
    el('div', null, el('a', { class: 'btn', href: '/ui/connect' }, 'Connect'))));

function figure(label, value, ...words) {
  return el('div', { class: 'card figure' }, el('dt', null, label), el('dd', null, value), words.map((w) => el('dd', null, w)));
}

/** summary is the row of figures; stats is null before the first answer. */
function summary(now, stats) {
  const index = now.index;
  const made = Object.keys(index.servers ?? {}).length;
  return [
    figure('Tools indexed', number(index.tools ?? 0), `from ${plural(made, 'server')}, ${index.model ? 'by words and meaning' : 'by words only'}`),
    figure('Tokens saved today', stats ? short(stats.saved_today) : '–', stats ? `${short(stats.tokens_menu)} instead of ${short(stats.tokens_all)} for each agent` : ''),
    figure('Searches today', stats ? number(stats.searches_today) : '–', stats?.search_p50_ms ? `half of them within ${duration(stats.search_p50_ms)}` : 'in plain words'),
    figure('Calls today', stats ? number(stats.calls_today) : '–', [stats?.failed_today ? `${number(stats.failed_today)} failed` : 'none failed', stats?.refused_today ? `, ${number(stats.refused_today)} refused` : '']),
  ];
}

function row(s) {
  const h = health(s);
  return el('li', null, el('div', { class: 'item' + (alarm(s) ? ' alarm' : '') },
    el('span', { class: 'dot ' + h.dot }),
    el('div', { class: 'grow' },
      el('div', { class: 'line' }, el('a', { class: 'name', href: '/ui/servers?name=' + encodeURIComponent(s.name) }, s.name)),
      lines(s, h)),
    el('div', { class: 'side-info' }, el('span', { class: 'figure-s' }, s.tools ? plural(s.tools, 'tool') : ''), h.help?.(s))));
}
