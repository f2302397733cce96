import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  errorInStream,
  forbidden,
  gone,
  goneInStream,
  hugeEvent,
  internalErrorInStream,
  malformedLine,
  respond,
  tooLargeResourceVersion,
  tooManyRequests,
  unauthorized,
} from '../../../demo/apiserver/effects.ts';
import { makePod, revoke } from '../../../demo/apiserver/objects.ts';
import type { TransportMode } from '../../../src/sources/kas/transport-chooser.ts';
import { Bench, NAMESPACE, type BenchOptions } from '../../support/bench.ts';
import { eventually, pause } from '../../support/eventually.ts';
import type { RecordedView } from '../../support/recorded-view.ts';
import { scaledClock } from '../../support/scaled-clock.ts';

/** Rows of the fault matrix: the fault, what is done about it, and the time within which the view is right again. */

const WATCH = { verb: 'watch', resource: 'pods' } as const;
const LIST = { verb: 'list', resource: 'pods' } as const;

let transport: TransportMode;
let bench: Bench;
let view: RecordedView;

async function start(options: BenchOptions = {}): Promise<void> {
  bench = await Bench.start({ transport, clock: scaledClock(5), lingerMs: 60_000, ...options });
  for (const name of ['a', 'b', 'c']) create(name);
  view = await bench.liveView();
}

function create(name: string) {
  return bench.store.create(makePod({ name, namespace: NAMESPACE }));
}

function touch(name: string, value = String(Math.random())) {
  return bench.store.patch('pods', NAMESPACE, name, { metadata: { labels: { touched: value } } });
}

function openWatch() {
  const [watch] = bench.api.faults.openWatches(WATCH);
  if (watch === undefined) throw new Error('no watch is open');
  return watch;
}

/** A watch older than five seconds, whose end is no trouble. */
async function settle(): Promise<void> {
  await pause(5_100 / 5);
}

