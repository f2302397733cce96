import type { Clock } from '../../clock.ts';
import { compareResourceVersions } from '../../kubernetes/resource-version.ts';
import { inTrace } from '../../tracing/tracing.ts';
import type { AgentAdmission, Ticket } from '../admission.ts';
import type { Sink } from '../sink.ts';
import type { Turnstile } from '../slots.ts';
import type { Beginning, Reflection } from '../source.ts';
import type { ConnectionState, HopName } from '../status.ts';
import { Stopped } from '../stopped.ts';
import { UpstreamError } from '../upstream-error.ts';
import type { Upstream, WatchEvent } from '../upstream.ts';
import { Backoff } from './backoff.ts';
import { GuardedSink } from './guarded-sink.ts';
import { listAll } from './list.ts';
import { Pause } from './pause.ts';
import { Policy, type Step, type Wait } from './policy.ts';
import type { TakenStep } from './record-steps.ts';
import { StatusReporter } from './status-reporter.ts';
import { WatchSession } from './watch-session.ts';

export interface ReflectorOptions {
  readonly upstream: Upstream;
  readonly sink: Sink;
  readonly clock: Clock;
  /** The stations between us and the cluster, both included. */
  readonly way: readonly HopName[];
  /** Paces the opening of lists and watches towards this agent. */
  readonly admission: AgentAdmission;
  /** Lists of this agent that may run at once. */
  readonly listSlots: Turnstile;
  /** The sink already holds the collection as of some version: go on from there. */
  readonly from?: Beginning | undefined;
  /** Told of every transition, for logs and metrics: the step that follows, and the one that is done. */
  readonly onStep?: (next: Step, done: TakenStep) => void;
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
  readonly #sink: GuardedSink;
  readonly #status: StatusReporter;
  readonly #policy = new Policy();
  readonly #backoff: Backoff;
  readonly #life = new AbortController();
  readonly #pause: Pause;
  #resourceVersion: string | undefined;
  #session: WatchSession | undefined;
  #isHalted = false;
  /** How the step at hand failed. */
  #failure: UpstreamError | undefined;
  /** Last proof that the stream was alive: monotonic milliseconds. */
  #heardAt = 0;
  /** The server wants to be left alone until then: monotonic milliseconds. */
  #notBefore = 0;

  constructor(options: ReflectorOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#sink = new GuardedSink(options.sink, this.#life.signal, options.onDefect);
    this.#status = new StatusReporter(this.#sink, options.clock, options.way);
    this.#backoff = new Backoff(options.clock);
    this.#pause = new Pause(options.clock, this.#life.signal, (ms) => this.#status.waiting(this.#clock.now() + ms));
    this.#resourceVersion = options.from?.resourceVersion;
  }

  /** Begins. The loop ends only with `stop`. */
  start(): void {
    // It is everybody's: the trace of whoever came first ends before it.
    void inTrace(undefined, () => this.#run());
  }

  retryNow(): void {
    this.#options.admission.retryNow();
    this.#pause.cutShort();
  }

  renew(): void {
    inTrace(undefined, () => this.#session?.renew());
    // Whatever else is being waited for has nothing to do with whose credentials are used.
    if (this.#isHalted) this.#pause.cutShort();
  }

  get state(): ConnectionState {
    return this.#status.state;
  }

  /** Milliseconds since the last proof that the stream was alive. */
  get quietMs(): number {
    return this.#clock.monotonic() - this.#heardAt;
  }

  stop(): void {
    this.#life.abort(new Stopped());
  }

  async #run(): Promise<void> {
    let step = firstStep(this.#options.from);
    while (!this.#life.signal.aborted) {
      try {
        this.#failure = undefined;
        const next = await this.#take(step);
        this.#options.onStep?.(next, { step, failure: this.#failure });
        step = next;
      } catch (error) {
        if (this.#life.signal.aborted) return;
        this.#options.onDefect(error);
        this.#status.resuming();
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
        await this.#halt(step.recheckMs * (0.9 + 0.2 * this.#clock.random()));
        return { to: 'list', consistent: false, wait: { kind: 'none' }, why: 'looking again' };
      default:
        return step satisfies never;
    }
  }

  async #list(consistent: boolean): Promise<Step> {
    const { upstream, listSlots } = this.#options;
    const known = this.#resourceVersion;
    const notOlderThan = consistent ? undefined : known;
    const ticket = await this.#ticket();
    try {
      const { objects, resourceVersion } = await listSlots.run(this.#life.signal, () =>
        listAll(upstream, notOlderThan, this.#clock, this.#life.signal),
      );
      ticket.succeeded();
      // The most recent state is older than one we have seen: history was rewritten, nothing is comparable.
      const lost = known !== undefined && compareResourceVersions(resourceVersion, known) === -1;
      if (lost && !consistent) throw new UpstreamError('tooLarge', 'The list was older than what was asked for.');
      this.#resourceVersion = resourceVersion;
      this.#sink.replace(objects, resourceVersion, lost ? 'lost' : 'kept');
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
        this.#heardAt = this.#clock.monotonic();
        this.#status.connected(transport);
        this.#sink.progress(this.#resourceVersion);
      },
      event: (event) => this.#apply(event),
      suspected: () => this.#status.suspected(),
    });
    this.#session = session;
    try {
      const outcome = await session.run(this.#life.signal);
      this.#notBefore = this.#clock.monotonic() + outcome.patienceMs;
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
    this.#heardAt = this.#clock.monotonic();
    this.#status.heard();
    switch (event.type) {
      case 'BOOKMARK':
        this.#advance(event.resourceVersion);
        this.#sink.progress(this.#resourceVersion);
        return;
      case 'DELETED':
        this.#advance(event.object.metadata.resourceVersion);
        this.#sink.remove(event.object);
        return;
      case 'ADDED':
      case 'MODIFIED':
        this.#advance(event.object.metadata.resourceVersion);
        this.#sink.upsert(event.object);
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
    this.#failure = error;
    ticket.failed(error);
    this.#status.failed(error);
    return error;
  }

  /** Leave to open something towards the agent: at once as a rule, later when it is away or besieged. */
  #ticket(): Promise<Ticket> {
    return this.#options.admission.open(this.#life.signal, (retryInMs) => {
      this.#status.waiting(this.#clock.now() + retryInMs);
    });
  }

  async #wait(wait: Wait): Promise<void> {
    const patience = Math.max(0, this.#notBefore - this.#clock.monotonic());
    const ms = Math.max(patience, this.#milliseconds(wait));
    if (ms === 0) return;
    this.#status.waiting(this.#clock.now() + ms);
    await this.#pause.last(ms, Math.max(patience, wait.kind === 'backoff' ? wait.atLeastMs : 0));
  }

  async #halt(ms: number): Promise<void> {
    this.#status.halted(this.#clock.now() + ms);
    this.#isHalted = true;
    try {
      await this.#pause.last(ms);
    } finally {
      this.#isHalted = false;
    }
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
}

function firstStep(from: Beginning | undefined): Step {
  if (from === undefined) return { to: 'list', consistent: true, wait: { kind: 'none' }, why: 'first sync' };
  if (from.by === 'watch') return { to: 'watch', wait: { kind: 'none' }, why: 'taken over' };
  return { to: 'list', consistent: false, wait: { kind: 'none' }, why: 'taken over' };
}
