// Connect: what each client needs to talk to the proxy.
import { el, fill } from './dom.js';
import { status } from './live.js';
import { json } from './definition.js';
import { copyLine, copy, button, head, tabs } from './ui.js';

const entry = (url, type = 'http') => ({ type, url });

/** Each client: its name, where its entry goes, the text, and a link that installs it where there is one. */
const clients = [
  ['cursor', 'Cursor', '~/.cursor/mcp.json', (url) => JSON.stringify({ mcpServers: { mcpproxy: entry(url) } }, null, 2),
    (url) => 'cursor://anysphere.cursor-deeplink/mcp/install?name=mcpproxy&config=' + encodeURIComponent(btoa(JSON.stringify(entry(url))))],
  ['vscode', 'VS Code', 'mcp.json of your user settings', (url) => JSON.stringify({ servers: { mcpproxy: entry(url) } }, null, 2),
    (url) => 'vscode:mcp/install?' + encodeURIComponent(JSON.stringify({ name: 'mcpproxy', ...entry(url) }))],
  ['claude-desktop', 'Claude Desktop', 'claude_desktop_config.json', () => JSON.stringify({ mcpServers: { mcpproxy: { command: 'mcpproxy', args: ['stdio'] } } }, null, 2)],
  ['claude-code', 'Claude Code', 'a terminal', (url) => `claude mcp add --transport http mcpproxy ${url}`],
  ['goose', 'Goose', '~/.config/goose/config.yaml', (url) => `extensions:\n  mcpproxy:\n    enabled: true\n    type: streamable_http\n    name: mcpproxy\n    uri: ${url}\n    timeout: 300`],
  ['codex', 'Codex CLI', '~/.codex/config.toml', (url) => `[mcp_servers.mcpproxy]\nurl = "${url}"`],
  ['gemini', 'Gemini CLI', '~/.gemini/settings.json', (url) => JSON.stringify({ mcpServers: { mcpproxy: { httpUrl: url } } }, null, 2)],
];

export function show(root, signal, params) {
  const endpoint = el('div');
  const part = el('section', { class: 'card stack' });
  let url = '', chosen = clients.some(([k]) => k === params.get('client')) ? params.get('client') : 'cursor';
  const draw = () => {
    if (!url) return;
    const [name, title, where, text, link] = clients.find(([k]) => k === chosen);
    const snippet = text(url);
    fill(endpoint, copyLine(url, 'the endpoint'));
    fill(part, el('div', { class: 'row' }, el('h2', null, title), link ? el('a', { class: 'btn primary push', href: link(url) }, `Install into ${title}`) : null),
      el('p', { class: 'muted' }, link ? 'The button opens it and asks you there. Or put this into ' : 'Put this into ', el('code', null, where), ':'),
      json(snippet, `Entry for ${title}`), el('div', { class: 'actions' }, button('Copy', () => copy(snippet), { symbol: 'copy', describe: `Copy the entry for ${title}` })),
      el('div', null, el('p', { class: 'muted' }, 'Or let the command line do it; it shows what it will change, and ', el('code', null, '--undo'), ' takes it back:'), copyLine(`mcpproxy connect ${name}`, 'the command')));
  };
  fill(root, head('Connect', 'Your agents need this one entry instead of one for each server.'), endpoint,
    tabs('Client', clients.map(([k, t]) => [k, t]), chosen, (key) => { chosen = key; draw(); }), part);
  status((now) => {
    if (now.endpoint === url) return;
    url = now.endpoint;
    draw();
  }, signal);
}
