import { isObject, text } from '../apiserver/json.ts';
import type { ApiObject } from '../apiserver/object.ts';
import { PodRun } from './pod-run.ts';
import type { World } from './world.ts';

/** Runs every pod that appears. */
export class Kubelet {
  readonly #runs = new Map<string, PodRun>();

  constructor(world: World) {
    world.store.subscribe('pods', ({ type, object, previous }) => {
      const { uid } = object.metadata;
      if (type === 'ADDED' && object.spec?.['nodeName'] === undefined) {
        const run = new PodRun(world, object);
        this.#runs.set(uid, run);
        world.pace.after(0, () => run.start());
      }
      if (object.metadata.deletionTimestamp !== undefined && previous?.metadata.deletionTimestamp === undefined) {
        world.pace.after(0, () => world.events.normal(object, 'Killing', 'Stopping container'));
      }
      if (type !== 'DELETED') return;
      this.#runs.get(uid)?.stop();
      this.#runs.delete(uid);
    });
    world.pace.every(
      () => 1_000,
      () => chatter(world),
    );
  }

  run(pod: ApiObject): PodRun | undefined {
    return this.#runs.get(pod.metadata.uid);
  }
}

const PATHS = ['/', '/cart', '/checkout', '/products/42', '/suche?q=Käse', '/健康', '/ready'];

/** What running containers print. */
function chatter({ store, logs, dice }: World): void {
  for (const pod of store.list('pods')) {
    const statuses = pod.status?.['containerStatuses'];
    for (const status of Array.isArray(statuses) ? statuses : []) {
      if (!isObject(status) || status['started'] !== true || !dice.chance(0.5)) continue;
      const line = `level=info msg="GET ${dice.pick(PATHS) ?? '/'}" status=200 ms=${dice.between(1, 180)}`;
      logs.append(pod.metadata.namespace ?? '', pod.metadata.name, text(status['name']), line);
    }
  }
}
