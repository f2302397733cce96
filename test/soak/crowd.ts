import { Dice } from '../../demo/cluster/dice.ts';
import { DOCUMENTS, type DocumentName } from './documents.ts';
import type { LiveSet } from './live-set.ts';
import { ask } from './transports.ts';
import { Viewer, type Look } from './viewer.ts';

export interface Habitat {
  /** The replicas, in turn. */
  readonly urls: readonly string[];
  readonly namespaces: readonly string[];
  readonly tokens: readonly string[];
  readonly seed: number;
}

type Habit = 'quick' | 'slow' | 'stuck';

/** What people do, by how often. */
const MANNERS: readonly {
  readonly weight: number;
  readonly document: Exclude<DocumentName, 'query'>;
  readonly transport: Look['transport'];
  readonly habit: Habit;
  readonly everywhere?: boolean;
  readonly maxRate?: number;
}[] = [
  { weight: 30, document: 'small', transport: 'websocket', habit: 'quick' },
  { weight: 15, document: 'small', transport: 'events', habit: 'quick' },
  { weight: 10, document: 'small', transport: 'websocket', habit: 'quick', maxRate: 2 },
  { weight: 10, document: 'list', transport: 'websocket', habit: 'slow', everywhere: true },
  { weight: 10, document: 'list', transport: 'events', habit: 'slow', everywhere: true },
  { weight: 5, document: 'list', transport: 'websocket', habit: 'stuck', everywhere: true },
  { weight: 10, document: 'connection', transport: 'websocket', habit: 'quick' },
  { weight: 10, document: 'logs', transport: 'websocket', habit: 'quick' },
];

const STAY_MS = { least: 500, most: 30_000 };
const STALL_MS = { least: 1_000, most: 5_000 };
const QUERY_SHARE = 0.1;
const RETURN_SHARE = 0.4;

/** Many viewers in one process, and what became of them. */
export class Crowd {
  readonly #habitat: Habitat;
  readonly #dice: Dice;
  readonly #viewers = new Set<Viewer>();
  readonly #timers = new Map<Viewer, Set<NodeJS.Timeout>>();
  readonly #breaches: string[] = [];
  readonly #endings = new Map<string, number>();
  #joining: NodeJS.Timeout | undefined;
  #isHolding = false;
  #left: { readonly look: Look; readonly set: LiveSet } | undefined;
  #joined = 0;
  #returned = 0;
  #queries = 0;
  #messages = 0;

  constructor(habitat: Habitat) {
    this.#habitat = habitat;
    this.#dice = new Dice(habitat.seed);
  }

