import { describe } from 'vitest';
import { clusterLife } from '../suites/cluster-life.ts';
import { customKinds } from '../suites/custom-kinds.ts';
import { restoredCluster } from '../suites/restored-cluster.ts';
import { rightsOfRbac } from '../suites/rights-of-rbac.ts';
import { sharing } from '../suites/sharing.ts';
import { realUpstream } from '../upstreams/real.ts';

describe('WATCH_TRANSPORT=http', () => {
  const upstream = realUpstream();
  sharing('http', upstream);
  clusterLife('http', upstream);
  rightsOfRbac('http', upstream);
  customKinds('http', upstream);
  restoredCluster('http', upstream);
});
