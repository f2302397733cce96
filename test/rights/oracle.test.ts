import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { grant, makePod, revoke } from '../../demo/apiserver/objects.ts';
import { isAllowed } from '../../demo/apiserver/rbac.ts';
import type { AuditEntry } from '../../src/access/audit.ts';
import type { ApiError } from '../../src/errors.ts';
import type { Update } from '../../src/pubsub/updates.ts';
import { Bench, NAMESPACE } from '../support/bench.ts';
import { eventually, pause } from '../support/eventually.ts';
import { RecordedView } from '../support/recorded-view.ts';

/**
 * Two users of different rights on one feed. Rights are given and taken, views opened and closed, and pods changed at
 * random; the cluster's RBAC says who may see them. Whatever the order:
 * - nobody receives an update later than an answer may be used after the right was taken, each verb's by itself: the
 *   cluster is asked for both, and the answers need not be of one moment;
 * - nobody receives an update after their denial is known;
 * - whoever may see has, when it is quiet, exactly what the cluster has; whoever may not has no view;
 * - versions never go back and ids never return.
 */

const MOVES = 1_000;
const ALLOW_MS = 300;
const DENY_MS = 60;
/** The longest life of a permission, and time for the check and for a machine that is busy. */
const BOUND_MS = ALLOW_MS * 1.2 + 700;

/** What it takes to look. */
const VERBS = ['list', 'watch'];
const USERS = ['eve', 'kim'] as const;
type User = (typeof USERS)[number];
/** Not every right to pods is the right to look at them. */
const RIGHTS: readonly (readonly string[])[] = [['list', 'watch'], ['*'], ['list'], ['watch'], ['get', 'delete']];

type Move =
  | { readonly do: 'grant'; readonly user: User; readonly right: number; readonly everywhere: boolean }
  | { readonly do: 'revoke' | 'join' | 'leave'; readonly user: User }
  | { readonly do: 'pod' }
  | { readonly do: 'rest'; readonly ms: number };

const user = fc.constantFrom(...USERS);
const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('grant' as const),
      user,
      right: fc.nat(RIGHTS.length - 1),
      everywhere: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('revoke' as const), user }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constantFrom('join' as const, 'join' as const, 'leave' as const), user }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pod' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rest' as const), ms: fc.nat(60) }) },
);

/** Time as this process had it: what the machine gave to others does not count. */
class OwnTime {
  #elapsed = 0;
  #last = performance.now();
  readonly #timer = setInterval(() => {
    const now = performance.now();
    this.#elapsed += Math.min(now - this.#last, 15);
    this.#last = now;
  }, 5);

  now(): number {
    return this.#elapsed;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

interface TimedView {
  readonly user: User;
  readonly view: RecordedView;
}

it(`keeps two users apart through ${MOVES} random grants, revocations, joins and leaves`, async () => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
  console.log(`rights oracle: SEED=${seed}`);
  const [moves = []] = fc.sample(fc.array(move, { minLength: MOVES, maxLength: MOVES, size: 'max' }), {
    seed,
    numRuns: 1,
  });
  const run = await Run.start();
  try {
    for (const [index, each] of moves.entries()) {
      run.make(each, index);
      await pause(index % 2);
      if (index % 100 === 99) await run.quiet();
    }
    expect(run.problems()).toEqual([]);
    expect(run.revocations).toBeGreaterThan(5);
    expect(run.views.length).toBeGreaterThan(50);
  } finally {
    run.time.stop();
    await run.bench.close();
  }
}, 60_000);

class Run {
  readonly bench: Bench;
  readonly views: TimedView[] = [];
  readonly time = new OwnTime();
  revocations = 0;
  #changes = 0;
  readonly #problems: string[] = [];
  /** When each user had the right to each verb for the last time; now, while they still have. */
  readonly #lastAllowed = new Map<string, number>();
  readonly #joining = new Set<Promise<void>>();

  static async start(): Promise<Run> {
    const audit = (entry: AuditEntry) => run.heard(entry);
    const bench = await Bench.start({ allowMs: ALLOW_MS, denyMs: DENY_MS, lingerMs: 50, audit });
    const run = new Run(bench);
    for (const name of USERS) bench.kas.user(name);
    return run;
  }

  private constructor(bench: Bench) {
    this.bench = bench;
  }

  make(move: Move, index: number): void {
    const { store } = this.bench;
    this.#note();
    switch (move.do) {
      case 'grant':
        grant(store, move.user, move.everywhere ? '' : NAMESPACE, RIGHTS[move.right] ?? [], ['pods']);
        break;
      case 'revoke':
        revoke(store, move.user);
        break;
      case 'join':
        this.#join(move.user);
        break;
      case 'leave':
        void this.#open(move.user)[0]?.view.leave();
        break;
      case 'pod':
        this.#changePods(index);
        break;
      case 'rest':
        break;
      default:
        move satisfies never;
    }
    this.#note();
  }

