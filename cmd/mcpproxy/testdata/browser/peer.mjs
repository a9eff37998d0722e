// An MCP server on stdin and stdout whose tools are in a file: node peer.mjs FILE.
// The file has {"tools": [...], "results": {name: CallToolResult}}.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const file = process.argv[2];
const read = () => JSON.parse(readFileSync(file, 'utf8'));
const answers = {
  initialize: (p) => ({ protocolVersion: p.protocolVersion ?? '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'peer', version: '1' } }),
  'tools/list': () => ({ tools: read().tools }),
  'tools/call': (p) => read().results?.[p.name] ?? { content: [{ type: 'text', text: JSON.stringify(p.arguments) }] },
  ping: () => ({}),
};
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) continue;
  const result = answers[method]?.(params ?? {});
  process.stdout.write(JSON.stringify(result ? { jsonrpc: '2.0', id, result } : { jsonrpc: '2.0', id, error: { code: -32601, message: 'no such method' } }) + '\n');
}
