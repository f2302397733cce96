import { describe } from 'vitest';
import { sharing } from './suites/sharing.ts';
import { upstreamFaults } from './suites/upstream-faults.ts';

describe.each(['websocket'] as const)('WATCH_TRANSPORT=%s', (transport) => {
  sharing(transport);
  upstreamFaults(transport);
});
