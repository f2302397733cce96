import { connect } from 'node:net';
import { pause } from '../../support/eventually.ts';
import { LIVE_PODS, RawSocket } from '../raw-socket.ts';
import type { Stage } from '../stage.ts';
import { expectThat, secondsSince, type Row } from './row.ts';

/** K6: sockets that mean harm, each refused in its own way. */

function url(stage: Stage): string {
  return stage.actors[0]?.replica.webSocketUrl ?? '';
}

/** Closes with this code after these messages. */
function closes(variant: string, messages: readonly (object | string)[], code: number): Row {
  return {
    id: 'K6',
    variant,
    fault: `hostile sockets: ${variant}`,
    expected: `closed with ${code}`,
    boundSeconds: 3,
    async run(stage) {
      const raw = await RawSocket.open(url(stage), { token: stage.allow('mallory') });
      const mark = performance.now();
      for (const message of messages) raw.send(message);
      const got = await Promise.race([raw.closed, pause(6_000)]);
      expectThat(`closed with ${code}`, got === code, got);
      return secondsSince(mark);
    },
  };
}

/** Refused as an operation; the socket stays. */
function refuses(variant: string, query: string, limit: string): Row {
  return {
    id: 'K6',
    variant,
    fault: `hostile sockets: ${variant}`,
    expected: `LIMIT_EXCEEDED (${limit}); the socket stays`,
    boundSeconds: 3,
    async run(stage) {
      const raw = await RawSocket.open(url(stage), { token: stage.allow('mallory') });
      const mark = performance.now();
      raw.subscribe('1', query);
      while (!raw.errorText('1').includes(limit) && secondsSince(mark) < 6) await pause(5);
      expectThat(limit, raw.errorText('1').includes(limit), raw.messages.at(-1));
      expectThat('the socket stays', raw.socket.readyState === raw.socket.OPEN);
      return secondsSince(mark);
    },
  };
}

const subscribe = (id: string) => ({ id, type: 'subscribe', payload: { query: LIVE_PODS } });
const aliases = Array.from({ length: 31 }, (_, index) => `a${index}: __typename`).join(' ');

export const HOSTILE_CLIENTS: readonly Row[] = [
  closes('a message of 1 MB', ['x'.repeat(1_000_000)], 1009),
  closes('no JSON', ['{{{'], 4400),
  closes('a second connection_init', [{ type: 'connection_init' }], 4429),
  closes('an id in use', [subscribe('1'), subscribe('1')], 4409),
  refuses('a depth bomb', `{ k8sPods(agentId: 1) ${'{ nodes '.repeat(13)} { id } ${'}'.repeat(13)} }`, 'MAX_DEPTH'),
  refuses('an alias bomb', `{ ${aliases} }`, 'MAX_ALIASES'),
  {
    id: 'K6',
    variant: 'another origin',
    fault: 'hostile sockets: a page of another origin',
    expected: '403 before the upgrade',
    boundSeconds: 3,
    async run(stage) {
      const mark = performance.now();
      const raw = await RawSocket.open(url(stage), { headers: { origin: 'https://evil.example.com' } });
      expectThat('403', raw.ending === 403, raw.ending);
      return secondsSince(mark);
    },
  },
  {
    id: 'K6',
    variant: 'no init',
    fault: 'hostile sockets: never says who it is',
    expected: 'closed with 4408 after 3 s',
    boundSeconds: 5,
    async run(stage) {
      const raw = await RawSocket.open(url(stage), { init: false });
      const mark = performance.now();
      const got = await Promise.race([raw.closed, pause(10_000)]);
      expectThat('closed with 4408', got === 4408, got);
      return secondsSince(mark);
    },
  },
  {
    id: 'K6',
    variant: 'slow-loris',
    fault: 'hostile sockets: headers that never end',
    expected: 'cut after 10 s (looked at every few seconds)',
    boundSeconds: 16,
    async run(stage) {
      const { port } = new URL(url(stage));
      const tcp = connect(Number(port), '127.0.0.1').on('error', () => undefined);
      const closed = new Promise((resolve) => {
        tcp.resume().once('close', resolve);
      });
      const mark = performance.now();
      tcp.write('POST /graphql HTTP/1.1\r\nHost: x\r\n');
      const drip = setInterval(() => tcp.write('X'), 500);
      await Promise.race([closed, pause(30_000)]);
      clearInterval(drip);
      const seconds = secondsSince(mark);
      tcp.destroy();
      return seconds;
    },
  },
];
