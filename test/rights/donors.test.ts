import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { respond } from '../../demo/apiserver/effects.ts';
import { makePod, revoke } from '../../demo/apiserver/objects.ts';
import { ServiceToken } from '../../src/access/service-token.ts';
import { Counters } from '../../src/counters.ts';
import { Bench, NAMESPACE, type BenchOptions } from '../support/bench.ts';
import { eventually, pause } from '../support/eventually.ts';
import type { RecordedView } from '../support/recorded-view.ts';
import { scaledClock } from '../support/scaled-clock.ts';

/** The donor of a shared watch goes, in every way one can go: those who stay must not notice. */

const SCALE = 60;
const WATCH = { verb: 'watch', resource: 'pods' } as const;

let bench: Bench;
let stopChanges = () => {};
afterEach(async () => {
  stopChanges();
  await bench.close();
});

function serverHop() {
  return bench.status().hops.find(({ name }) => name === 'server');
}

/** Whose watches are open, as KAS sees it. */
function lenders(): (string | undefined)[] {
  return bench.kas.inFlight(WATCH).map(({ user }) => user);
}

function lentBy(user: string, withinMs: number): Promise<void> {
  return eventually(`${user} alone lends`, () => String(lenders()) === user, withinMs, lenders);
}

function changes(): () => void {
  let count = 0;
  const timer = setInterval(() => {
    count += 1;
    if (count > 20) bench.store.delete('pods', NAMESPACE, `c-${count - 20}`);
    bench.store.create(makePod({ name: `c-${count}`, namespace: NAMESPACE }));
  }, 10);
  return () => clearInterval(timer);
}

/** Starts with a donor (ada) and two who stay, while pods change all the time. */
async function start(options: BenchOptions = {}) {
  bench = await Bench.start({ clock: scaledClock(SCALE), lingerMs: 30_000, ...options });
  bench.allow('eve', NAMESPACE);
  bench.allow('kim', NAMESPACE);
  const donor = await bench.liveView({ viewer: bench.viewer('ada') });
  const staying = [
    await bench.liveView({ viewer: bench.viewer('eve') }),
    await bench.liveView({ viewer: bench.viewer('kim') }),
  ];
  stopChanges = changes();
  await pause(50);
  return { donor, staying };
}

/** Never a second snapshot, nothing out of order, and at the end all of the cluster. */
async function unnoticed(views: readonly RecordedView[]): Promise<void> {
  await pause(100);
  stopChanges();
  for (const view of views) {
    await bench.converged(view);
    expect(view.snapshots).toHaveLength(1);
    expect(view.breaches).toEqual([]);
    expect(view.error).toBeUndefined();
  }
  const fullLists = bench.kas.requests.filter(({ verb, url }) => verb === 'list' && url.includes('limit=500'));
  expect(fullLists).toHaveLength(1);
}

/** The status of the feed at every change of it, from now on. */
function statuses(): string[] {
  const seen: string[] = [];
  const feed = bench.hub.feeds('1', NAMESPACE)[0];
  feed?.onStatus(() => seen.push(feed.status.state));
  return seen;
}

