import { afterEach, beforeEach, expect, it } from 'vitest';
import { grant, makePod } from '../../demo/apiserver/objects.ts';
import { startKas, type Kas } from '../../demo/kas/index.ts';
import { LiveClient, type JoinOptions } from '../fanout/live-client.ts';
import { WHOLE } from '../fanout/shapes.ts';
import { eventually } from '../support/eventually.ts';
import { Replica } from '../support/processes/replica.ts';
import { tokenOf } from '../support/whole-server.ts';

/** A rollout: a server with a thousand subscribers is told to stop while the cluster goes on, and another takes them. */

const SOCKETS = 980;
const STREAMS = 20;
const PER_VIEWER = 10;
const AT_ONCE = 100;
const CHANGE_MS = 100;
const WITHIN_MS = 20_000;
const ENV = { DRAIN_SECONDS: '2', MAX_UPGRADES_PER_SECOND: '0', LINGER_SECONDS: '1' };

let kas: Kas;
let store: ReturnType<Kas['agent']>['api']['store'];

beforeEach(async () => {
  kas = await startKas();
  ({ store } = kas.agent(1).api);
  for (let pod = 0; pod < 20; pod += 1) store.create(makePod({ name: `pod-${pod}`, namespace: 'shop' }));
});

afterEach(() => kas.close());

interface Guest {
  readonly client: LiveClient;
  readonly options: JoinOptions;
}

async function join(server: Replica): Promise<Guest[]> {
  const guests: Guest[] = [];
  for (let start = 0; start < SOCKETS + STREAMS; start += AT_ONCE) {
    const some = Array.from({ length: AT_ONCE }, (_, index) => optionsOf(start + index));
    const join = async (options: JoinOptions) => ({
      options,
      client: await LiveClient.join({ server }, SHAPE, options),
    });
    guests.push(...(await Promise.all(some.map(join))));
  }
  return guests;
}

const SHAPE = { ...WHOLE, variables: { namespace: 'shop' } };

function optionsOf(index: number): JoinOptions {
  const user = `viewer-${Math.floor(index / PER_VIEWER)}`;
  if (index % PER_VIEWER === 0) {
    kas.user(user, { token: tokenOf(user) });
    grant(store, user, 'shop', ['list', 'watch'], ['pods']);
  }
  return { user, transport: index < SOCKETS ? 'ws' : 'sse' };
}

/** Pods come, change and go until it is told to stop. */
function keepChanging(): () => void {
  let round = 0;
  const timer = setInterval(() => {
    round += 1;
    store.update(makePod({ name: `pod-${round % 20}`, namespace: 'shop', annotations: { round: String(round) } }));
    store.create(makePod({ name: `new-${round}`, namespace: 'shop' }));
    if (round > 3) store.delete('pods', 'shop', `new-${round - 3}`, { gracePeriodSeconds: 0 });
  }, CHANGE_MS);
  return () => clearInterval(timer);
}

it('sends a thousand subscribers away with 1012, who lose nothing by it, lets go of the cluster, and ends with 0', async () => {
  await using next = await Replica.start({ kasUrl: kas.url, env: ENV });
  const resident = await LiveClient.join({ server: next }, SHAPE, optionsOf(2_000));
  await eventually('its watch', () => resident.messages.length > 0 && kas.openStreams(1) === 1, WITHIN_MS);
  await using server = await Replica.start({ kasUrl: kas.url, env: ENV });
  const guests = await join(server);
  await eventually('all snapshots', () => guests.every(isServed) && kas.openStreams(1) === 2, WITHIN_MS);

  const stopChanging = keepChanging();
  const endings: (number | string)[] = [];
  const messagesAtFirstEnding = new Map<LiveClient, number>();
  const moves = guests.map(async ({ client, options }) => {
    const ending = await client.ended;
    if (endings.push(ending) === 1)
      for (const each of guests) messagesAtFirstEnding.set(each.client, each.client.messages.length);
    const wasServedOn = client.messages.length > (messagesAtFirstEnding.get(client) ?? 0);
    const moved = await LiveClient.join({ server: next }, SHAPE, { ...options, resume: client.cursor, before: client });
    return { client, moved, wasServedOn };
  });
  server.signal('SIGTERM');
  const moved = await Promise.all(moves);

  expect(await server.exited).toBe('exit 0');
  await eventually('the watches of the first are closed', () => kas.openStreams(1) === 1, WITHIN_MS);
  expect(endings.filter((ending) => ending === 1012)).toHaveLength(SOCKETS);
  expect(endings.filter((ending) => ending === 'cut')).toHaveLength(STREAMS);
  // One after the other, and not forgotten while they waited.
  expect(moved.filter(({ wasServedOn }) => wasServedOn).length).toBeGreaterThan(guests.length / 4);

  stopChanging();
  await eventually(
    'everybody has what the cluster has',
    () => moved.every(({ moved: { set } }) => isEqual(set, inCluster())),
    WITHIN_MS,
  );
  expect(
    moved.flatMap(({ client, moved }) => [...client.breaches, ...client.errors, ...moved.breaches, ...moved.errors]),
  ).toEqual([]);
}, 60_000);

function isServed({ client }: Guest): boolean {
  return client.messages.length > 0;
}

function isEqual(set: ReadonlyMap<string, unknown>, other: ReadonlyMap<string, unknown>): boolean {
  return set.size === other.size && [...set].every(([id, version]) => other.get(id) === version);
}

function inCluster(): Map<string, string> {
  return new Map(store.list('pods', 'shop').map(({ metadata }) => [metadata.uid, metadata.resourceVersion]));
}
