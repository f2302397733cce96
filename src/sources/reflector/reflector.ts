import type { Clock } from '../../clock.ts';
import { compareResourceVersions } from '../../kubernetes/resource-version.ts';
import type { AgentAdmission, Ticket } from '../admission.ts';
import type { Sink } from '../sink.ts';
import type { Turnstile } from '../slots.ts';
import type { Reflection } from '../source.ts';
import { UpstreamError } from '../upstream-error.ts';
import type { Upstream, WatchEvent } from '../upstream.ts';
import { Backoff } from './backoff.ts';
import { listAll } from './list.ts';
import { Policy, type Step, type Wait } from './policy.ts';
import { StatusReporter } from './status-reporter.ts';
import { WatchSession } from './watch-session.ts';

export interface ReflectorOptions {
  readonly upstream: Upstream;
  readonly sink: Sink;
  readonly clock: Clock;
  /** Paces the opening of lists and watches towards this agent. */
  readonly admission: AgentAdmission;
  /** Lists of this agent that may run at once. */
  readonly listSlots: Turnstile;
  /** The sink already holds the collection as of this version: go on from there. */
  readonly resourceVersion?: string;
  /** Told of every transition, for logs and metrics. */
  readonly onStep?: (step: Step) => void;
  /** Told of errors that should not exist. The collection is then listed afresh, so that one defect is not the end. */
  readonly onDefect: (error: unknown) => void;
}

/**
 * Keeps a sink equal to one collection of a cluster, for ever: list, then watch from the list's version, and
 * after whatever ends the watch go on without a gap. It is a loop over steps; what follows what is `Policy`'s
 * to say, how a stream is kept alive is `WatchSession`'s, and neither knows which transport it is.
 */
export class Reflector implements Reflection {
  readonly #options: ReflectorOptions;
  readonly #clock: Clock;
  readonly #status: StatusReporter;
  readonly #policy = new Policy();
  readonly #backoff: Backoff;
  readonly #life = new AbortController();
  #resourceVersion: string | undefined;
  #session: WatchSession | undefined;
  #wake: (() => void) | undefined;

  constructor(options: ReflectorOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#status = new StatusReporter(options.sink, options.clock);
    this.#backoff = new Backoff(options.clock);
    this.#resourceVersion = options.resourceVersion;
  }

  /** Begins. The loop ends only with `stop`. */
  start(): void {
    void this.#run();
  }

  retryNow(): void {
    this.#options.admission.retryNow();
    this.#wake?.();
  }

  renew(): void {
    this.#session?.renew();
    this.#wake?.();
  }

  stop(): void {
    this.#life.abort(new Stopped());
  }

  async #run(): Promise<void> {
    let step: Step =
      this.#resourceVersion === undefined
        ? { to: 'list', consistent: true, wait: { kind: 'none' }, why: 'first sync' }
        : { to: 'watch', wait: { kind: 'none' }, why: 'taken over' };
    while (!this.#life.signal.aborted) {
      try {
        step = await this.#take(step);
        this.#options.onStep?.(step);
      } catch (error) {
        if (this.#life.signal.aborted) return;
        this.#options.onDefect(error);
        step = { to: 'list', consistent: true, wait: { kind: 'backoff', atLeastMs: 0 }, why: 'defect' };
      }
    }
  }

