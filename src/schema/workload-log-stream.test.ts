import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually, pause } from '../../test/support/eventually.ts';
import type { Viewer } from '../access/viewer.ts';
import { systemClock } from '../clock.ts';
import { ApiError } from '../errors.ts';
import { Latest } from '../pubsub/latest.ts';
import { LogFeed } from '../pubsub/log-feed.ts';
import { LogView } from '../pubsub/log-view.ts';
import type { MergedBatch, MergedLog } from '../pubsub/merged-log.ts';
import type { Update } from '../pubsub/updates.ts';
import { FakeGate } from './testing/fake-gate.ts';
import { pod } from './testing/objects.ts';
import { unchecked } from './testing/unchecked.ts';
import { followWorkload } from './workload-log-stream.ts';

/** Following a workload whose containers' logs are slow to open, or cannot be opened. */

/** A log that somebody has begun to open. */
interface Opening {
  readonly pod: string;
  readonly releases: (() => void)[];
  open(): LogFeed;
  refuse(error: ApiError): void;
}

let openings: Map<string, Opening>;
let held: number;
let updates: Latest<Update>;
let log: MergedLog;

beforeEach(async () => {
  openings = new Map();
  held = 0;
  updates = new Latest(() => undefined);
  const gate = new FakeGate();
  gate.stream = unchecked(updates);
  gate.logs = unchecked({ join });
  log = await followWorkload(
    { viewer: () => unchecked<Viewer>({ id: 'someone' }), gate, clock: systemClock },
    {
      agentId: '1',
      namespace: 'default',
      pods: { key: 'all', matches: () => true },
      container: undefined,
      wish: { tailLines: 10 },
    },
  );
});

afterEach(() => log.return());

/** Stands in for `Logs.join`: what it holds is counted, and it takes until the test says so. */
function join(
  _viewer: unknown,
  target: { pod: string; container: string },
  _wish: unknown,
  { releases, release }: { releases: (() => void)[]; release: () => void },
): Promise<LogView> {
  return new Promise((resolve, reject) => {
    held += 1;
    releases.push(() => (held -= 1));
    openings.set(target.pod, {
      pod: target.pod,
      releases,
      open: () => {
        const feed = new LogFeed({ agentId: '1', namespace: 'default', ...target }, 10);
        resolve(new LogView(feed, systemClock, { from: 0 }, release));
        return feed;
      },
      refuse: reject,
    });
  });
}

async function show(...names: string[]): Promise<void> {
  offer(names);
  await eventually('all are being opened', () => names.every((name) => openings.has(name)), 2_000);
}

function offer(names: readonly string[]): void {
  const containerStatuses = [{ name: 'app', restartCount: 0, state: { running: {} } }];
  const upserted = names.map((name) =>
    pod(name, { spec: { containers: [{ name: 'app' }] }, status: { phase: 'Running', containerStatuses } }),
  );
  updates.offer(unchecked({ type: 'SNAPSHOT', upserted, removed: [] }));
}

function opening(name: string): Opening {
  const found = openings.get(name);
  if (found === undefined) throw new Error(`nobody opens ${name}`);
  return found;
}

async function next(): Promise<MergedBatch> {
  const { value } = await log.next();
  if (value === undefined) throw new Error('it is over');
  return value;
}

describe('followWorkload', () => {
  it('lets go of a log that is opened when the client has left', async () => {
    await show('web-1');
    await log.return();
    opening('web-1').open();
    await pause(10);
    expect(held).toBe(0);
  });

  it('lets go of what is opened after another has failed', async () => {
    await show('web-1', 'web-2');
    opening('web-1').refuse(new ApiError('FORBIDDEN', 'Not you.'));
    await expect(log.next()).rejects.toMatchObject({ code: 'FORBIDDEN' });
    opening('web-2').open();
    await pause(10);
    expect(held).toBe(0);
  });

  it('goes on without a pod that vanishes while its log is opened, and says so once', async () => {
    await show('web-1', 'web-2', 'web-3');
    opening('web-1').refuse(new ApiError('NOT_FOUND', 'There is no pod "web-1".'));
    opening('web-3').refuse(new ApiError('NOT_FOUND', 'There is no pod "web-3".'));
    const feed = opening('web-2').open();
    const first = await next();
    expect(first.error).toContain('There is no pod "web-1". (1 more)');
    expect(first.sources).toEqual([{ pod: 'web-2', container: 'app' }]);
    feed.lines([{ timestamp: undefined, at: '1', content: 'still here', truncated: false }]);
    const second = await next();
    expect(second).toMatchObject({ lines: [{ content: 'still here' }], error: undefined });
    expect(held).toBe(1);
    openings.clear();
    offer(['web-1', 'web-2', 'web-3']);
    await pause(10);
    expect([...openings.keys()]).toEqual([]); // what is gone is not asked for again
  });
});