  /** Viewers come, about so many a second, and each leaves when it has seen enough. */
  live(joinsPerSecond: number): void {
    this.#joining = setInterval(() => {
      if (!this.#isHolding) this.#arrive();
    }, 1_000 / joinsPerSecond);
  }

  /** For a while nobody comes, nobody goes, and everybody reads. */
  hold(isHolding: boolean): void {
    this.#isHolding = isHolding;
    if (isHolding) for (const viewer of this.#viewers) viewer.read();
  }

  /** So many who follow the pods of one namespace, spread evenly. Resolves when each has its first message. */
  async join(count: number, transport: Look['transport']): Promise<void> {
    const { namespaces } = this.#habitat;
    const viewers = Array.from({ length: count }, () => {
      const namespace = namespaces[this.#joined % namespaces.length];
      return this.#add({ ...this.#someone(), namespace, document: 'small', transport, maxRate: undefined });
    });
    await Promise.all(viewers.map(({ first }) => first));
  }

  leaveAll(): void {
    clearInterval(this.#joining);
    for (const viewer of this.#viewers) this.#leave(viewer);
    this.#left = undefined;
  }

  /** Those whose set is not the cluster's, whose connection still stands. '' is all namespaces. */
  different(truth: Readonly<Record<string, Readonly<Record<string, string>>>>): string[] {
    return [...this.#viewers]
      .filter(({ followsSet, ended }) => followsSet && ended === undefined)
      .filter(({ look, set }) => !set.equals(truth[look.namespace ?? ''] ?? {}))
      .map(
        ({ look, set }) =>
          `${look.document} over ${look.transport} of ${look.namespace ?? 'all'}: ${set.updates} updates`,
      );
  }

  get account() {
    for (const viewer of this.#viewers) this.#note(viewer);
    return {
      viewers: this.#viewers.size,
      joined: this.#joined,
      returned: this.#returned,
      queries: this.#queries,
      messages: this.#messages + [...this.#viewers].reduce((sum, { messages }) => sum + messages, 0),
      breaches: this.#breaches,
      endings: Object.fromEntries(this.#endings),
    };
  }

  #arrive(): void {
    if (this.#dice.chance(QUERY_SHARE)) void this.#query();
    const before = this.#left;
    if (before !== undefined && this.#dice.chance(RETURN_SHARE)) {
      this.#left = undefined;
      this.#returned += 1;
      const { url } = this.#someone();
      this.#stay(this.#add({ ...before.look, url }, before.set), 'quick');
      return;
    }
    const { document, transport, habit, everywhere, maxRate } = this.#manner();
    const namespace = everywhere === true ? undefined : this.#dice.pick(this.#habitat.namespaces);
    this.#stay(this.#add({ ...this.#someone(), document, transport, namespace, maxRate }), habit);
  }

  #manner() {
    const total = MANNERS.reduce((sum, { weight }) => sum + weight, 0);
    let left = this.#dice.next() * total;
    for (const manner of MANNERS) {
      left -= manner.weight;
      if (left < 0) return manner;
    }
    throw new Error('the weights do not add up');
  }

  #someone(): Pick<Look, 'url' | 'token'> {
    const url = this.#dice.pick(this.#habitat.urls);
    const token = this.#dice.pick(this.#habitat.tokens);
    if (url === undefined || token === undefined) throw new Error('there is no server, or nobody');
    return { url, token };
  }

  #add(look: Look, before?: LiveSet): Viewer {
    const viewer = new Viewer(look, before);
    this.#joined += 1;
    this.#viewers.add(viewer);
    return viewer;
  }

  #stay(viewer: Viewer, habit: Habit): void {
    const timers = new Set<NodeJS.Timeout>();
    this.#timers.set(viewer, timers);
    const after = (range: { least: number; most: number }, task: () => void) => {
      const timer = setTimeout(
        () => {
          timers.delete(timer);
          task();
        },
        this.#dice.between(range.least, range.most),
      );
      timers.add(timer);
    };
    const leave = () => {
      if (this.#isHolding) after(STALL_MS, leave);
      else this.#leave(viewer);
    };
    const stall = () => {
      if (!this.#isHolding) viewer.stall();
      if (habit === 'slow') after(STALL_MS, read);
    };
    const read = () => {
      viewer.read();
      after(STALL_MS, stall);
    };
    after(STAY_MS, leave);
    if (habit !== 'quick') void viewer.first.then(stall);
  }

  #leave(viewer: Viewer): void {
    for (const timer of this.#timers.get(viewer) ?? []) clearTimeout(timer);
    this.#timers.delete(viewer);
    this.#note(viewer);
    this.#messages += viewer.messages;
    this.#viewers.delete(viewer);
    viewer.leave();
    if (viewer.followsSet && viewer.set.cursor !== undefined) this.#left = { look: viewer.look, set: viewer.set };
  }

  /** Takes over what the viewer has found. */
  #note(viewer: Viewer): void {
    this.#breaches.push(...viewer.set.breaches.splice(0));
    if (viewer.ended === undefined) return;
    const why = `${viewer.look.document}: ${viewer.ended.slice(0, 100)}`;
    this.#endings.set(why, (this.#endings.get(why) ?? 0) + 1);
    viewer.ended = undefined;
  }

  async #query(): Promise<void> {
    const namespace = this.#dice.pick(this.#habitat.namespaces);
    this.#queries += 1;
    const errors = await ask({ ...this.#someone(), query: DOCUMENTS.query, variables: { agentId: '1', namespace } });
    if (errors !== undefined) this.#endings.set('query', (this.#endings.get('query') ?? 0) + 1);
  }
}
