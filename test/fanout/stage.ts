import { parse, validateSubscriptionArgs } from 'graphql';
import type { ValidatedSubscriptionArgs } from 'graphql';
import { systemClock } from '../../src/clock.ts';
import { Counters } from '../../src/counters.ts';
import { PODS } from '../../src/kubernetes/resources.ts';
import { Feed } from '../../src/pubsub/feed.ts';
import { LiveUpdates, type LiveOptions } from '../../src/pubsub/live-updates.ts';
import { schema } from '../../src/schema/index.ts';
import { FanOut } from '../../src/transport/fanout/fan-out.ts';
import type { Frame } from '../../src/transport/fanout/frame.ts';
import type { Outlet } from '../../src/transport/fanout/outlet.ts';
import { podOf } from './pod.ts';

/** Subscribers of a feed of pods without any transport: each writes down the frames that it gets. */

export const DOCUMENT = parse(`subscription ($resume: String, $maxRate: Float) {
  k8sPods(agentId: "1", namespace: "shop", resume: $resume, maxRate: $maxRate) {
    type cursor total removed upserted { id metadata { name labels } }
  }
}`);

/** A message as `DOCUMENT` asks for it. */
interface Shown {
  readonly type: 'SNAPSHOT' | 'CHANGES';
  readonly total: number;
  readonly removed: readonly string[];
  readonly upserted: readonly {
    readonly id: string;
    readonly metadata: { readonly labels: { readonly version: string } };
  }[];
}

/** Takes everything, unless it is told to be slow. */
export class Recorder implements Outlet {
  readonly frames: Frame[] = [];
  readonly transport = 'websocket';
  readonly deflates = false;
  free = true;
  onWrite: () => void = () => {};
  readonly #listeners = new Set<() => void>();

  write(frame: Frame): void {
    if (!this.free) throw new Error('written to a socket that was not free');
    this.frames.push(frame);
    this.onWrite();
  }

  onFree(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  release(): void {
    this.free = true;
    for (const listener of this.#listeners) listener();
  }

  get updates() {
    return this.frames.map((frame) => {
      const [, text] = /^event: next\ndata: (.*)\n\n$/s.exec(frame.event.toString()) ?? [];
      return (JSON.parse(text ?? '') as { data: { k8sPods: Shown } }).data.k8sPods;
    });
  }
}

export class Stage {
  readonly feed = new Feed({ agentId: '1', namespace: 'shop', resource: PODS }, systemClock);
  refused = 0;
  released = 0;
  readonly counters = new Counters();
  readonly fanOut = new FanOut({
    counters: this.counters,
    sharedContext: {},
    mask: (thrown) => ({ message: String(thrown) }),
    onTooManyShapes: () => (this.refused += 1),
  });

  constructor(pods: number) {
    this.feed.replace(
      Array.from({ length: pods }, (_, index) => podOf(index, 1)),
      '1',
      'kept',
    );
  }

  args(document = DOCUMENT, variableValues: Record<string, unknown> = {}): ValidatedSubscriptionArgs {
    const args = validateSubscriptionArgs({ schema, document, variableValues });
    if (!('schema' in args)) throw args[0] ?? new Error('invalid');
    return args;
  }

  join(options: LiveOptions = {}, args = this.args(), of: 'set' | 'object' = 'set') {
    const live = new LiveUpdates(this.feed, systemClock, options, () => (this.released += 1));
    const outlet = new Recorder();
    return { live, outlet, life: this.fanOut.join(args, live, of, outlet) };
  }
}
