import { goneInStream, hugeEvent, malformedLine, respond, type Effect } from '../../../demo/apiserver/effects.ts';
import { eventually, pause } from '../../support/eventually.ts';
import { grownUp, NAMESPACE } from '../stage.ts';
import { expectNoReset, expectThat, overBothTransports, secondsSince, type Row } from './row.ts';
import { openWatch, WATCH } from './upstream-ends.ts';

/** What streams carry, or should have carried: gaps, repeats, bytes of every sort, more than can be passed on; and a process that is late. */

const BYTES: readonly [variant: string, effect: Effect][] = [
  ['20 MB event', hugeEvent(20_000_000, 1)],
  ['pretty JSON', { pretty: true }],
  ['CRLF', { crlf: true }],
  // No rocket (four bytes) stays whole.
  ['half UTF-8', { splitBytes: 3 }],
  ['bad JSON', malformedLine(1)],
];

export const UPSTREAM_CONTENTS: readonly Row[] = [
  ...overBothTransports({
    id: 'U11',
    fault: 'a pod deleted and made again under its name in a gap',
    expected: 'two objects: the old id removed, the new one added',
    boundSeconds: 3,
    async run(stage) {
      const old = stage.store.get('pods', NAMESPACE, 'a')?.metadata.uid;
      stage.api.faults.add({ match: WATCH, times: 1, effect: goneInStream });
      const mark = performance.now();
      openWatch(stage).end();
      stage.delete('a');
      stage.create('a');
      const seconds = await stage.secondsToConverge(mark, 3);
      const removed = stage.clients.map(({ updates }) => updates.flatMap((update) => update.removed));
      expectThat(
        'the old id is removed, once',
        removed.every((ids) => ids.length === 1 && ids[0] === old),
        removed,
      );
      expectNoReset(stage);
      return seconds;
    },
  }),
  ...overBothTransports({
    id: 'U12',
    fault: 'a pod that vanishes in a gap whose history is gone',
    expected: 'its removal is told',
    boundSeconds: 3,
    async run(stage) {
      await grownUp();
      stage.api.faults.add({ match: WATCH, times: 1, effect: respond(503) });
      const mark = performance.now();
      openWatch(stage).end();
      const { uid } = stage.delete('b').metadata;
      stage.store.compact();
      const seconds = await stage.secondsToConverge(mark, 3);
      const removed = stage.clients.map(({ updates }) => updates.flatMap((update) => update.removed));
      expectThat(
        'its removal is told',
        removed.every((ids) => ids.length === 1 && ids[0] === uid),
        removed,
      );
      expectNoReset(stage);
      return seconds;
    },
  }),
  ...overBothTransports({
    id: 'U13',
    fault: 'changes sent again after a resume',
    expected: 'dropped: no message',
    boundSeconds: undefined,
    async run(stage) {
      for (let index = 0; index < 5; index += 1) stage.touch('a');
      stage.delete('c');
      await stage.converged(5_000);
      await grownUp();
      stage.api.faults.add({ match: WATCH, times: 1, effect: { repeatChanges: 6 } });
      const messages = () => stage.clients.map(({ updates }) => updates.length);
      const [before, opened] = [messages(), stage.kas.counts(WATCH)];
      openWatch(stage).end();
      await eventually('the watch is open again', () => stage.kas.counts(WATCH) > opened, 3_000);
      await pause(300);
      expectThat('no message', String(messages()) === String(before), [before, messages()]);
      stage.touch('b');
      await stage.converged(3_000);
      return undefined;
    },
  }),
  ...BYTES.map(([variant, effect]): Row => ({
    id: 'U14',
    variant,
    fault: 'bytes: 20 MB in one event; pretty JSON; CRLF; torn UTF-8; bad JSON',
    expected: 'read as it should be, or the stream is given up and resumed; no loss, no snapshot',
    boundSeconds: 3,
    async run(stage) {
      await grownUp();
      stage.api.faults.add({ match: WATCH, times: 1, effect });
      const mark = performance.now();
      openWatch(stage).end();
      stage.changeEverySort();
      stage.store.patch('pods', NAMESPACE, 'a', {
        metadata: { labels: { city: 'Zürich' }, annotations: { note: '🚀\n"}{' } },
      });
      const seconds = await stage.secondsToConverge(mark, 3);
      expectNoReset(stage);
      return seconds;
    },
  })),
  ...overBothTransports({
    id: 'U15',
    fault: 'a burst of 10,000 changes to 50 pods',
    expected: 'few messages, bounded memory',
    boundSeconds: 3,
    stage: { pods: Array.from({ length: 50 }, (_, index) => `p-${index}`) },
    async run(stage) {
      const [actor] = stage.actors;
      const memory = async () => (await actor?.replica.metric('process_resident_memory_bytes')) ?? 0;
      const before = await memory();
      for (let index = 0; index < 9_999; index += 1) {
        stage.touch(`p-${index % 50}`);
        // The writer is this process: so that it does not count as the fault's length, others get their turn.
        if (index % 200 === 0) await pause(0);
      }
      stage.touch('p-0');
      await stage.converged(30_000);
      // It takes KAS's stand-in longer to send all that than the replica to take it: the burst ends with its last byte.
      const lastByteAt = Math.max(...(actor?.toKas.connections ?? []).map(({ heardAt }) => heardAt));
      const seconds = secondsSince(lastByteAt);
      const messages = Math.max(...stage.clients.map(({ updates }) => updates.length));
      expectThat('fewer than half as many messages as changes', messages < 5_000, messages);
      expectThat('less than 300 MB more memory', (await memory()) - before < 300e6, (await memory()) - before);
      expectNoReset(stage);
      return seconds;
    },
  }),
  {
    id: 'U21',
    fault: "the replica's event loop blocked for 2 s",
    expected: 'nothing is dropped, it catches up',
    boundSeconds: 3,
    async run(stage) {
      const stop = stage.churn(5);
      await pause(200);
      const mark = performance.now();
      stage.actors[0]?.replica.block();
      await pause(1_500);
      stop();
      const seconds = await stage.secondsToConverge(mark, 3);
      expectThat('the same watch', stage.kas.counts(WATCH) === 1, stage.kas.counts(WATCH));
      expectNoReset(stage);
      return seconds;
    },
  },
];