/** Runs every row over one transport. */
export function upstreamFaults(mode: TransportMode): void {
  describe('faults', () => {
    beforeAll(() => {
      transport = mode;
    });

    afterEach(async () => {
      bench.checkRules(view);
      await bench.close();
    });

    describe('the end of a stream', () => {
      it('U1: a clean end is resumed from the last version, without a list and unseen by viewers', async () => {
        await start();
        await settle();
        openWatch().end();
        touch('a');
        await bench.converged(view, 1_000);
        expect(bench.counts('list')).toBe(1);
        expect(view.snapshots).toHaveLength(1);
      });

      it('U2: a cut in the middle of a document drops the part and resumes', async () => {
        await start();
        await settle();
        bench.api.faults.add({ match: WATCH, times: 1, effect: { cutAfterBytes: 3_000 } });
        openWatch().end();
        touch('a');
        touch('b');
        await bench.converged(view, 2_000);
        expect(bench.counts('list')).toBe(1);
        expect(view.snapshots).toHaveLength(1);
      });

      it('U3: a black hole is suspected after two minutes, and a second stream takes over', async () => {
        await start({ clock: scaledClock(60), agent: { bookmarkPeriodMs: 500 } });
        // Once bookmarks have come they are required, whatever else the transport says.
        await eventually('a bookmark', () => openWatch().bookmarks > 0, 2_000);
        const states = bench.followStates();
        openWatch().silence();
        touch('a');
        await eventually('a doubt', () => states.includes('CONNECTING'), 130_000 / 60);
        await bench.converged(view, 130_000 / 60);
        await bench.connected();
        await eventually('one stream', () => bench.kas.inFlight(WATCH).length === 1, 1_000);
        expect(bench.counts('list')).toBe(1);
      });

      it('U6: two empty closes in a row lead to a consistent list, with few requests', async () => {
        await start();
        bench.api.faults.add({ match: WATCH, times: 2, effect: { endAtOnce: true } });
        const opened = bench.counts('watch');
        openWatch().end();
        touch('a');
        await bench.converged(view, 5_000);
        await bench.connected();
        expect(bench.counts('watch') - opened).toBeLessThanOrEqual(4);
        expect(bench.counts('list')).toBe(2);
        expect(view.snapshots).toHaveLength(1);
      });
    });

    describe('versions that are too old or too new', () => {
      it('U4: a 410 inside the stream leads to a list, of which viewers see the difference only', async () => {
        await start();
        bench.api.faults.add({ match: WATCH, times: 1, effect: goneInStream });
        openWatch().end();
        touch('a');
        bench.store.delete('pods', NAMESPACE, 'b');
        await bench.converged(view, 3_000);
        expect(bench.counts('list')).toBe(2);
        expect(view.snapshots).toHaveLength(1);
      });

      it('U5: a 410 as the answer is the same', async () => {
        await start();
        bench.api.faults.add({ match: WATCH, times: 1, effect: gone });
        openWatch().end();
        touch('a');
        await bench.converged(view, 3_000);
        expect(bench.counts('list')).toBe(2);
        expect(view.snapshots).toHaveLength(1);
      });

      it('U4: history that the server has really compacted', async () => {
        await start();
        bench.api.faults.add({ match: WATCH, times: 1, effect: respond(503) });
        openWatch().end();
        bench.store.delete('pods', NAMESPACE, 'a');
        create('d');
        bench.store.compact();
        await bench.converged(view, 5_000);
        expect(view.snapshots).toHaveLength(1);
      });

      it('U7: a server that is behind is waited for', async () => {
        await start();
        bench.api.faults.add({ match: WATCH, times: 1, effect: tooLargeResourceVersion(1) });
        openWatch().end();
        touch('a');
        await bench.converged(view, 5_000);
        expect(bench.counts('list')).toBe(1);
      });

      it('U7: a server that stays behind was restored from a backup: a new epoch, and viewers are told', async () => {
        await start({ clock: scaledClock(5) });
        bench.api.faults.add({ match: WATCH, times: 4, effect: tooLargeResourceVersion(1) });
        bench.store.rewind();
        create('after-the-restore');
        await bench.converged(view, 15_000 / 5 + 500);
        expect(view.last).toMatchObject({ type: 'SNAPSHOT', resyncReason: 'UPSTREAM_RESET' });
      });

      it('a restored server that says nothing is found out when its silence becomes suspicious', async () => {
        // Pongs speak for a WebSocket's quiet watch for ten minutes; without them it is twice two minutes.
        await start({ clock: scaledClock(300) });
        bench.store.rewind();
        create('after-the-restore');
        await bench.converged(view, 900_000 / 300 + 1_000);
        expect(view.last).toMatchObject({ type: 'SNAPSHOT', resyncReason: 'UPSTREAM_RESET' });
      });
    });

    describe('refusals', () => {
      it('U8: 429 is honoured: nothing is asked before Retry-After', async () => {
        await start();
        bench.api.faults.add({ match: WATCH, times: 1, effect: tooManyRequests(3) });
        const watches = () =>
          bench.kas.requests.filter(({ verb, resource }) => verb === 'watch' && resource === 'pods');
        openWatch().end();
        touch('a');
        await bench.disconnected();
        expect(bench.status()).toMatchObject({ reason: 'RATE_LIMITED' });
        await bench.converged(view, 9_000);
        const [refused, next] = watches().slice(-2);
        expect((next?.startedAt ?? 0) - (refused?.startedAt ?? 0)).toBeGreaterThanOrEqual(2_990 / 5);
      });

      it('U9: a 401 on reopening ends the only viewer whose credentials there are, without a storm', async () => {
        await start();
        bench.api.faults.add({ match: WATCH, times: 100, effect: unauthorized });
        const opened = bench.counts('watch');
        openWatch().end();
        await eventually('the view ends', () => view.error !== undefined, 2_000);
        expect(view.error).toMatchObject({ code: 'ACCESS_REVOKED' });
        expect(bench.counts('watch') - opened).toBeLessThanOrEqual(2);
      });

      it('U9: another viewer takes over, and notices nothing', async () => {
        await start();
        bench.allow('bob');
        const other = await bench.liveView({ viewer: bench.viewer('bob') });
        bench.api.faults.add({ match: { ...WATCH, user: 'gitlab:user:ada' }, times: 100, effect: unauthorized });
        openWatch().end();
        touch('a');
        await bench.converged(other, 3_000);
        await eventually('the refused one is told', () => view.error !== undefined, 2_000);
        expect(other.snapshots).toHaveLength(1);
        expect(other.error).toBeUndefined();
        expect(other.breaches).toEqual([]);
      });

      it('U10: rights taken away end the view within the bound', async () => {
        await start({ clock: scaledClock(30) });
        revoke(bench.store, 'ada');
        await eventually('the view ends', () => view.error !== undefined, 75_000 / 30 + 500);
        expect(view.error).toMatchObject({ code: 'ACCESS_REVOKED', retryable: false });
      });

      it('U10: a 403 on reopening ends the view at once', async () => {
        await start();
        bench.api.faults.add({ match: WATCH, times: 100, effect: forbidden });
        openWatch().end();
        await eventually('the view ends', () => view.error !== undefined, 2_000);
        expect(view.error).toMatchObject({ code: 'ACCESS_REVOKED' });
      });

      it('a failing server is asked again, then listed', async () => {
        await start({ clock: scaledClock(5) });
        bench.api.faults.add({ match: WATCH, times: 3, effect: internalErrorInStream });
        openWatch().end();
        touch('a');
        await bench.converged(view, 5_000);
        expect(bench.counts('list')).toBe(2);
        expect(view.snapshots).toHaveLength(1);
      });
    });

    describe('what happens in a gap', () => {
      it('U11: an object deleted and made again under its name is two objects', async () => {
        await start();
        const old = bench.store.get('pods', NAMESPACE, 'a');
        bench.api.faults.add({ match: WATCH, times: 1, effect: goneInStream });
        openWatch().end();
        bench.store.delete('pods', NAMESPACE, 'a');
        const fresh = create('a');
        await bench.converged(view, 3_000);
        expect(view.updates.flatMap(({ removed }) => removed)).toEqual([old?.metadata.uid]);
        expect(view.objects.has(fresh.metadata.uid)).toBe(true);
        expect(view.snapshots).toHaveLength(1);
      });

      it('U12: an object that vanished is announced', async () => {
        await start();
        bench.api.faults.add({ match: WATCH, times: 1, effect: goneInStream });
        openWatch().end();
        const vanished = bench.store.delete('pods', NAMESPACE, 'b');
        bench.store.compact();
        await bench.converged(view, 3_000);
        expect(view.updates.flatMap(({ removed }) => removed)).toEqual([vanished.metadata.uid]);
      });

      it('U13: repeats after a resume are dropped', async () => {
        await start();
        for (let index = 0; index < 5; index += 1) touch('a');
        bench.store.delete('pods', NAMESPACE, 'c');
        await bench.converged(view);
        bench.api.faults.add({ match: WATCH, times: 1, effect: { repeatChanges: 6 } });
        openWatch().end();
        const messages = view.updates.length;
        await eventually(
          'the watch is open again',
          () => bench.kas.inFlight(WATCH).length === 1 && bench.counts('watch') === 2,
          3_000,
        );
        await pause(200);
        expect(view.updates).toHaveLength(messages);
        touch('b');
        await bench.converged(view);
      });
    });

    describe('bytes', () => {
      it.each([
        ['many lines', { pretty: true }],
        ['CRLF', { crlf: true }],
        ['single bytes', { splitBytes: 1 }],
        ['a content type with a parameter', { contentType: 'application/json;stream=watch' }],
      ])('U14: %s are read as they should be', async (_, effect) => {
        await start();
        bench.api.faults.add({ match: WATCH, times: 100, effect });
        openWatch().end();
        touch('a', 'grün');
        bench.store.patch('pods', NAMESPACE, 'b', { metadata: { annotations: { note: 'a "}{" \\ and a 🚀\n' } } });
        await bench.converged(view, 3_000);
        const note = [...view.objects.values()].find(({ metadata }) => metadata.name === 'b')?.metadata.annotations?.[
          'note'
        ];
        expect(note).toBe('a "}{" \\ and a 🚀\n');
        expect(bench.counts('list')).toBe(1);
      });

      it.each([
        ['a line that is no JSON', malformedLine(1)],
        ['an event of 20 MB', hugeEvent(20_000_000, 1)],
      ])('U14: %s ends the stream, and it is resumed without a loss', async (_, effect) => {
        await start();
        bench.api.faults.add({ match: WATCH, times: 1, effect });
        openWatch().end();
        touch('a');
        touch('b');
        await bench.converged(view, 3_000);
        expect(view.snapshots).toHaveLength(1);
      });

      it('U14: a line that stays undecodable is listed around', async () => {
        await start();
        bench.api.faults.add({ match: WATCH, times: 2, effect: malformedLine(0) });
        openWatch().end();
        touch('a');
        await bench.converged(view, 3_000);
        expect(bench.counts('list')).toBe(2);
      });

      it('U15: a burst of 10,000 changes to 50 pods arrives as few messages', async () => {
        await start();
        for (let index = 0; index < 50; index += 1) create(`pod-${index}`);
        for (let index = 0; index < 10_000; index += 1) touch(`pod-${index % 50}`, String(index));
        await bench.converged(view, 10_000);
        expect(view.updates.length).toBeLessThan(5_000);
        expect(view.snapshots).toHaveLength(1);
      });
    });

    describe('lists', () => {
      it('U16: a page that expires starts the list anew; the token offered is never used', async () => {
        bench = await Bench.start({ transport });
        for (let index = 0; index < 1_100; index += 1) create(`pod-${index}`);
        bench.api.faults.add({ match: { ...LIST, continued: true }, times: 1, effect: { expireContinue: true } });
        view = await bench.view();
        await bench.converged(view, 5_000);
        expect(view.updates).toHaveLength(1);
        const starts = bench.kas.counts({ verb: 'list', resource: 'pods', continued: false });
        expect(starts).toBe(2);
      });

      it('U16: pages that keep expiring are given up for one piece', async () => {
        bench = await Bench.start({ transport });
        for (let index = 0; index < 1_100; index += 1) create(`pod-${index}`);
        bench.api.faults.add({ match: { ...LIST, continued: true }, times: 100, effect: { expireContinue: true } });
        view = await bench.view();
        await bench.converged(view, 5_000);
        expect(view.last).toMatchObject({ total: 1_100 });
      });

      it.each([['ignore'], ['refuse'], ['fail']] as const)(
        'U17: a server that would %s an initial-events watch is never asked for one',
        async (initialEvents) => {
          bench = await Bench.start({ transport });
          create('a');
          bench.api.faults.add({ match: WATCH, times: 100, effect: { initialEvents } });
          view = await bench.liveView();
          touch('a');
          await bench.converged(view, 3_000);
          expect(bench.kas.requests.filter(({ url }) => url.includes('sendInitialEvents'))).toEqual([]);
        },
      );
    });

    describe('slowness', () => {
      it('U20: headers that take 90 seconds are no failure', async () => {
        await start({ clock: scaledClock(90) });
        bench.api.faults.add({ match: WATCH, times: 1, effect: { delayHeadersMs: 90_000 / 90 } });
        const opened = bench.counts('watch');
        openWatch().end();
        touch('a');
        await pause(500);
        // Over KAS's WebSocket nothing tells such a watch from one that has nothing to say.
        const state = transport === 'http' ? 'CONNECTING' : 'CONNECTED';
        expect(bench.status()).toMatchObject({ state, attempts: 0 });
        await bench.converged(view, 5_000);
        expect(bench.counts('watch') - opened).toBe(1);
      });

      it('U19: while the agent is away the view stays, says so, and comes back by itself', async () => {
        await start({ clock: scaledClock(10) });
        bench.kas.agent(1).disconnect();
        await bench.disconnected();
        await eventually(
          'the reason',
          () => bench.status().reason === 'AGENT_NOT_CONNECTED',
          3_000,
          () => bench.status(),
        );
        expect(bench.status().nextRetryAt).toBeDefined();
        expect(bench.status().hops).toMatchObject([
          { name: 'server', status: 'CONNECTED' },
          { name: 'kas', status: 'CONNECTED' },
          { name: 'agent', status: 'DISCONNECTED', reason: 'AGENT_NOT_CONNECTED' },
          { name: 'cluster', status: 'CONNECTING' },
        ]);
        touch('a');
        bench.kas.agent(1).connect();
        await bench.converged(view, 35_000 / 10 + 1_000);
        await bench.connected();
        expect(view.snapshots).toHaveLength(1);
        expect(view.error).toBeUndefined();
      });

      it('an in-stream error that is no Status is retried', async () => {
        await start();
        bench.api.faults.add({
          match: WATCH,
          times: 1,
          effect: errorInStream({
            kind: 'Status',
            apiVersion: 'v1',
            metadata: {},
            status: 'Failure',
            message: '',
            code: 500,
          } as never),
        });
        openWatch().end();
        touch('a');
        await bench.converged(view, 3_000);
        expect(view.snapshots).toHaveLength(1);
      });
    });
  });
}
