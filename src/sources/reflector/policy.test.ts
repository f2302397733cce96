import { describe, expect, it } from 'vitest';
import { failure } from '../../../test/support/scripted-upstream.ts';
import type { UpstreamFailure } from '../upstream-error.ts';
import { Policy, type Step } from './policy.ts';
import type { SessionOutcome } from './watch-session.ts';

const GOOD = { opened: true, livedMs: 60_000, events: 5 };
const SHORT = { opened: true, livedMs: 3_000, events: 0 };
const EMPTY = { opened: true, livedMs: 10, events: 0 };
const NEVER_OPENED = { opened: false, livedMs: 0, events: 0 };

/** What follows each end of a watch, the first time and in a row. A word says how long it takes to get there. */
const AFTER_WATCH: [string, Partial<SessionOutcome> & { end: SessionOutcome['end'] }, string[]][] = [
  ['a clean end', { ...GOOD, end: { kind: 'clean' } }, ['watch at once', 'watch at once']],
  ['a clean end of a quiet stream', { ...GOOD, events: 0, end: { kind: 'clean' } }, ['watch at once']],
  ['an early end', { ...SHORT, end: { kind: 'clean' } }, ['watch later', 'watch later', 'watch later']],
  ['an early end with events', { ...EMPTY, events: 1, end: { kind: 'clean' } }, ['watch later', 'watch later']],
  ['an empty close', { ...EMPTY, end: { kind: 'clean' } }, ['watch later', 'list newest at once', 'watch later']],
  ['our own deadline', { ...GOOD, end: { kind: 'deadline' } }, ['watch at once']],
  ['silence twice', { ...GOOD, events: 0, end: { kind: 'silent' } }, ['list at once', 'list at once']],
  ['a cut', failed(GOOD, 'torn'), ['watch after a jitter', 'watch after a jitter']],
  ['a cut at once', failed(EMPTY, 'torn'), ['watch later']],
  ['410 on opening', failed(NEVER_OPENED, 'expired'), ['list at once', 'list newest later', 'list newest later']],
  ['410 in the stream', failed(GOOD, 'expired'), ['list at once', 'list at once']],
  ['something undecodable', failed(EMPTY, 'malformed'), ['watch later', 'list newest at once', 'watch later']],
  ['500', failed(EMPTY, 'server'), ['watch later', 'watch later', 'list later', 'watch later']],
  ['504 too large', failed(NEVER_OPENED, 'tooLarge'), [...Array<string>(3).fill('watch later'), 'list newest at once']],
  ['429', failed(NEVER_OPENED, 'throttled'), ['watch later', 'watch later', 'watch later']],
  ['429 in the stream', failed(GOOD, 'throttled'), ['watch later']],
  ['a timeout', failed(NEVER_OPENED, 'timeout'), ['watch later', 'watch later']],
  ['400', failed(NEVER_OPENED, 'invalid'), ['list newest later']],
  ['404', failed(NEVER_OPENED, 'notFound'), ['halt 300000']],
  ['401 of GitLab', failed(NEVER_OPENED, 'gitlabUnauthorized'), ['halt 60000']],
  ['401 of the cluster', failed(NEVER_OPENED, 'unauthorized'), ['halt 60000']],
  ['403', failed(NEVER_OPENED, 'forbidden'), ['halt 60000']],
  ['nobody to ask with', failed(NEVER_OPENED, 'noIdentity'), ['halt 60000']],
  ['an agent that is away', failed(NEVER_OPENED, 'agentNotConnected'), ['watch at once', 'watch at once']],
  ['an agent that goes away', failed(EMPTY, 'agentNotConnected'), ['watch later', 'watch later']],
];

const AFTER_LIST: [UpstreamFailure, boolean, string[]][] = [
  ['expired', false, ['list newest at once']],
  ['expired', true, ['list newest later', 'list newest later']],
  ['tooLarge', false, [...Array<string>(3).fill('list later'), 'list newest at once']],
  ['server', false, ['list later', 'list later']],
  ['server', true, ['list newest later']],
  ['malformed', true, ['list newest later']],
  ['pageTooLarge', true, ['list newest later']],
  ['timeout', false, ['list later']],
  ['throttled', true, ['list newest later']],
  ['unreachable', false, ['list at once']],
  ['agentNotConnected', true, ['list newest at once']],
  ['forbidden', true, ['halt 60000']],
  ['notFound', true, ['halt 300000']],
];

describe('Policy', () => {
  it('watches after a list', () => {
    expect(inShort(new Policy().afterList())).toBe('watch at once');
  });

  it.each(AFTER_WATCH)('after %s', (_, outcome, expected) => {
    const policy = new Policy();
    const full: SessionOutcome = { ...GOOD, resourceVersion: '5', patienceMs: 0, ...outcome };
    expect(expected.map(() => inShort(policy.afterWatch(full, false)))).toEqual(expected);
  });

  it.each(AFTER_LIST)('after a list that failed as %s (of the newest state: %s)', (kind, wasConsistent, expected) => {
    const policy = new Policy();
    expect(expected.map(() => inShort(policy.afterFailedList(failure(kind), wasConsistent, false)))).toEqual(expected);
  });

  it.each<UpstreamFailure>(['gitlabUnauthorized', 'unauthorized', 'forbidden'])(
    'tries the next donor after %s',
    (kind) => {
      const policy = new Policy();
      expect(inShort(policy.afterFailedList(failure(kind), true, true))).toBe('list newest at once');
      const outcome: SessionOutcome = {
        ...NEVER_OPENED,
        ...failed(NEVER_OPENED, kind),
        resourceVersion: '5',
        patienceMs: 0,
      };
      expect(inShort(policy.afterWatch(outcome, true))).toBe('watch at once');
    },
  );

  it('waits as long as the server says, whatever the failure', () => {
    const kinds: UpstreamFailure[] = ['throttled', 'tooLarge', 'server', 'malformed', 'torn', 'timeout', 'invalid'];
    for (const kind of kinds) {
      const error = failure(kind, 9_000);
      const end = { kind: 'failed', error } as const;
      const outcome = { ...NEVER_OPENED, end, resourceVersion: '5', patienceMs: 0 };
      for (const step of [new Policy().afterWatch(outcome, false), new Policy().afterFailedList(error, true, false)]) {
        expect([kind, 'wait' in step && step.wait]).toEqual([kind, { kind: 'backoff', atLeastMs: 9_000 }]);
      }
    }
  });

  it('forgets what was odd once a stream has said something', () => {
    const policy = new Policy();
    const odd = { ...EMPTY, end: { kind: 'clean' }, resourceVersion: '5', patienceMs: 0 } as const;
    expect(inShort(policy.afterWatch(odd, false))).toBe('watch later');
    policy.afterWatch({ ...odd, ...GOOD }, false);
    expect(inShort(policy.afterWatch(odd, false))).toBe('watch later');
  });
});

function failed(life: Omit<SessionOutcome, 'end' | 'resourceVersion' | 'patienceMs'>, kind: UpstreamFailure) {
  return { ...life, end: { kind: 'failed', error: failure(kind) } } as const;
}

function inShort(step: Step): string {
  if (step.to === 'halt') return `halt ${step.recheckMs}`;
  const what = step.to === 'list' && step.consistent ? 'list newest' : step.to;
  return `${what} ${{ none: 'at once', jitter: 'after a jitter', backoff: 'later' }[step.wait.kind]}`;
}
