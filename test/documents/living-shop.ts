import { makeService } from '../../demo/apiserver/objects.ts';
import { production, startCluster } from '../../demo/cluster/index.ts';
import { eventually } from '../support/eventually.ts';
import { WholeServer } from '../support/whole-server.ts';

export interface LivingShop {
  readonly whole: WholeServer;
  stop(): Promise<void>;
}

/** A whole server on the demo's living cluster, in which the shop is up: what the documents' examples are about. */
export async function startLivingShop(): Promise<LivingShop> {
  const whole = await WholeServer.start({
    MAX_FEEDS_PER_VIEWER: '200',
    PROMETHEUS_SERVICE: 'monitoring/prometheus:9090',
  });
  whole.store.create(makeService({ name: 'prometheus', namespace: 'monitoring' }));
  const cluster = startCluster(whole.kas.agent(1).api, production(), { seed: 7, speed: 100, incidents: false });
  const web = () => whole.store.list('deployments', 'shop').find(({ metadata }) => metadata.name === 'web');
  await eventually('a shop that sells', () => web()?.status?.['availableReplicas'] === 3, 20_000);
  return {
    whole,
    stop: async () => {
      cluster.stop();
      await whole.stop();
    },
  };
}
