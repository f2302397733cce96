import type { ApiObject } from '../apiserver/object.ts';
import { containersOf, podStatus, terminated, type Container } from './pod-status.ts';
import type { World } from './world.ts';

/** What goes wrong with a pod's first container; written into a pod template as an annotation. */
export const TROUBLE = 'demo.kascade/trouble';
export type Trouble = 'crash' | 'image' | 'out-of-memory' | 'init-crash';

const NODES = ['node-a', 'node-b', 'node-c'];

/** One pod's life on its node: scheduled, created, initialized, running, ready, and whatever goes wrong. */
export class PodRun {
  readonly #world: World;
  readonly #namespace: string;
  readonly #name: string;
  readonly #uid: string;
  readonly #containers: Container[];
  readonly #initContainers: Container[];
  readonly #ip: string;
  /** How many failures until the trouble is over. */
  #failuresLeft = 0;
  #phase = 'Pending';
  #reason: string | undefined;
  #message: string | undefined;
  #startTime: string | undefined;
  #isScheduled = false;
  #stopped = false;

  constructor(world: World, pod: ApiObject) {
    this.#world = world;
    this.#namespace = pod.metadata.namespace ?? '';
    this.#name = pod.metadata.name;
    this.#uid = pod.metadata.uid;
    this.#containers = containersOf(pod, 'containers');
    this.#initContainers = containersOf(pod, 'initContainers');
    this.#ip = `10.244.${world.dice.between(0, 3)}.${world.dice.between(2, 250)}`;
  }

  start(): void {
    this.#publish();
    this.#later(this.#world.dice.between(300, 900), () => this.#schedule());
  }

  stop(): void {
    this.#stopped = true;
  }

  /** The first container fails now, and so often again before it heals. */
  fail(trouble: 'crash' | 'out-of-memory', times: number): void {
    const [container] = this.#containers;
    if (!container || !('running' in container.state)) return;
    this.#failuresLeft = times;
    this.#crash(container, trouble);
  }

  /** The node is short of something and throws the pod out. */
  evict(): void {
    this.#phase = 'Failed';
    this.#reason = 'Evicted';
    this.#message = 'The node was low on resource: memory. Threshold quantity: 100Mi, available: 84Mi.';
    // The kubelet reports no containers of a pod it has evicted.
    this.#containers.length = 0;
    const pod = this.#pod();
    if (pod) this.#world.events.warning(pod, 'Evicted', this.#message);
    this.#publish();
    this.stop();
  }

