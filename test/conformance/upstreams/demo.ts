import { forbidden } from '../../../demo/apiserver/effects.ts';
import type { JsonObject } from '../../../demo/apiserver/json.ts';
import type { NewObject } from '../../../demo/apiserver/object.ts';
import { grant, revoke } from '../../../demo/apiserver/objects.ts';
import type { Agent } from '../../../demo/kas/index.ts';
import { Bench, type BenchOptions } from '../../support/bench.ts';
import { pause } from '../../support/eventually.ts';
import { versionsOf } from '../../support/recorded-view.ts';
import { Trial } from './trial.ts';
import { withoutStatus, type TestCluster, type Upstream } from './upstream.ts';

export const demo: Upstream = {
  name: 'the demo',
  async start(options?: BenchOptions): Promise<Trial> {
    const bench = await Bench.start(options);
    return new Trial(bench, new DemoCluster(bench.kas.agent(1)));
  },
  async close() {},
};

/** Longer than the word of a cluster that it is ready holds. */
const DOWN_MS = 2_200;
const STARTING_MS = 300;

class DemoCluster implements TestCluster {
  readonly #agent: Agent;

  constructor(agent: Agent) {
    this.#agent = agent;
  }

  get #store() {
    return this.#agent.api.store;
  }

  async create(object: NewObject) {
    return this.#store.create(object);
  }

  async createAll(objects: readonly NewObject[]) {
    for (const object of objects) this.#store.create(withoutStatus(object));
  }

  async patch(resource: string, namespace: string, name: string, change: JsonObject) {
    return this.#store.patch(resource, namespace, name, change);
  }

  async delete(resource: string, namespace: string, name: string) {
    return this.#store.delete(resource, namespace, name).metadata.uid;
  }

  async versions(resource: string, namespace: string) {
    return versionsOf(this.#store.list(resource, namespace));
  }

  async grant(user: string, namespace: string, verbs: readonly string[], resources: readonly string[]) {
    grant(this.#store, user, namespace, verbs, resources);
  }

  async revoke(user: string) {
    revoke(this.#store, user);
  }

  async forgetHistory() {
    this.#store.compact();
    this.#agent.cutStreams();
  }

  async compact() {
    this.#store.compact();
  }

  /** As a real one: it forbids everything until it has read who may do what, and is not ready for a while longer. */
  async restart() {
    const { faults } = this.#agent.api;
    this.#agent.disconnect();
    this.#store.compact();
    await pause(DOWN_MS);
    const everything = faults.add({ match: {}, effect: forbidden });
    const readiness = faults.add({ match: { verb: 'get', resource: '' }, effect: forbidden });
    this.#agent.connect();
    await pause(STARTING_MS);
    everything.remove();
    await pause(STARTING_MS);
    readiness.remove();
  }

  async backUp() {
    const { revision } = this.#store;
    return async () => this.#store.rewind(revision);
  }
}