  /** No more moves for a moment: everyone sees what they may, and nothing else. */
  async quiet(): Promise<void> {
    await Promise.all(this.#joining);
    const may = USERS.filter((name) => this.#may(name));
    const mayNot = USERS.filter((name) => !may.includes(name));
    // Pods go on changing for as long as somebody may still be sent what they may not see any more.
    const timer = setInterval(() => this.#changePods(this.#changes), 10);
    try {
      for (const name of mayNot) {
        await eventually(`${name} sees nothing`, () => this.#open(name).length === 0, BOUND_MS + 2_000);
        await this.#cannotJoin(name);
      }
    } finally {
      clearInterval(timer);
    }
    for (const name of may) {
      this.#note();
      for (const { view } of this.#open(name)) await this.bench.converged(view);
      await this.#canJoin(name);
    }
    this.#note();
  }

  problems(): string[] {
    return [...this.#problems, ...this.views.flatMap(({ view }) => view.breaches), ...this.bench.defects.map(String)];
  }

  /** A denial is known from here on. */
  heard({ event, viewer }: AuditEntry): void {
    if (event !== 'revoke') return;
    this.revocations += 1;
    const affected = this.views.filter(({ user }) => this.bench.viewer(user).id === viewer);
    const counts = affected.map(({ view }) => view.updates.length);
    setTimeout(() => {
      affected.forEach(({ user, view }, index) => {
        if (view.updates.length !== counts[index])
          this.#problems.push(`${user} was sent something after a known denial`);
      });
    }, 50);
  }

  #join(user: User): void {
    const joining = this.#subscribe(user);
    this.#joining.add(joining);
    void joining.finally(() => this.#joining.delete(joining));
  }

  async #subscribe(user: User): Promise<void> {
    try {
      const stream = await this.bench.gate.subscribe(this.bench.viewer(user), this.bench.key(), {});
      this.views.push({ user, view: new RecordedView(this.#timed(user, stream)) });
    } catch (error) {
      if ((error as ApiError).code !== 'FORBIDDEN') this.#problems.push(`${user} could not join: ${String(error)}`);
    }
  }

  /** Passes updates on, and holds each against the cluster's RBAC. */
  #timed(user: User, stream: AsyncIterableIterator<Update>): AsyncIterableIterator<Update> {
    const check = () => {
      this.#note();
      const late = this.time.now() - Math.min(...VERBS.map((verb) => this.#lastAllowedTo(user, verb)));
      if (late > BOUND_MS) this.#problems.push(`${user} was sent something ${late} ms after the right was taken`);
    };
    return {
      next: async () => {
        const step = await stream.next();
        if (step.done !== true) check();
        return step;
      },
      return: async () => (await stream.return?.()) ?? { done: true, value: undefined },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  #changePods(index: number): void {
    this.#note();
    this.#changes += 1;
    const { store } = this.bench;
    const [first] = store.list('pods', NAMESPACE);
    if (first !== undefined && index % 3 === 0) store.delete('pods', NAMESPACE, first.metadata.name);
    store.create(makePod({ name: `p-${this.#changes}`, namespace: NAMESPACE }));
  }

  async #canJoin(user: User): Promise<void> {
    await pause(DENY_MS + 20); // a denial of before may still be remembered
    const view = await this.bench.view({ viewer: this.bench.viewer(user) });
    await this.bench.converged(view);
    await view.leave();
  }

  async #cannotJoin(user: User): Promise<void> {
    await pause(ALLOW_MS * 1.2); // and so may a permission
    const attached = await this.bench.gate
      .attach(this.bench.viewer(user), this.bench.key())
      .catch((error: unknown) => error);
    if ((attached as Partial<ApiError>).code !== 'FORBIDDEN') this.#problems.push(`${user} was let in without a right`);
  }

  #open(user: User): TimedView[] {
    return this.views.filter((each) => each.user === user && each.view.error === undefined && !this.#hasLeft(each));
  }

  readonly #left = new WeakSet<RecordedView>();
  #hasLeft({ view }: TimedView): boolean {
    void view.ended.then(() => this.#left.add(view));
    return this.#left.has(view);
  }

  #note(): void {
    for (const name of USERS) {
      for (const verb of VERBS) if (this.#mayDo(name, verb)) this.#lastAllowed.set(`${name} ${verb}`, this.time.now());
    }
  }

  #lastAllowedTo(user: User, verb: string): number {
    return this.#lastAllowed.get(`${user} ${verb}`) ?? Number.NEGATIVE_INFINITY;
  }

  #may(name: User): boolean {
    return VERBS.every((verb) => this.#mayDo(name, verb));
  }

  #mayDo(name: User, verb: string): boolean {
    const cluster = { name: `gitlab:user:${name}`, groups: [] };
    const question = { group: '', resource: 'pods', subresource: '', namespace: NAMESPACE, name: '' };
    return isAllowed(this.bench.store, cluster, { ...question, verb });
  }
}
