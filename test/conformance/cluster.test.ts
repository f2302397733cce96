import { describe } from 'vitest';
import { clusterLife } from './suites/cluster-life.ts';
import { customKinds } from './suites/custom-kinds.ts';
import { rightsOfRbac } from './suites/rights-of-rbac.ts';
import { demo } from './upstreams/demo.ts';

describe.each(['http', 'websocket'] as const)('WATCH_TRANSPORT=%s', (transport) => {
  clusterLife(transport, demo);
  rightsOfRbac(transport, demo);
  customKinds(transport, demo);
});
