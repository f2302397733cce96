import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import type { HopName } from '../status.ts';
import { UpstreamError, type UpstreamFailure } from '../upstream-error.ts';
import { NOT_READY_HOLDS_MS, DOUBTS, READY_HOLDS_MS, STARTING_MS, StartingClusters } from './starting-clusters.ts';

/** What the cluster says of itself, and how often it was asked. */
let isReady: boolean;
let asked: number;
let clock: VirtualClock;
let clusters: StartingClusters;

beforeEach(() => {
  asked = 0;
  clock = new VirtualClock();
  clusters = new StartingClusters(clock);
});

async function ask(): Promise<void> {
  asked += 1;
  if (!isReady) throw new UpstreamError('server', 'not ready');
}

/** Says nothing until it is given up. */
const silent = (signal: AbortSignal) =>
  new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(new Error('late'))));

const refuse = async (failure: UpstreamFailure = 'forbidden', hop: HopName = 'cluster') =>
  (await clusters.judge('1', new UpstreamError(failure, failure, { hop }), ask)).failure;

/** The cluster let somebody look, and says whether it is ready if it is asked then. The answer has aged when this ends. */
async function worked(ready: boolean): Promise<void> {
  isReady = ready;
  clusters.worked('1', ask);
  await clock.advance(NOT_READY_HOLDS_MS);
}

describe('a cluster that was ready once', () => {
  beforeEach(() => worked(true));

  it('is believed when it is', async () => {
    expect(await refuse()).toBe('forbidden');
    await expect(clusters.confirmNo('1', ask)).resolves.toBeUndefined();
    expect(asked).toBe(2);
  });

  it('counts as unreachable while it is not, and is believed when it is again', async () => {
    isReady = false;
    expect(await refuse()).toBe('unreachable');
    await expect(clusters.confirmNo('1', ask)).rejects.toMatchObject({ failure: 'unreachable', hop: 'cluster' });
    isReady = true;
    await clock.advance(NOT_READY_HOLDS_MS);
    expect(await refuse()).toBe('forbidden');
  });

  it('is asked anew when it may have been started again since it said so', async () => {
    expect(await refuse()).toBe('forbidden');
    isReady = false;
    await clock.advance(READY_HOLDS_MS);
    expect(await refuse()).toBe('unreachable');
  });

  it('is believed half a minute after its first refusal, whatever it says', async () => {
    isReady = false;
    expect(await refuse()).toBe('unreachable');
    await clock.advance(STARTING_MS - 1);
    expect(await refuse()).toBe('unreachable');
    await clock.advance(1);
    expect(await refuse()).toBe('forbidden');
    await clock.advance(DOUBTS.periodMs);
    expect(await refuse()).toBe('forbidden');
  });

  it('is not doubted anew because others may look: only its own word ends a doubt', async () => {
    isReady = false;
    expect(await refuse()).toBe('unreachable');
    for (let elapsed = 0; elapsed < STARTING_MS; elapsed += NOT_READY_HOLDS_MS) await worked(false);
    expect(await refuse()).toBe('forbidden');
    await clock.advance(NOT_READY_HOLDS_MS);
    await worked(true);
    isReady = false;
    expect(await refuse()).toBe('unreachable');
  });

  it('is asked until it is ready once it lets somebody look, so that its next start is a doubt of its own', async () => {
    isReady = false;
    expect(await refuse()).toBe('unreachable');
    clusters.worked('1', ask);
    await clock.advance(NOT_READY_HOLDS_MS);
    isReady = true;
    await clock.advance(STARTING_MS);
    isReady = false;
    expect(await refuse()).toBe('unreachable');
  });

  it('is not asked for ever', async () => {
    isReady = false;
    await refuse();
    clusters.worked('1', ask);
    await clock.advance(2 * STARTING_MS);
    const before = asked;
    await clock.advance(10 * STARTING_MS);
    expect(asked).toBe(before);
    expect(clock.pending).toBe(0);
  });

  it('is doubted a few times in five minutes, whoever says in between that it is ready', async () => {
    for (let doubt = 0; doubt < DOUBTS.most; doubt += 1) {
      isReady = false;
      expect(await refuse()).toBe('unreachable');
      await clock.advance(NOT_READY_HOLDS_MS);
      await worked(true);
    }
    isReady = false;
    expect(await refuse()).toBe('forbidden');
    await clock.advance(DOUBTS.periodMs);
    expect(await refuse()).toBe('unreachable');
  });

  it.each([
    [true, 'half a second', READY_HOLDS_MS],
    [false, 'two seconds', NOT_READY_HOLDS_MS],
  ])('is asked once (ready: %s) in %s, however many are refused', async (ready, _text, holdsMs) => {
    isReady = ready;
    const before = asked;
    await Promise.all(Array.from({ length: 50 }, () => refuse()));
    await clock.advance(holdsMs - 1);
    await refuse();
    clusters.worked('1', ask);
    expect(asked - before).toBe(1);
    await clock.advance(1);
    await refuse();
    expect(asked - before).toBe(2);
  });

  it('that does not answer is not ready, after a moment', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    void clusters.judge('1', new UpstreamError('forbidden', ''), silent).then(({ failure }) => resolve(failure));
    await clock.advance(10_000);
    expect(await promise).toBe('unreachable');
  });

  it('says nothing of another', async () => {
    isReady = false;
    expect((await clusters.judge('2', new UpstreamError('forbidden', ''), ask)).failure).toBe('forbidden');
  });
});

it('a cluster that does not say whether it is ready is always believed', async () => {
  await worked(false);
  await worked(false);
  expect(await refuse()).toBe('forbidden');
  expect(asked).toBe(1);
});

it('one that never let anybody look is believed, and not asked', async () => {
  isReady = false;
  expect(await refuse()).toBe('forbidden');
  expect(asked).toBe(0);
});

it.each([
  ['gitlabUnauthorized', 'kas'],
  ['unauthorized', 'cluster'],
  ['notFound', 'cluster'],
  ['server', 'cluster'],
  ['forbidden', 'kas'],
] as const)('%s of %s means what it says', async (failure, hop) => {
  await worked(true);
  isReady = false;
  expect(await refuse(failure, hop)).toBe(failure);
  expect(asked).toBe(1);
});