  /** Carries out one step and says which one comes next. */
  async #take(step: Step): Promise<Step> {
    switch (step.to) {
      case 'list':
        await this.#wait(step.wait);
        return this.#list(step.consistent);
      case 'watch':
        await this.#wait(step.wait);
        return this.#watch();
      case 'halt':
        this.#status.halted(this.#clock.now() + step.recheckMs);
        await this.#sleep(step.recheckMs * (0.9 + 0.2 * this.#clock.random()));
        return { to: 'list', consistent: false, wait: { kind: 'none' }, why: 'looking again' };
      default:
        return step satisfies never;
    }
  }

  async #list(consistent: boolean): Promise<Step> {
    const { upstream, listSlots, sink } = this.#options;
    const known = this.#resourceVersion;
    const notOlderThan = consistent ? undefined : known;
    const ticket = await this.#ticket();
    try {
      const { objects, resourceVersion } = await listSlots.run(this.#life.signal, () =>
        listAll(upstream, notOlderThan, this.#life.signal),
      );
      ticket.succeeded();
      // The most recent state is older than one we have seen: history was rewritten, nothing is comparable.
      const lost = known !== undefined && compareResourceVersions(resourceVersion, known) === -1;
      this.#resourceVersion = resourceVersion;
      sink.replace(objects, resourceVersion, lost ? 'lost' : 'kept');
      this.#status.listed();
      return this.#policy.afterList();
    } catch (error) {
      const failure = this.#failed(ticket, error);
      return this.#policy.afterFailedList(failure, notOlderThan === undefined, upstream.hasAnotherIdentity());
    }
  }

  async #watch(): Promise<Step> {
    const { upstream } = this.#options;
    const ticket = await this.#ticket();
    const session = new WatchSession(upstream, this.#clock, () => this.#resourceVersion ?? '', {
      opened: (transport) => {
        ticket.succeeded();
        this.#status.connected(transport);
        this.#options.sink.progress();
      },
      event: (event) => this.#apply(event),
      suspected: () => this.#status.suspected(),
    });
    this.#session = session;
    try {
      const outcome = await session.run(this.#life.signal);
      if (outcome.end.kind === 'failed') this.#failed(ticket, outcome.end.error);
      else {
        ticket.abandoned();
        this.#status.resuming();
      }
      return this.#policy.afterWatch(outcome, upstream.hasAnotherIdentity());
    } catch (error) {
      ticket.abandoned();
      throw error;
    } finally {
      this.#session = undefined;
    }
  }

  #apply(event: WatchEvent): void {
    const { sink } = this.#options;
    this.#status.heard();
    switch (event.type) {
      case 'BOOKMARK':
        this.#advance(event.resourceVersion);
        sink.progress();
        return;
      case 'DELETED':
        this.#advance(event.object.metadata.resourceVersion);
        sink.remove(event.object);
        return;
      case 'ADDED':
      case 'MODIFIED':
        this.#advance(event.object.metadata.resourceVersion);
        sink.upsert(event.object);
        return;
      default:
        event satisfies never;
    }
  }

  /** A repeat of an old event must not take us back to where it came from. */
  #advance(resourceVersion: string): void {
    const known = this.#resourceVersion;
    if (known !== undefined && compareResourceVersions(resourceVersion, known) === -1) return;
    this.#resourceVersion = resourceVersion;
  }

  #failed(ticket: Ticket, error: unknown): UpstreamError {
    if (!(error instanceof UpstreamError)) {
      ticket.abandoned();
      throw error;
    }
    ticket.failed(error);
    this.#status.failed(error);
    return error;
  }

  /** Leave to open something towards the agent: at once as a rule, later when it is away or besieged. */
  async #ticket(): Promise<Ticket> {
    const { admission } = this.#options;
    const pending = admission.open(this.#life.signal);
    const retryInMs = admission.retryInMs;
    if (retryInMs !== undefined) this.#status.waiting(this.#clock.now() + retryInMs);
    return pending;
  }

  async #wait(wait: Wait): Promise<void> {
    const ms = this.#milliseconds(wait);
    if (ms === 0) return;
    this.#status.waiting(this.#clock.now() + ms);
    await this.#sleep(ms);
  }

  #milliseconds(wait: Wait): number {
    switch (wait.kind) {
      case 'none':
        return 0;
      case 'jitter':
        return Math.floor(this.#clock.random() * wait.mostMs);
      case 'backoff':
        return this.#backoff.next(wait.atLeastMs);
      default:
        return wait satisfies never;
    }
  }

  /** Sleeps until the time is over or somebody wakes us. */
  async #sleep(ms: number): Promise<void> {
    const { signal } = this.#life;
    await new Promise<void>((resolve, reject) => {
      const done = () => {
        timer.cancel();
        signal.removeEventListener('abort', abort);
        this.#wake = undefined;
        resolve();
      };
      const abort = () => {
        timer.cancel();
        this.#wake = undefined;
        reject(signal.reason as Error);
      };
      const timer = this.#clock.after(ms, done);
      signal.addEventListener('abort', abort, { once: true });
      this.#wake = done;
    });
  }
}

/** The reason everything under way ends with when a reflector is stopped. */
class Stopped extends Error {
  override readonly name = 'Stopped';
}
