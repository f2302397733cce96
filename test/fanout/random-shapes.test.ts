import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { makePod } from '../../demo/apiserver/objects.ts';
import { eventually, pause } from '../support/eventually.ts';
import { WholeServer } from '../support/whole-server.ts';
import { LiveClient, type JoinOptions, type Shape } from './live-client.ts';
import { ALIASED, TWICE, WHOLE, filtered, included } from './shapes.ts';

/**
 * Clients of many shapes join, stall, read on, leave and come back with their cursors, over sockets (compressed or
 * not) and event streams, some with a maxRate, while pods change at random. Whenever that stops, every client's set is
 * the cluster's, and nobody has seen what must not be.
 */

const NAMES = ['a', 'b', 'c', 'd', 'e'];
const SHAPES = [WHOLE, ALIASED, TWICE, filtered('odd=yes'), filtered('odd!=yes'), included(true), included(false)];
const TRANSPORTS = ['ws', 'deflated', 'sse'] as const;

type Move =
  | { readonly do: 'change'; readonly name: string; readonly odd: boolean; readonly long: boolean }
  | { readonly do: 'delete'; readonly name: string }
  | { readonly do: 'join'; readonly shape: number; readonly transport: number; readonly maxRate: number | undefined }
  | { readonly do: 'leave' | 'come back' | 'stall' | 'read'; readonly who: number }
  | { readonly do: 'pause'; readonly ms: number };

const who = fc.nat(20);
const name = fc.constantFrom(...NAMES);
const moves: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('change' as const), name, odd: fc.boolean(), long: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), name }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('join' as const),
      shape: fc.nat(SHAPES.length - 1),
      transport: fc.nat(2),
      maxRate: fc.option(fc.constantFrom(5, 50), { nil: undefined }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('leave' as const, 'come back' as const, 'stall' as const, 'read' as const),
      who,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pause' as const), ms: fc.nat(30) }) },
);

class Run {
  readonly #whole: WholeServer;
  readonly #namespace: string;
  readonly #clients: LiveClient[] = [];
  readonly #gone: LiveClient[] = [];

  constructor(whole: WholeServer, namespace: string) {
    this.#whole = whole;
    this.#namespace = namespace;
  }

  async take(move: Move): Promise<void> {
    const { store } = this.#whole;
    const namespace = this.#namespace;
    switch (move.do) {
      case 'change': {
        const labels = { odd: move.odd ? 'yes' : 'no', at: store.revision };
        const annotations = { text: move.long ? 'x'.repeat(50_000) : 'short' };
        if (store.get('pods', namespace, move.name)) {
          store.patch('pods', namespace, move.name, { metadata: { labels, annotations } });
        } else store.create(makePod({ name: move.name, namespace, labels, annotations }));
        return;
      }
      case 'delete':
        if (store.get('pods', namespace, move.name)) store.delete('pods', namespace, move.name);
        return;
      case 'join': {
        const shape = SHAPES[move.shape] ?? WHOLE;
        const transport = TRANSPORTS[move.transport] ?? 'ws';
        await this.#join(
          { ...shape, variables: { ...shape.variables, namespace } },
          { transport, maxRate: move.maxRate },
        );
        return;
      }
      case 'pause':
        await pause(move.ms);
        return;
      default:
        await this.#tell(move.do, move.who);
    }
  }

  /** What must not have been. */
  async check(): Promise<unknown[]> {
    for (const client of this.#clients) client.read();
    for (const client of this.#clients) {
      await eventually(
        'a client equals the cluster',
        () => this.#isRight(client),
        5_000,
        () => ({
          query: client.shape.query,
          variables: client.shape.variables,
          transport: client.options.transport,
          set: [...client.set],
          messages: client.messages.slice(-3),
          errors: client.errors,
        }),
      );
    }
    return [...this.#clients, ...this.#gone].flatMap(({ breaches, errors }) => [...breaches, ...errors]);
  }

  end(): void {
    for (const client of this.#clients) client.leave();
  }

  async #join(shape: Shape, options: JoinOptions): Promise<void> {
    this.#clients.push(await LiveClient.join(this.#whole, shape, options));
  }

  async #tell(what: 'leave' | 'come back' | 'stall' | 'read', index: number): Promise<void> {
    const client = this.#clients[index % Math.max(1, this.#clients.length)];
    if (client === undefined) return;
    if (what === 'stall' || what === 'read') {
      client[what]();
      return;
    }
    client.leave();
    this.#clients.splice(this.#clients.indexOf(client), 1);
    this.#gone.push(client);
    if (what === 'come back') {
      await this.#join(client.shape, { ...client.options, resume: client.cursor, before: client });
    }
  }

  #isRight({ set, shape, messages }: LiveClient): boolean {
    const selector = (shape.variables?.['filter'] as { labelSelector: string } | undefined)?.labelSelector;
    const truth = this.#whole.store.list('pods', this.#namespace).filter(({ metadata }) => {
      const odd = metadata.labels?.['odd'] === 'yes';
      return selector === undefined || odd === (selector === 'odd=yes');
    });
    return (
      messages.length > 0 &&
      truth.length === set.size &&
      truth.every(({ metadata: { uid, resourceVersion } }) => {
        return set.has(uid) && (set.get(uid) ?? resourceVersion) === resourceVersion;
      })
    );
  }
}

it('keeps every client of every shape equal to the cluster, whatever happens', { timeout: 120_000 }, async () => {
  const whole = await WholeServer.start({ MAX_SOCKETS_PER_VIEWER: '10000', LINGER_SECONDS: '0' });
  let namespaces = 0;
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(moves, { minLength: 10, maxLength: 120 }), async (all) => {
        namespaces += 1;
        const run = new Run(whole, `ns-${namespaces}`);
        try {
          for (const move of all) await run.take(move);
          expect(await run.check()).toEqual([]);
        } finally {
          run.end();
        }
      }),
      { numRuns: 60, interruptAfterTimeLimit: 40_000, markInterruptAsFailure: false },
    );
  } finally {
    await whole.stop();
  }
});
