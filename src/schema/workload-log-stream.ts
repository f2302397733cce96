import type { LogWish } from '../access/logs.ts';
import type { Viewer } from '../access/viewer.ts';
import type { ApiError } from '../errors.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { podContainers, type PodContainer } from '../kubernetes/pod-containers.ts';
import { PODS } from '../kubernetes/resources.ts';
import { MergedLog } from '../pubsub/merged-log.ts';
import type { ObjectFilter, Update } from '../pubsub/updates.ts';
import type { Context } from './context.ts';

/** Containers of one workload that are followed at most. */
export const MAX_CONTAINERS = 50;
/** Pods that come while it is followed are read from their beginning. */
const WHOLE = 10_000;

export interface WorkloadLogOptions {
  readonly agentId: string;
  readonly namespace: string;
  readonly pods: ObjectFilter;
  /** Undefined: all containers. */
  readonly container: string | undefined;
  readonly wish: LogWish;
}

/** The logs of all pods that a filter lets through, as one; pods come and go, containers restart. */
export async function followWorkload(context: Context, options: WorkloadLogOptions): Promise<MergedLog> {
  const viewer = context.viewer();
  const key = { agentId: options.agentId, namespace: options.namespace, resource: PODS };
  const pods = await context.gate.subscribe(viewer, key, { filter: options.pods });
  const log = new WorkloadLog(context, viewer, options, pods);
  void log.run();
  return log.merged;
}

class WorkloadLog {
  readonly merged: MergedLog;
  readonly #logs: Context['gate']['logs'];
  readonly #viewer: Viewer;
  readonly #options: WorkloadLogOptions;
  readonly #updates: AsyncIterableIterator<Update>;
  readonly #pods = new Map<string, KubernetesObject>();
  /** The runs of containers that are or were followed: none is read twice. */
  readonly #followed = new Map<string, number>();
  readonly #opening = new Set<string>();

  constructor(
    { gate, clock }: Pick<Context, 'gate' | 'clock'>,
    viewer: Viewer,
    options: WorkloadLogOptions,
    updates: AsyncIterableIterator<Update>,
  ) {
    this.#logs = gate.logs;
    this.#viewer = viewer;
    this.#options = options;
    this.#updates = updates;
    this.merged = new MergedLog(
      () => void this.#look(WHOLE),
      () => void updates.return?.(),
      clock,
    );
  }

  async run(): Promise<void> {
    let tail = this.#options.wish.tailLines;
    try {
      for await (const { type, upserted, removed } of this.#updates) {
        if (type === 'SNAPSHOT') this.#pods.clear();
        for (const uid of removed) this.#pods.delete(uid);
        for (const pod of upserted) this.#pods.set(pod.metadata.uid, pod);
        await this.#look(tail);
        if (tail !== WHOLE) this.merged.changed();
        tail = WHOLE;
      }
    } catch (error) {
      this.merged.fail(error as ApiError);
    }
  }

  /** Follows what runs or has run and is not followed yet. */
  async #look(tailLines: number): Promise<void> {
    const wanted = [...this.#pods.values()].flatMap((pod) => this.#containersOf(pod));
    const due = wanted.filter(({ key, run }) => {
      const isBusy = this.merged.has(key) || this.#opening.has(key);
      return !isBusy && (this.#followed.get(key) ?? -1) < run;
    });
    const room = Math.max(0, MAX_CONTAINERS - this.merged.size - this.#opening.size);
    this.merged.notice(
      due.length > room ? `Only ${MAX_CONTAINERS} of ${wanted.length} containers are followed.` : undefined,
    );
    await Promise.all(due.slice(0, room).map((each) => this.#open(each, tailLines)));
  }

  async #open({ key, pod, container, run }: Wanted, tailLines: number): Promise<void> {
    const { agentId, namespace, wish } = this.#options;
    this.#opening.add(key);
    const releases: (() => void)[] = [];
    const release = () => {
      for (const each of releases) each();
    };
    try {
      const target = { agentId, namespace, pod, container };
      const view = await this.#logs.join(this.#viewer, target, { ...wish, tailLines }, { releases, release });
      this.#followed.set(key, run);
      this.merged.add(key, { pod, container }, view);
    } catch (error) {
      release();
      this.#failed(error as ApiError, key, run);
    } finally {
      this.#opening.delete(key);
    }
  }

  /** A pod may be gone before its log is opened. That is no failure of the others'. */
  #failed(error: ApiError, key: string, run: number): void {
    if (error.code !== 'NOT_FOUND') {
      this.merged.fail(error);
      return;
    }
    this.#followed.set(key, run);
    this.merged.missed(error.message);
  }

  #containersOf(pod: KubernetesObject): Wanted[] {
    const { name, uid } = pod.metadata;
    return podContainers(pod)
      .filter((each) => hasRun(each) && (this.#options.container ?? each.name) === each.name)
      .map((each) => ({ key: `${uid}/${each.name}`, pod: name, container: each.name, run: each.restarts }));
  }
}

interface Wanted {
  readonly key: string;
  readonly pod: string;
  readonly container: string;
  /** Counts the restarts of a container. */
  readonly run: number;
}

function hasRun({ state, restarts }: PodContainer): boolean {
  return state === 'RUNNING' || state === 'TERMINATED' || restarts > 0;
}
