import { describe } from 'vitest';
import { clusterLife } from '../suites/cluster-life.ts';
import { customKinds } from '../suites/custom-kinds.ts';
import { rightsOfRbac } from '../suites/rights-of-rbac.ts';
import { sharing } from '../suites/sharing.ts';
import { realUpstream } from '../upstreams/real.ts';

describe('WATCH_TRANSPORT=websocket', () => {
  const upstream = realUpstream();
  sharing('websocket', upstream);
  clusterLife('websocket', upstream);
  rightsOfRbac('websocket', upstream);
  customKinds('websocket', upstream);
});
