import { PODS } from '../../src/kubernetes/resources.ts';
import { Feed } from '../../src/pubsub/feed.ts';
import { AgentAdmission } from '../../src/sources/admission.ts';
import type { Step } from '../../src/sources/reflector/policy.ts';
import { Reflector } from '../../src/sources/reflector/reflector.ts';
import type { Sink } from '../../src/sources/sink.ts';
import { Slots } from '../../src/sources/slots.ts';
import { THROUGH_KAS } from '../../src/sources/status.ts';
import type { ReflectorStatus } from '../../src/sources/status.ts';
import type { Upstream } from '../../src/sources/upstream.ts';
import { names } from './objects.ts';
import { ScriptedUpstream, type ListAnswer } from './scripted-upstream.ts';
import { VirtualClock } from './virtual-clock.ts';

/** A feed that also writes down every status it was told, and can be made to throw. */
export class WatchedFeed extends Feed {
  readonly reports: ReflectorStatus[] = [];
  /** Called first with the name of each call; whatever it throws, the sink throws. */
  disturb: (call: keyof Sink) => void = () => {};
  calls = 0;

  override replace(...args: Parameters<Sink['replace']>): void {
    this.#called('replace');
    super.replace(...args);
  }

  override upsert(...args: Parameters<Sink['upsert']>): void {
    this.#called('upsert');
    super.upsert(...args);
  }

  override remove(...args: Parameters<Sink['remove']>): void {
    this.#called('remove');
    super.remove(...args);
  }

  override report(status: ReflectorStatus): void {
    this.#called('report');
    this.reports.push(status);
    super.report(status);
  }

  get latest(): ReflectorStatus | undefined {
    return this.reports.at(-1);
  }

  get contents(): string[] {
    return names(this.objects());
  }

  #called(call: keyof Sink): void {
    this.calls += 1;
    this.disturb(call);
  }
}

export interface Bench<U extends Upstream> {
  readonly clock: VirtualClock;
  readonly upstream: U;
  readonly feed: WatchedFeed;
  readonly reflector: Reflector;
  readonly admission: AgentAdmission;
  readonly steps: Step[];
  readonly defects: unknown[];
}

export interface BenchOptions {
  readonly clock?: VirtualClock;
  readonly admission?: AgentAdmission;
  readonly listSlots?: Slots;
  readonly resourceVersion?: string;
}

/** A reflector between an upstream and a feed, all on a virtual clock; not started yet. */
export function bench<U extends Upstream>(upstream: (clock: VirtualClock) => U, options: BenchOptions = {}): Bench<U> {
  const clock = options.clock ?? new VirtualClock();
  const feed = new WatchedFeed({ agentId: '7', namespace: 'shop', resource: PODS }, clock);
  const admission = options.admission ?? new AgentAdmission(clock);
  const steps: Step[] = [];
  const defects: unknown[] = [];
  const made = upstream(clock);
  const reflector = new Reflector({
    upstream: made,
    sink: feed,
    clock,
    admission,
    listSlots: options.listSlots ?? new Slots(5),
    way: THROUGH_KAS,
    ...(options.resourceVersion !== undefined && {
      from: { resourceVersion: options.resourceVersion, by: 'watch', objects: () => [] },
    }),
    onStep: (step) => steps.push(step),
    onDefect: (error) => defects.push(error),
  });
  return { clock, upstream: made, feed, reflector, admission, steps, defects };
}

/** The same with a scripted upstream, started, and time for what comes at once. */
export async function started(
  lists: readonly ListAnswer[],
  options: BenchOptions & { readonly script?: ScriptedUpstream['script'] } = {},
): Promise<Bench<ScriptedUpstream>> {
  const made = bench((clock) => {
    const upstream = new ScriptedUpstream(clock, ...lists);
    upstream.script.push(...(options.script ?? []));
    return upstream;
  }, options);
  made.reflector.start();
  await made.clock.advance(0);
  return made;
}
