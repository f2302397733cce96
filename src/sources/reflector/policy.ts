import type { CounterLabels } from '../../metric-catalogue.ts';
import { isAgentAway, isRefusal, type UpstreamError } from '../upstream-error.ts';
import type { SessionOutcome } from './watch-session.ts';

/** A stream that lived this long was a good one: its end is no trouble. Milliseconds. */
export const GOOD_LIFE_MS = 5_000;
/** A stream that ended sooner than this and said nothing is a refusal in disguise. */
export const EMPTY_CLOSE_MS = 1_000;
/** Streams cut in the middle come back a little apart from each other. */
export const CUT_JITTER_MS = 250;
/** A server whose cache is behind is given this many tries to catch up. */
export const MAX_TOO_LARGE = 3;
export const MAX_SERVER_ERRORS = 3;
/** Refused, with nobody else to try: looked at again this often. */
export const DENIED_RECHECK_MS = 60_000;
/** No such resource: looked for again this often. */
export const MISSING_RECHECK_MS = 300_000;

/** How long before the next step. `backoff` grows with each failure and is never less than the server's wish. */
export type Wait =
  | { readonly kind: 'none' }
  | { readonly kind: 'jitter'; readonly mostMs: number }
  | { readonly kind: 'backoff'; readonly atLeastMs: number };

export type Reason = CounterLabels<'lists'>['reason'];

/** What a reflector does next, and why. */
export type Step =
  | { readonly to: 'list'; readonly consistent: boolean; readonly wait: Wait; readonly why: Reason }
  | { readonly to: 'watch'; readonly wait: Wait; readonly why: Reason }
  | { readonly to: 'halt'; readonly recheckMs: number; readonly why: Reason };

const AT_ONCE: Wait = { kind: 'none' };
const backoff = (error?: UpstreamError): Wait => ({ kind: 'backoff', atLeastMs: error?.retryAfterMs ?? 0 });

/**
 * Decides, after each list and each watch, what to do next. It remembers how often in a row something odd has
 * happened, because the first time asks for patience and the next for another way. No time, no I/O: every row of
 * the reflector's specification is one branch here.
 */
export class Policy {
  #emptyCloses = 0;
  /** Where in the history something could not be decoded. */
  #malformedAt: string | undefined;
  #serverErrors = 0;
  #tooLarge = 0;
  #expired = 0;

  afterList(): Step {
    this.#tooLarge = 0;
    return { to: 'watch', wait: AT_ONCE, why: 'listed' };
  }

  afterFailedList(error: UpstreamError, wasConsistent: boolean, hasAnotherIdentity: boolean): Step {
    const common = this.#afterFailure(error, hasAnotherIdentity, 'list', wasConsistent);
    if (common !== undefined) return common;
    switch (error.failure) {
      case 'expired':
        // The state we asked for is gone from the history: only the most recent one can be had.
        return { to: 'list', consistent: true, wait: wasConsistent ? backoff(error) : AT_ONCE, why: 'list expired' };
      case 'tooLarge':
        return this.#afterTooLarge(error, wasConsistent ? 'list' : 'list at least as new');
      default:
        return { to: 'list', consistent: wasConsistent, wait: backoff(error), why: 'list failed' };
    }
  }

  afterWatch(outcome: SessionOutcome, hasAnotherIdentity: boolean): Step {
    if (outcome.events > 0 || outcome.livedMs > GOOD_LIFE_MS) this.#forget();
    switch (outcome.end.kind) {
      case 'deadline':
        return { to: 'watch', wait: AT_ONCE, why: 'stream outlived its time' };
      case 'silent':
        // Its version may lie in the future of a history that was rewritten. A list at least as new tells.
        return { to: 'list', consistent: false, wait: AT_ONCE, why: 'silent for too long' };
      case 'clean':
        return this.#afterCleanEnd(outcome);
      case 'failed':
        return this.#afterFailedWatch(outcome.end.error, outcome, hasAnotherIdentity);
      default:
        return outcome.end satisfies never;
    }
  }

