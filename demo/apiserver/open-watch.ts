import type { Clock, Timer } from '../../src/clock.ts';
import type { Effect } from './effects.ts';
import type { Change } from './log.ts';
import type { ApiObject } from './object.ts';
import type { User } from './rbac.ts';
import type { ApiRequest } from './request.ts';
import { groupVersion, type ApiResource } from './resources.ts';
import type { Responder } from './responder.ts';
import type { Predicate } from './selectors.ts';
import { watchLine } from './serialize.ts';
import type { StatusBody } from './status.ts';

export interface WatchContext {
  readonly request: ApiRequest;
  readonly user: User;
  readonly resource: ApiResource;
  readonly effect: Effect;
  readonly selects: Predicate;
  readonly clock: Clock;
  readonly bookmarkPeriodMs: number;
  readonly slowWatcherBytes: number;
  /** The store's newest resourceVersion, for bookmarks. */
  readonly revision: () => string;
}

/** Lines kept for `replay`. */
const REMEMBERED = 1_000;

/** A watch that a client holds open, and what a test may do to it. */
export class OpenWatch {
  readonly request: ApiRequest;
  readonly user: string;
  /** Events sent so far; bookmarks are not counted. */
  events = 0;
  /** Bookmarks sent so far. */
  bookmarks = 0;
  readonly #context: WatchContext;
  readonly #out: Responder;
  readonly #sent: string[] = [];
  readonly #timers: Timer[] = [];
  #closed = false;
  /** While the initial state is being sent, changes wait behind it. */
  #startRevision = 0n;

  constructor(context: WatchContext, out: Responder) {
    this.#context = context;
    this.#out = out;
    this.request = context.request;
    this.user = context.user.name;
    out.onClose(() => this.#close());
  }

  /** Ends cleanly, as a server does at the watch's timeout. */
  end(): void {
    this.#close();
    this.#out.end();
  }

  /** TCP reset. */
  reset(): void {
    this.#close();
    this.#out.reset();
  }

  /** A black hole from now on: the connection stays up and nothing comes. */
  silence(): void {
    this.#out.silence();
  }

  /** An ERROR event; nothing valid follows it, so the stream ends. */
  error(status: StatusBody): void {
    this.#out.document(`${JSON.stringify({ type: 'ERROR', object: status })}\n`);
    this.end();
  }

  /** Any bytes at all. */
  send(raw: string | Uint8Array): void {
    this.#out.write(raw);
  }

  /** The last `count` events once more. */
  replay(count: number): void {
    for (const line of this.#sent.slice(-count)) this.#out.document(line);
  }

  /** A bookmark at the store's newest resourceVersion, now. */
  bookmark(annotations?: Record<string, string>, resourceVersion: string = this.#context.revision()): void {
    const { resource } = this.#context;
    const metadata = { resourceVersion, ...(annotations ? { annotations } : {}) };
    const object = { kind: resource.kind, apiVersion: groupVersion(resource), metadata };
    this.bookmarks += 1;
    this.#out.document(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`);
  }

  /** Sends headers and whatever the effect puts first. False if the effect has already ended the watch. */
  open(startRevision: bigint, timeoutMs: number): boolean {
    const { effect, clock } = this.#context;
    this.#startRevision = startRevision;
    this.#out.startStream();
    if (effect.streamError) {
      this.error(effect.streamError);
      return false;
    }
    if (effect.endAtOnce) {
      this.end();
      return false;
    }
    if (effect.silent) this.silence();
    this.#timers.push(clock.after(timeoutMs, () => this.end()));
    if (this.#wantsBookmarks()) this.#scheduleBookmarks(timeoutMs);
    this.#afterEvent();
    return true;
  }

  initial(objects: readonly ApiObject[], revision: string, announceEnd: boolean): void {
    for (const object of objects) this.#event('ADDED', object);
    if (announceEnd && this.#wantsBookmarks()) this.bookmark({ 'k8s.io/initial-events-end': 'true' }, revision);
  }

  /** Passes a change on, as this watch's namespace and selectors see it. */
  change(change: Change): void {
    const { namespace } = this.request;
    if (this.#closed || change.revision <= this.#startRevision) return;
    if (namespace !== '' && this.#context.resource.namespaced && change.object.metadata.namespace !== namespace) return;
    const before = change.previous !== undefined && this.#context.selects(change.previous);
    const after = change.type !== 'DELETED' && this.#context.selects(change.object);
    if (after) this.#event(before ? 'MODIFIED' : 'ADDED', change.object);
    else if (before) this.#event('DELETED', change.object);
    // A real server drops a watcher that does not keep up, without a word.
    if (this.#out.backlog > this.#context.slowWatcherBytes) this.end();
  }

  #event(type: string, object: ApiObject): void {
    if (this.#closed) return;
    const line = watchLine(type, object);
    this.#sent.push(line);
    if (this.#sent.length > REMEMBERED * 2) this.#sent.splice(0, REMEMBERED);
    this.#out.document(line);
    this.events += 1;
    this.#afterEvent();
  }

  #afterEvent(): void {
    const { insert, endAfterEvents } = this.#context.effect;
    if (insert?.afterEvents === this.events) this.#out.write(insert.raw);
    if (endAfterEvents === this.events) this.end();
  }

  #wantsBookmarks(): boolean {
    const asked = ['true', '1'].includes(this.request.query.get('allowWatchBookmarks') ?? '');
    return asked && !this.#context.effect.noBookmarks;
  }

  #scheduleBookmarks(timeoutMs: number): void {
    const { clock, bookmarkPeriodMs } = this.#context;
    const again = () => {
      if (this.#closed) return;
      this.bookmark();
      this.#timers[1] = clock.after(bookmarkPeriodMs, again);
    };
    this.#timers.push(clock.after(bookmarkPeriodMs, again));
    const beforeEnd = Math.max(timeoutMs - 2_000, timeoutMs / 2);
    this.#timers.push(clock.after(beforeEnd, () => this.bookmark()));
  }

  #close(): void {
    this.#closed = true;
    this.#sent.length = 0;
    for (const timer of this.#timers) timer.cancel();
  }
}
