import { NAMESPACE, type Bench, type ViewOptions } from '../../support/bench.ts';
import { makePod } from '../../../demo/apiserver/objects.ts';
import type { RecordedView } from '../../support/recorded-view.ts';
import type { TestCluster } from './upstream.ts';

/** One run: what is tested, and the cluster it looks at. */
export class Trial {
  readonly bench: Bench;
  readonly cluster: TestCluster;

  constructor(bench: Bench, cluster: TestCluster) {
    this.bench = bench;
    this.cluster = cluster;
  }

  createPod(name: string) {
    return this.cluster.create(makePod({ name, namespace: NAMESPACE }));
  }

  deletePod(name: string) {
    return this.cluster.delete('pods', NAMESPACE, name);
  }

  touchPod(name: string, value = String(Math.random())) {
    return this.cluster.patch('pods', NAMESPACE, name, { metadata: { labels: { touched: value } } });
  }

  /** Once nobody writes any more: the view becomes equal to what the cluster has. */
  async converged(view: RecordedView, withinMs?: number, resource = 'pods'): Promise<void> {
    await this.bench.converged(view, withinMs, await this.cluster.versions(resource, NAMESPACE));
  }

  /** The same of many views of pods, for which the cluster is asked once. */
  async allConverged(views: readonly RecordedView[], withinMs: number): Promise<void> {
    const truth = await this.cluster.versions('pods', NAMESPACE);
    await Promise.all(views.map((view) => this.bench.converged(view, withinMs, truth)));
  }

  /** A view that has its first snapshot, over an open watch. */
  async liveView(options: ViewOptions = {}): Promise<RecordedView> {
    const view = await this.bench.view(options);
    await this.converged(view);
    await this.bench.connected();
    return view;
  }

  async close(): Promise<void> {
    await this.bench.close();
  }
}