describe('the others notice nothing when the donor', () => {
  it('leaves: the stream changes hands a minute later, make before break', async () => {
    const { donor, staying } = await start();
    const seen = statuses();
    await donor.leave();
    await pause((50 * 1_000) / SCALE);
    expect(lenders()).toEqual(['ada']);
    await lentBy('eve', 2_000);
    expect(bench.counts('watch')).toBe(2);
    expect(seen.every((state) => state === 'CONNECTED')).toBe(true);
    await unnoticed(staying);
  });

  it('comes back within the minute: nothing changes hands', async () => {
    const { donor, staying } = await start();
    await donor.leave();
    staying.push(await bench.view({ viewer: bench.viewer('ada') }));
    await pause(300);
    await unnoticed(staying);
    expect(bench.counts('watch')).toBeLessThanOrEqual(2);
  });

  it('loses the right: the next one takes over as soon as that is known', async () => {
    const { donor, staying } = await start({ allowMs: 30_000 });
    const seen = statuses();
    revoke(bench.store, 'ada');
    await eventually('ada is out', () => donor.error !== undefined, 3_000);
    expect(donor.error).toMatchObject({ code: 'ACCESS_REVOKED' });
    await lentBy('eve', 500); // not a minute, which would be a second here
    expect(seen.every((state) => state === 'CONNECTED')).toBe(true);
    await unnoticed(staying);
  });

  it('has a token that expires: found out by the next check of it, with the stream still open', async () => {
    const { donor, staying } = await start({ allowMs: 30_000 });
    bench.kas.user('ada').token = 'glpat-another-one-by-now';
    await eventually('ada is out', () => donor.error !== undefined, 3_000);
    expect(donor.error).toMatchObject({ code: 'GITLAB_UNAUTHORIZED' });
    await lentBy('eve', 500);
    await unnoticed(staying);
  });

  it('has a token that has expired when the stream ends: found out by opening it anew', async () => {
    const { donor, staying } = await start({ allowMs: 3_000_000 });
    bench.kas.user('ada').revoked = true;
    for (const watch of bench.api.faults.openWatches(WATCH)) watch.end();
    await eventually('ada is out', () => donor.error !== undefined, 3_000);
    expect(donor.error).toMatchObject({ code: 'GITLAB_UNAUTHORIZED' });
    await lentBy('eve', 1_000);
    await unnoticed(staying);
  });

  it('is refused by the cluster, and so is the next one', async () => {
    const { donor, staying } = await start({ allowMs: 3_000_000 });
    for (const user of ['ada', 'eve']) {
      bench.api.faults.add({ match: { ...WATCH, user }, effect: respond(403, 'Forbidden') });
    }
    for (const watch of bench.api.faults.openWatches(WATCH)) watch.end();
    await lentBy('kim', 2_000);
    expect(donor.error).toMatchObject({ code: 'ACCESS_REVOKED' });
    expect(staying[0]?.error).toMatchObject({ code: 'ACCESS_REVOKED' });
    await unnoticed(staying.slice(1));
  });
});

describe('when nobody is left', () => {
  it('the feed says why', async () => {
    bench = await Bench.start({ lingerMs: 5_000 });
    bench.api.faults.add({ match: { verb: 'list', resource: 'pods' }, effect: respond(403, 'Forbidden') });
    const view = await bench.view();
    await view.ended;
    expect(view.error).toMatchObject({ code: 'ACCESS_REVOKED' });
    expect(await bench.gate.connection(bench.viewer(), '1', NAMESPACE)).toMatchObject({
      status: 'DISCONNECTED',
      reason: 'FORBIDDEN',
    });
  });

  it('no stream goes on with credentials that were withdrawn, nor for more than a minute with those of who left', async () => {
    bench = await Bench.start({ clock: scaledClock(SCALE), lingerMs: 3_600_000 });
    await (await bench.liveView()).leave();
    await pause((40 * 1_000) / SCALE);
    expect(lenders()).toEqual(['ada']);
    await eventually('no stream', () => lenders().length === 0, 2_000, lenders);
    expect(bench.hub.size).toBe(0);

    const view = await bench.liveView();
    bench.kas.user('ada').revoked = true;
    const question = { verb: 'get', group: '', resource: 'pods', namespace: 'other' };
    await expect(bench.gate.can(bench.viewer(), '1', question)).rejects.toMatchObject({ code: 'GITLAB_UNAUTHORIZED' });
    await view.ended;
    await eventually('no stream', () => lenders().length === 0, 500, lenders);
  });

  it('nor does the stream of a log go on with credentials that were withdrawn', async () => {
    bench = await Bench.start({ lingerMs: 3_600_000 });
    bench.store.create(makePod({ name: 'web', namespace: NAMESPACE }));
    const target = { agentId: '1', namespace: NAMESPACE, pod: 'web', container: '' };
    const log = await bench.gate.logs.follow(bench.viewer(), target, { tailLines: 10 });
    const follows = () => bench.kas.inFlight({ resource: 'pods', subresource: 'log' }).length;
    await eventually('the stream', () => follows() === 1, 2_000);
    bench.kas.user('ada').revoked = true;
    const question = { verb: 'get', group: '', resource: 'pods', namespace: 'other' };
    await expect(bench.gate.can(bench.viewer(), '1', question)).rejects.toMatchObject({ code: 'GITLAB_UNAUTHORIZED' });
    await expect(log.next()).rejects.toMatchObject({ code: 'GITLAB_UNAUTHORIZED' });
    await eventually('no stream', () => follows() === 0, 2_000);
    expect(bench.gate.logs.size).toBe(0);
  });
});

