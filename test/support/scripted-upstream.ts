import type { Clock } from '../../src/clock.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { UpstreamError, type UpstreamFailure } from '../../src/sources/upstream-error.ts';
import type {
  ListPage,
  ListRequest,
  Upstream,
  WatchEvent,
  WatchHandle,
  WatchListener,
  WatchRequest,
} from '../../src/sources/upstream.ts';

export type Asked =
  | ({ readonly kind: 'list'; readonly at: number } & ListRequest)
  | ({ readonly kind: 'watch'; readonly at: number } & WatchRequest);

export type ListAnswer = ListPage | UpstreamError | 'never';

/** A list's answer in one page, or one page of several. */
export function page(
  resourceVersion: string | number,
  items: readonly KubernetesObject[] = [],
  continueToken?: string,
): ListPage {
  return { items, resourceVersion: String(resourceVersion), continueToken };
}

/** An upstream that answers as the test says, and writes down what it was asked, and when. */
export class ScriptedUpstream implements Upstream {
  readonly asked: Asked[] = [];
  readonly watches: ScriptedWatch[] = [];
  /** Answers to the lists to come; the last one is given again and again. */
  readonly lists: ListAnswer[];
  /** What happens to the watches to come; those beyond the end are left to the test. */
  readonly script: ((watch: ScriptedWatch) => void)[] = [];
  hasAnother = false;
  readonly #clock: Clock;

  constructor(clock: Clock, ...lists: ListAnswer[]) {
    this.#clock = clock;
    this.lists = lists;
  }

  hasAnotherIdentity(): boolean {
    return this.hasAnother;
  }

  async list(request: ListRequest, signal: AbortSignal): Promise<ListPage> {
    this.asked.push({ kind: 'list', at: this.#clock.monotonic(), ...request });
    const answer = this.lists.length > 1 ? this.lists.shift() : this.lists[0];
    if (answer === undefined || answer === 'never') return untilAborted(signal);
    await Promise.resolve();
    signal.throwIfAborted();
    if (answer instanceof UpstreamError) throw answer;
    return answer;
  }

  watch(request: WatchRequest, listener: WatchListener): WatchHandle {
    this.asked.push({ kind: 'watch', at: this.#clock.monotonic(), ...request });
    const watch = new ScriptedWatch(request, listener);
    this.watches.push(watch);
    const act = this.script.shift();
    if (act !== undefined) queueMicrotask(() => act(watch));
    return watch;
  }

  /** The newest watch. */
  get newest(): ScriptedWatch {
    const watch = this.watches.at(-1);
    if (watch === undefined) throw new Error('Nothing was watched yet.');
    return watch;
  }

  /** Watches that neither side has ended. */
  get live(): ScriptedWatch[] {
    return this.watches.filter(({ state }) => state === 'asked' || state === 'open');
  }

  /** What was asked, in short: `list`, `list>=5`, `list limit=500`, `watch 5`, each with its time. */
  get story(): string[] {
    return this.asked.map((asked) => `${inShort(asked)} @${asked.at}`);
  }

  /** The same without the times. */
  get steps(): string[] {
    return this.asked.map(inShort);
  }
}

export class ScriptedWatch implements WatchHandle {
  readonly request: WatchRequest;
  state: 'asked' | 'open' | 'ended' | 'closed' = 'asked';
  readonly #listener: WatchListener;

  constructor(request: WatchRequest, listener: WatchListener) {
    this.request = request;
    this.#listener = listener;
  }

  close(): void {
    if (this.state !== 'ended') this.state = 'closed';
  }

  open(): this {
    if (this.state !== 'asked') return this;
    this.state = 'open';
    this.#listener.opened('HTTP_STREAM');
    return this;
  }

  event(...events: readonly WatchEvent[]): this {
    for (const event of events) if (this.state === 'open') this.#listener.event(event);
    return this;
  }

  bookmark(resourceVersion: string | number): this {
    return this.event({ type: 'BOOKMARK', resourceVersion: String(resourceVersion) });
  }

  /** Ends it as the server would: cleanly, or with an error. */
  end(error?: UpstreamError): void {
    if (this.state === 'closed' || this.state === 'ended') return;
    this.state = 'ended';
    this.#listener.ended(error === undefined ? { kind: 'clean' } : { kind: 'failed', error });
  }
}

export const added = (object: KubernetesObject): WatchEvent => ({ type: 'ADDED', object });
export const modified = (object: KubernetesObject): WatchEvent => ({ type: 'MODIFIED', object });
export const deleted = (object: KubernetesObject): WatchEvent => ({ type: 'DELETED', object });

function inShort(asked: Asked): string {
  if (asked.kind === 'watch') return `watch ${asked.resourceVersion}`;
  const least = asked.notOlderThan === undefined ? '' : `>=${asked.notOlderThan}`;
  const limit = asked.limit === undefined ? '' : ` limit=${asked.limit}`;
  const token = asked.continueToken === undefined ? '' : ` continue=${asked.continueToken}`;
  return `list${least}${limit}${token}`;
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

/** An upstream error of a kind, with the server's own wish for a pause if it has one. */
export function failure(kind: UpstreamFailure, retryAfterMs?: number): UpstreamError {
  return new UpstreamError(kind, `It was ${kind}.`, { retryAfterMs });
}
