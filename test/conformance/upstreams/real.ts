import { RealApiServer } from '../../apiserver/real-apiserver.ts';
import { RemoteCluster } from '../../apiserver/remote-cluster.ts';
import { Bench, type BenchOptions } from '../../support/bench.ts';
import { defineFlux } from './flux-definitions.ts';
import { RealCluster } from './real-cluster.ts';
import { Trial } from './trial.ts';
import type { Upstream } from './upstream.ts';

/** Set by `npm run conformance`: the folder with the programs `kube-apiserver` and `etcd`. */
export const ASSETS = process.env['KASCADE_TEST_APISERVER'];

async function provide(): Promise<{ readonly server: RealApiServer; readonly cluster: RealCluster }> {
  if (ASSETS === undefined) throw new Error('there is no API server: npm run conformance');
  const server = await RealApiServer.start(ASSETS);
  await defineFlux(server);
  return { server, cluster: new RealCluster(server) };
}

/** One API server for all trials of a test file; each begins with an empty one. */
export function realUpstream(): Upstream {
  let running: Awaited<ReturnType<typeof provide>> | undefined;
  return {
    name: 'kube-apiserver',
    async start(options: BenchOptions = {}) {
      running ??= await provide();
      const { server, cluster } = running;
      await cluster.empty();
      const bench = await Bench.start({ ...options, agent: { ...options.agent, cluster: new RemoteCluster(server) } });
      await cluster.grant('ada', '', ['*'], ['*']);
      return new Trial(bench, cluster);
    },
    async close() {
      await running?.server.stop();
      running = undefined;
    },
  };
}