describe('a service token', () => {
  let folder: string;
  let file: string;
  let problems: string[];
  let counters: Counters;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kascade-'));
    file = join(folder, 'token');
    problems = [];
    counters = new Counters();
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function startWithToken(text: string | undefined): Promise<void> {
    if (text !== undefined) writeFileSync(file, text);
    const token = new ServiceToken({ file, counters, onProblem: (problem) => problems.push(problem) });
    bench = await Bench.start({
      clock: scaledClock(SCALE),
      lingerMs: 30_000,
      standingDonor: (key) => token.donor(key),
    });
    bench.kas.user('robot', { token: 'glpat-robot' });
    bench.allow('eve', NAMESPACE);
  }

  it('opens the watch in place of a viewer, and lets nobody in who may not look', async () => {
    await startWithToken('glpat-robot\n');
    bench.allow('robot');
    const view = await bench.liveView();
    expect(lenders()).toEqual(['robot']);
    bench.kas.user('mallory');
    await expect(bench.gate.attach(bench.viewer('mallory'), bench.key())).rejects.toMatchObject({ code: 'FORBIDDEN' });
    const another = await bench.liveView({ viewer: bench.viewer('eve') });
    await view.leave();
    await pause((70 * 1_000) / SCALE);
    expect(bench.counts('watch')).toBe(1);
    await bench.converged(another);
    expect(problems).toEqual([]);
    expect(serverHop()?.reason).toBeUndefined();
    expect(bench.kas.counts({ user: 'robot', verb: 'create' })).toBe(0);
  });

  it('is read at each opening: a new one in the file is used without a restart', async () => {
    await startWithToken('glpat-robot');
    bench.allow('robot');
    const view = await bench.liveView();
    bench.kas.user('robot', { token: 'glpat-robot-2' });
    writeFileSync(file, 'glpat-robot-2');
    for (const watch of bench.api.faults.openWatches(WATCH)) watch.end();
    bench.store.create(makePod({ name: 'later', namespace: NAMESPACE }));
    await bench.converged(view);
    await lentBy('robot', 2_000);
    expect(problems).toEqual([]);
    expect(view.snapshots).toHaveLength(1);
  });

  it('that is refused is replaced by viewers, said so, and tried again later', async () => {
    await startWithToken('glpat-robot');
    const view = await bench.liveView();
    expect(lenders()).toEqual(['ada']);
    expect(problems).toEqual(['The service token was refused. Viewers lend theirs, and it is tried again later.']);
    expect(counters.value('service_token_problems', { problem: 'refused' })).toBe(1);
    expect(serverHop()?.reason).toContain('service token');
    bench.allow('robot');
    await lentBy('robot', (6 * 60_000) / SCALE + 1_000);
    expect(serverHop()?.reason).toBeUndefined();
    bench.store.create(makePod({ name: 'later', namespace: NAMESPACE }));
    await bench.converged(view);
    expect(view.snapshots).toHaveLength(1);
  });

  it('that cannot be read is replaced by viewers, and said so once', async () => {
    await startWithToken('two words');
    await bench.liveView();
    expect(lenders()).toEqual(['ada']);
    expect(problems).toEqual(['SERVICE_TOKEN_FILE holds no token that could be read. Viewers lend theirs.']);
    rmSync(file);
    for (const watch of bench.api.faults.openWatches(WATCH)) watch.end();
    await eventually('a watch', () => bench.counts('watch') === 2, 2_000);
    expect(problems).toHaveLength(1);
  });

  it('of another agent is not used here', async () => {
    await startWithToken('pat:2:glpat-robot');
    await bench.liveView();
    expect(lenders()).toEqual(['ada']);
    expect(problems).toEqual([]);
  });
});