  #afterCleanEnd({ livedMs, events }: SessionOutcome): Step {
    if (livedMs > GOOD_LIFE_MS) return { to: 'watch', wait: AT_ONCE, why: 'stream ended' };
    if (livedMs > EMPTY_CLOSE_MS || events > 0) return { to: 'watch', wait: backoff(), why: 'stream ended early' };
    this.#emptyCloses += 1;
    if (this.#emptyCloses < 2) return { to: 'watch', wait: backoff(), why: 'stream ended at once' };
    this.#emptyCloses = 0;
    // Some servers say "too old" by closing without a word.
    return { to: 'list', consistent: true, wait: AT_ONCE, why: 'stream ended at once, again' };
  }

  #afterFailedWatch(error: UpstreamError, outcome: SessionOutcome, hasAnotherIdentity: boolean): Step {
    const common = this.#afterFailure(error, hasAnotherIdentity, 'watch', false);
    // The admission of the agent has heard that it opened, and takes no notice of what came after that.
    if (isAgentAway(error) && outcome.opened) return { to: 'watch', wait: backoff(error), why: 'agent went away' };
    if (common !== undefined) return common;
    switch (error.failure) {
      case 'expired':
        this.#expired += 1;
        // A list at least as new as what we know; if its version, too, is refused at once, the cache is no help.
        if (this.#expired > 1) return { to: 'list', consistent: true, wait: backoff(error), why: 'expired again' };
        return { to: 'list', consistent: false, wait: AT_ONCE, why: 'version expired' };
      case 'tooLarge':
        return this.#afterTooLarge(error, 'watch');
      case 'malformed':
        if (this.#malformedAt !== outcome.resourceVersion) {
          this.#malformedAt = outcome.resourceVersion;
          return { to: 'watch', wait: backoff(error), why: 'undecodable event' };
        }
        this.#malformedAt = undefined;
        return { to: 'list', consistent: true, wait: AT_ONCE, why: 'undecodable event, again' };
      case 'server':
        this.#serverErrors += 1;
        if (this.#serverErrors < MAX_SERVER_ERRORS) return { to: 'watch', wait: backoff(error), why: 'server error' };
        this.#serverErrors = 0;
        return { to: 'list', consistent: false, wait: backoff(error), why: 'server error, again' };
      case 'torn': {
        const wait: Wait = outcome.livedMs > GOOD_LIFE_MS ? { kind: 'jitter', mostMs: CUT_JITTER_MS } : backoff(error);
        return { to: 'watch', wait, why: 'stream was cut' };
      }
      case 'invalid':
        return { to: 'list', consistent: true, wait: backoff(error), why: 'watch refused as invalid' };
      default:
        return { to: 'watch', wait: backoff(error), why: 'watch failed' };
    }
  }

  /** What is answered alike whether it happened to a list or to a watch. */
  #afterFailure(error: UpstreamError, another: boolean, to: 'list' | 'watch', consistent: boolean): Step | undefined {
    const again = (wait: Wait, why: Reason): Step =>
      to === 'list' ? { to, consistent, wait, why } : { to, wait, why };
    if (isRefusal(error)) {
      if (another) return again(AT_ONCE, 'refused; another viewer can open it');
      return { to: 'halt', recheckMs: DENIED_RECHECK_MS, why: 'refused, and nobody else is here' };
    }
    if (error.failure === 'notFound') return { to: 'halt', recheckMs: MISSING_RECHECK_MS, why: 'no such resource' };
    if (error.failure === 'throttled') return again(backoff(error), 'throttled');
    // The agent's admission lets one of us knock at a time, and says when.
    if (isAgentAway(error)) return again(AT_ONCE, 'agent is away');
    return undefined;
  }

  #afterTooLarge(error: UpstreamError, what: 'list' | 'list at least as new' | 'watch'): Step {
    this.#tooLarge += 1;
    if (this.#tooLarge > MAX_TOO_LARGE) {
      this.#tooLarge = 0;
      return { to: 'list', consistent: true, wait: AT_ONCE, why: 'server stays behind what we know' };
    }
    if (what === 'watch') return { to: 'watch', wait: backoff(error), why: 'server is behind' };
    return { to: 'list', consistent: what === 'list', wait: backoff(error), why: 'server is behind' };
  }

  #forget(): void {
    this.#emptyCloses = 0;
    this.#serverErrors = 0;
    this.#expired = 0;
    this.#tooLarge = 0;
  }
}
