import { fill } from './dom.js';
import { empty, head } from './ui.js';

export function show(root) { fill(root, head('Secrets'), empty('Not here yet', 'The command line has it: mcpproxy --help.')); }
