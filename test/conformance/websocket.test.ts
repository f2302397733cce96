import { describe } from 'vitest';
import { sharing } from './suites/sharing.ts';
import { upstreamFaults } from './suites/upstream-faults.ts';
import { demo } from './upstreams/demo.ts';

describe.each(['websocket'] as const)('WATCH_TRANSPORT=%s', (transport) => {
  sharing(transport, demo);
  upstreamFaults(transport);
});
