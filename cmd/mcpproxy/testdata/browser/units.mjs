// The parts of the page that need no browser: node units.mjs DIRECTORY.
import assert from 'node:assert/strict';
import { pathToFileURL } from 'node:url';

const load = (name) => import(pathToFileURL(`${process.argv[2]}/${name}`));
const { servers, secretive } = await load('snippet.js');
const { words } = await load('entry.js');
const { line, pieces, plain, short, moment } = await load('text.js');

const npx = { command: 'npx', args: ['-y', 'x'] };
const snippets = {
  'map form': ['{"mcpServers": {"a": {"command": "npx", "args": ["-y", "x"]}}}', [{ name: 'a', ...npx }]],
  'array form': ['{"mcpServers": [{"name": "a", "command": "npx", "args": ["-y", "x"]}]}', [{ name: 'a', ...npx }]],
  'VS Code': ['{"servers": {"a": {"type": "http", "url": "https://h.test/mcp"}}, "inputs": []}', [{ name: 'a', protocol: 'http', url: 'https://h.test/mcp' }]],
  'VS Code settings': ['{"mcp": {"servers": {"a": {"command": "npx"}}}}', [{ name: 'a', command: 'npx', args: [] }]],
  'Gemini': ['{"mcpServers": {"a": {"httpUrl": "https://h.test/mcp"}}}', [{ name: 'a', protocol: 'http', url: 'https://h.test/mcp' }]],
  'members without braces': ['"a": {"command": "npx", "args": ["-y", "x"]},', [{ name: 'a', ...npx }]],
  'the whole key without braces': ['"mcpServers": {"a": {"command": "npx", "args": ["-y", "x"]}}', [{ name: 'a', ...npx }]],
  'one entry': ['{"command": "npx", "args": ["-y", "@scope/server-files@1.2.3"]}', [{ name: 'files', command: 'npx', args: ['-y', '@scope/server-files@1.2.3'] }]],
  'one address': ['{"url": "https://mcp.example.com/sse", "type": "sse"}', [{ name: 'example', protocol: 'sse', url: 'https://mcp.example.com/sse' }]],
  'comments and commas': ['{ // c\n "mcpServers": { /* "b": {} */ "a": {"command": "a//b", "env": {"K": 1,},}, } }', [{ name: 'a', command: 'a//b', args: [], env: { K: '1' } }]],
  'switched off': ['{"a": {"command": "c", "disabled": true, "cwd": "/w"}}', [{ name: 'a', command: 'c', args: [], working_dir: '/w', enabled: false }]],
};
for (const [name, [text, want]] of Object.entries(snippets)) assert.deepEqual(servers(text), want, name);
for (const bad of ['', 'npx -y x', '{"mcpServers": {}}', '[1, null, "x"]', '{"a": 1}', '"x"', 'null']) assert.throws(() => servers(bad), Error, bad);
assert.ok(secretive('GITHUB_TOKEN', 'ghp_123456789') && !secretive('GITHUB_TOKEN', '${env:X}xxxxx') && !secretive('PATH', '/usr/bin:/bin'));

for (const [text, want] of [['a b', ['a', 'b']], [`'a b' "c d"`, ['a b', 'c d']], ['a\\ b', ['a b']], [`x '' y`, ['x', '', 'y']], [`a"b"'c'`, ['abc']], ['  ', []]]) assert.deepEqual(words(text), want, text);

assert.ok(plain('Grüße, 日本語, עברית, 👍\n\t') && !plain('a\u202eb') && !plain('\u00a0') && !plain('\ud800'));
assert.equal(line('a\u001b[2J\u200b'), 'a<U+001B>[2J<U+200B>');
assert.deepEqual(pieces('a\u{e0041}b'), [{ text: 'a' }, { hidden: 'U+E0041' }, { text: 'b' }]);
assert.deepEqual([950, 12_400, 3_140_000].map(short), ['950', '12.4k', '3.1M']);
assert.match(moment(Date.now()), /^\d\d:\d\d:\d\d$/);