  #schedule(): void {
    const node = this.#world.dice.pick(NODES) ?? 'node-a';
    this.#isScheduled = true;
    this.#startTime = this.#now();
    this.#world.store.patch('pods', this.#namespace, this.#name, { spec: { nodeName: node } });
    this.#say('Scheduled', `Successfully assigned ${this.#namespace}/${this.#name} to ${node}`, 'default-scheduler');
    this.#publish();
    this.#later(this.#world.dice.between(500, 1_500), () => this.#pull());
  }

  #pull(): void {
    const [first] = this.#containers;
    if (this.#trouble() === 'image' && first) {
      this.#failuresLeft = this.#world.dice.between(4, 8);
      this.#failPull(first);
      return;
    }
    this.#say('Pulled', `Container image "${first?.image ?? ''}" already present on machine`);
    this.#initialize(0);
  }

  #failPull(container: Container): void {
    const message = `Back-off pulling image "${container.image}": manifest unknown`;
    const wasBackOff = JSON.stringify(container.state).includes('ImagePullBackOff');
    container.state = { waiting: { reason: wasBackOff ? 'ErrImagePull' : 'ImagePullBackOff', message } };
    this.#warn('Failed', `Failed to pull image "${container.image}": not found`);
    this.#publish();
    this.#failuresLeft -= 1;
    const next = this.#failuresLeft > 0 ? () => this.#failPull(container) : () => this.#initialize(0);
    this.#later(8_000, next);
  }

  /** Init containers one after the other; a sidecar stays, the others must finish. */
  #initialize(index: number): void {
    const container = this.#initContainers[index];
    if (!container) {
      this.#run();
      return;
    }
    container.state = { running: { startedAt: this.#now() } };
    container.ready = container.isSidecar;
    this.#publish();
    this.#log(container, `${container.name}: started`);
    this.#later(this.#world.dice.between(1_000, 2_500), () => {
      if (!container.isSidecar && !this.#finishInit(container)) {
        this.#later(6_000, () => this.#initialize(index));
        return;
      }
      this.#initialize(index + 1);
    });
  }

  #finishInit(container: Container): boolean {
    const fails = this.#trouble() === 'init-crash' && container.restarts < 4;
    const now = this.#now();
    container.ready = !fails;
    container.state = terminated(fails ? 'Error' : 'Completed', fails ? 1 : 0, now, now);
    if (fails) {
      container.restarts += 1;
      container.lastState = container.state;
      container.state = {
        waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s restarting failed container' },
      };
      this.#warn('BackOff', `Back-off restarting failed container ${container.name}`);
    }
    this.#publish();
    return !fails;
  }

  #run(): void {
    this.#phase = 'Running';
    const trouble = this.#trouble();
    if (trouble === 'crash' || trouble === 'out-of-memory') this.#failuresLeft = this.#world.dice.between(3, 5);
    for (const container of this.#containers) this.#startContainer(container);
  }

  #startContainer(container: Container): void {
    container.state = { running: { startedAt: this.#now() } };
    container.ready = false;
    this.#say('Started', `Started container ${container.name}`);
    this.#log(container, 'level=info msg="listening on :8080"');
    this.#publish();
    const [first] = this.#containers;
    if (this.#failuresLeft > 0 && container === first) {
      const trouble = this.#trouble() === 'out-of-memory' ? 'out-of-memory' : 'crash';
      this.#later(this.#world.dice.between(2_000, 4_000), () => this.#crash(container, trouble));
      return;
    }
    this.#later(this.#world.dice.between(1_500, 3_500), () => this.#becomeReady(container));
  }

  #becomeReady(container: Container): void {
    if (!('running' in container.state)) return;
    container.ready = true;
    this.#publish();
    if (this.#pod()?.spec?.['restartPolicy'] === 'Never')
      this.#later(this.#world.dice.between(3_000, 6_000), () => this.#complete());
  }

  /** A job's pod has done its work. */
  #complete(): void {
    const now = this.#now();
    this.#phase = 'Succeeded';
    for (const container of this.#containers) {
      container.state = terminated('Completed', 0, this.#startTime ?? now, now);
      container.ready = false;
    }
    this.#publish();
    this.stop();
  }

  #crash(container: Container, trouble: 'crash' | 'out-of-memory'): void {
    const now = this.#now();
    this.#failuresLeft -= 1;
    this.#log(container, 'level=error msg="panic: connection refused" db=postgres:5432');
    container.ready = false;
    container.state = trouble === 'crash' ? terminated('Error', 1, now, now) : terminated('OOMKilled', 137, now, now);
    this.#publish();
    this.#later(1_000, () => this.#backOff(container));
  }

  #backOff(container: Container): void {
    const delay = Math.min(10_000 * 2 ** container.restarts, 40_000);
    container.lastState = container.state;
    container.restarts += 1;
    const message = `back-off ${delay / 1000}s restarting failed container=${container.name} pod=${this.#name}`;
    container.state = { waiting: { reason: 'CrashLoopBackOff', message } };
    this.#warn('BackOff', `Back-off restarting failed container ${container.name} in pod ${this.#name}`);
    this.#world.logs.restart(this.#namespace, this.#name, container.name);
    this.#publish();
    this.#later(delay, () => this.#startContainer(container));
  }

  #trouble(): string | undefined {
    return this.#pod()?.metadata.annotations?.[TROUBLE];
  }

  #publish(): void {
    const pod = this.#pod();
    if (!pod || this.#stopped) return;
    const status = podStatus(
      pod,
      {
        phase: this.#phase,
        reason: this.#reason,
        message: this.#message,
        isScheduled: this.#isScheduled,
        ip: this.#ip,
        startTime: this.#startTime,
        containers: this.#containers,
        initContainers: this.#initContainers,
      },
      this.#now(),
    );
    this.#world.store.patch('pods', this.#namespace, this.#name, { status });
  }

  #pod(): ApiObject | undefined {
    const pod = this.#world.store.get('pods', this.#namespace, this.#name);
    return pod?.metadata.uid === this.#uid ? pod : undefined;
  }

  #later(milliseconds: number, task: () => void): void {
    this.#world.pace.after(milliseconds, () => {
      const isLeaving = this.#pod()?.metadata.deletionTimestamp !== undefined;
      if (!this.#stopped && this.#pod() && !isLeaving) task();
    });
  }

  #say(reason: string, message: string, component?: string): void {
    const pod = this.#pod();
    if (pod) this.#world.events.normal(pod, reason, message, component);
  }

  #warn(reason: string, message: string): void {
    const pod = this.#pod();
    if (pod) this.#world.events.warning(pod, reason, message);
  }

  #log(container: Container, text: string): void {
    this.#world.logs.append(this.#namespace, this.#name, container.name, text);
  }

  #now(): string {
    return this.#world.store.timestamp();
  }
}
