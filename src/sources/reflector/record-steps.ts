import type { Counters } from '../../counters.ts';
import type { Log } from '../../log.ts';
import type { WatchTarget } from '../source.ts';
import type { UpstreamError } from '../upstream-error.ts';
import type { Step } from './policy.ts';

/** A step that has been carried out. */
export interface TakenStep {
  readonly step: Step;
  /** How it failed, if it did. */
  readonly failure: UpstreamError | undefined;
}

/** Counts what reflectors do, and writes down what goes wrong, with KAS's trace ID where it gave one. */
export function recordSteps(counters: Counters, log: Log) {
  return (target: WatchTarget, next: Step, { step, failure }: TakenStep): void => {
    if (step.to === 'list') counters.add('lists', { reason: step.why });
    if (step.to === 'watch') counters.add('watch_ends', { reason: next.why });
    if (failure === undefined || step.to === 'halt') return;
    counters.add('upstream_failures', { during: step.to, failure: failure.failure });
    const { agentId, namespace, resource } = target;
    const { code, message, hop, upstream } = failure;
    const fields = { agentId, namespace, resource: resource.plural, code, hop, upstream, why: next.why, next: next.to };
    // An expired version is routine: the next list repairs it.
    log[failure.failure === 'expired' ? 'debug' : 'warn'](fields, `A ${step.to} failed. ${message}`);
  };
}
