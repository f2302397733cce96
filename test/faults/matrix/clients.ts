import { eventually, pause } from '../../support/eventually.ts';
import { changePods, connect, createLargePods, fillBuffers, isAudited, theOnly } from '../crowd.ts';
import { LARGE_PODS, LIVE_PODS, RawSocket } from '../raw-socket.ts';
import { NAMESPACE } from '../stage.ts';
import { expectNoReset, expectThat, secondsSince, type Row } from './row.ts';

/** Clients that are slow, many, forgetful, restless or greedy. */

const STORM = 2_000;
const STORM_MS = 10_000;

export const CLIENTS: readonly Row[] = [
  {
    id: 'K1',
    fault: 'a client that stops reading',
    expected: 'closed with 1013 after 30 s (looked at every 2 s); the others notice nothing',
    boundSeconds: 36,
    async run(stage) {
      createLargePods(stage);
      const stuck = await connect(stage, 'stuck');
      stuck.subscribe('1', LARGE_PODS);
      await eventually('its first message', () => stuck.updates('1').length > 0, 10_000);
      stuck.socket.pause();
      const mark = performance.now();
      const isSentAway = () => theOnly(stage).lines.some((line) => line.includes('reads nothing'));
      fillBuffers(stage);
      let slowest = 0;
      for (let round = 0; !isSentAway() && secondsSince(mark) < 60; round += 1) {
        changePods(stage, 10, { round: String(round) });
        const started = performance.now();
        await stage.converged(10_000);
        slowest = Math.max(slowest, secondsSince(started));
        await pause(500);
      }
      const seconds = secondsSince(mark);
      expectThat('not before 30 s', seconds >= 30, seconds);
      expectThat('the others are never behind for more than 3 s', slowest < 3, slowest);
      stuck.socket.resume();
      const code = await stuck.closed;
      expectThat('closed with 1013, or cut if it did not take even that', code === 1013 || code === 1006, code);
      expectNoReset(stage);
      return seconds;
    },
  },
  {
    id: 'K2',
    fault: '2,000 clients that reconnect within 10 s',
    expected: 'nothing is asked upstream; all resume from the log; the event loop stays below 100 ms (p99)',
    boundSeconds: 20,
    stage: { pods: Array.from({ length: 20 }, (_, index) => `p-${index}`) },
    async run(stage) {
      const token = stage.allow('everybody');
      const url = theOnly(stage).webSocketUrl;
      const arrive = async (resume: string | undefined, index: number) => {
        await pause((index / STORM) * STORM_MS);
        const raw = await RawSocket.open(url, { token });
        raw.subscribe('1', LIVE_PODS, { resume });
        await eventually(
          'a message',
          () => raw.updates('1').length > 0,
          30_000,
          () => raw.ending,
        );
        return raw;
      };
      const first = await Promise.all(Array.from({ length: STORM }, (_, index) => arrive(undefined, index)));
      const cursors = first.map((raw) => raw.updates('1').at(-1)?.cursor);
      for (const { socket } of first) socket.terminate();
      stage.create('meanwhile');
      const requests = stage.kas.requests.length;
      // Reading begins anew each time: first for what the machine itself adds while nothing happens.
      await theOnly(stage).metric('nodejs_eventloop_lag_p99_seconds');
      await pause(3_000);
      const idle = (await theOnly(stage).metric('nodejs_eventloop_lag_p99_seconds')) ?? 0;
      const mark = performance.now();
      const second = await Promise.all(cursors.map(arrive));
      const seconds = secondsSince(mark);
      const lag = (await theOnly(stage).metric('nodejs_eventloop_lag_p99_seconds')) ?? Number.NaN;
      const answers = new Set(second.map((raw) => JSON.stringify({ ...raw.updates('1')[0], cursor: undefined })));
      for (const { socket } of second) socket.terminate();
      const [answer = ''] = answers;
      expectThat('one answer for all: the change', answers.size === 1 && answer.includes('"CHANGES"'), [...answers]);
      const asked = stage.kas.requests.slice(requests).map(({ verb, resource }) => `${verb} ${resource}`);
      expectThat('nothing is asked upstream', asked.length === 0, asked);
      expectThat('the event loop is late by less than 100 ms (p99) more than idle', lag < idle + 0.1, { lag, idle });
      expectNoReset(stage);
      return seconds;
    },
  },
  {
    id: 'K3',
    fault: 'cursors that are forged, from the future, or of somebody else',
    expected: 'a snapshot with CURSOR_INVALID; without the right FORBIDDEN, and it is in the audit log',
    boundSeconds: undefined,
    isQuick: true,
    async run(stage) {
      const cursor = stage.clients[0]?.updates.at(-1)?.cursor ?? '';
      const future = Buffer.from(cursor, 'base64url')
        .toString()
        .replace(/^(1\.[\w-]+)\.\w+\./, '$1.zzzzzz.');
      const raw = await connect(stage, 'forger');
      const forged = ['forged', Buffer.from(future).toString('base64url'), `x${cursor}`, cursor.slice(1)];
      for (const [id, resume] of forged.entries()) raw.subscribe(String(id), LIVE_PODS, { resume });
      raw.subscribe('elsewhere', LIVE_PODS, { resume: cursor, namespace: 'elsewhere' });
      raw.subscribe('honest', LIVE_PODS, { resume: cursor });
      const answer = (id: string) => raw.updates(id)[0];
      const ids = [...forged.keys().map(String), 'elsewhere'];
      await eventually('answers', () => [...ids, 'honest'].every((id) => answer(id) !== undefined), 10_000);
      for (const id of ids) {
        const { type, resyncReason } = answer(id) ?? {};
        expectThat('a snapshot that says why', type === 'SNAPSHOT' && resyncReason === 'CURSOR_INVALID', [
          id,
          answer(id),
        ]);
      }
      expectThat('a good cursor resumes', answer('honest')?.type === 'CHANGES', answer('honest'));
      const { token } = stage.kas.user('nobody');
      const foreign = await RawSocket.open(theOnly(stage).webSocketUrl, { token });
      foreign.subscribe('1', LIVE_PODS, { resume: cursor });
      await eventually('a refusal', () => foreign.errorText('1').includes('FORBIDDEN'), 5_000);
      expectThat('and nothing else', foreign.updates('1').length === 0);
      await eventually('an audit entry', () => isAudited(stage, 'deny', 'nobody'), 5_000);
      return undefined;
    },
  },
  {
    id: 'K4',
    fault: 'subscribing and leaving, 100 times a second',
    expected: 'one upstream, one list; nothing is left behind',
    boundSeconds: undefined,
    stage: { viewersEach: 0, roamers: 0, env: { LINGER_SECONDS: '2' } },
    async run(stage) {
      const raw = await connect(stage, 'restless');
      for (let index = 0; index < 300; index += 1) {
        raw.subscribe(`s-${index}`, LIVE_PODS);
        raw.send({ id: `s-${index}`, type: 'complete' });
        await pause(10);
      }
      raw.subscribe('last', LIVE_PODS);
      await eventually('it still works', () => raw.updates('last').length > 0, 5_000);
      expectThat('one list', stage.lists() === 1, stage.lists());
      expectThat('one watch', stage.watches.length === 1, stage.watches.length);
      raw.socket.terminate();
      await eventually('nothing is left upstream', () => stage.kas.openStreams(1) === 0, 6_000);
      expectThat('no feed', (await theOnly(stage).metric('kascade_feeds')) === 0);
      expectThat('no socket', (await theOnly(stage).metric('kascade_sockets')) === 0);
      return undefined;
    },
  },
  {
    id: 'K5',
    fault: '1,000 namespaces by one user',
    expected: 'LIMIT_EXCEEDED; at most 20 upstream; nobody else is concerned',
    boundSeconds: undefined,
    stage: { env: { MAX_FEEDS_PER_VIEWER: '20', MAX_OPERATIONS_PER_SOCKET: '2000' } },
    async run(stage) {
      const raw = await connect(stage, 'greedy');
      const ids = Array.from({ length: 1_000 }, (_, index) => `n-${index}`);
      for (const id of ids) raw.subscribe(id, LIVE_PODS, { namespace: id });
      const answered = () => new Set(raw.messages.map(({ id }) => id).filter((id) => id !== undefined)).size;
      await eventually('an answer to each', () => answered() === ids.length, 30_000, answered);
      const refused = raw.messages.filter((message) => JSON.stringify(message).includes('(MAX_FEEDS_PER_VIEWER)'));
      const served = raw.messages.filter((message) => JSON.stringify(message).includes('"SNAPSHOT"'));
      expectThat('20 are served', served.length === 20 && refused.length === 980, [served.length, refused.length]);
      const watched = new Set(stage.watches.map(({ namespace }) => namespace).filter((name) => name !== NAMESPACE));
      expectThat('at most 20 upstream', watched.size <= 20, watched.size);
      stage.changeEverySort();
      await stage.converged(5_000);
      raw.socket.terminate();
      return undefined;
    },
  },
];
