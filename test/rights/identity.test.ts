import { afterAll, beforeAll, expect, it } from 'vitest';
import { makePod } from '../../demo/apiserver/objects.ts';
import { eventually } from '../support/eventually.ts';
import { LIVE_PODS, RightsServer } from './rights-server.ts';

/** SHARING=identity: clusters that answer each user differently. */

let whole: RightsServer;
beforeAll(async () => {
  whole = await RightsServer.start({ env: { SHARING: 'identity' } });
  whole.allow('eve', 'shop');
});
afterAll(() => whole[Symbol.asyncDispose]());

function follow(user: string) {
  const names: string[] = [];
  whole.client(user).subscribe<{ k8sPods: { upserted: { metadata: { name: string } }[] } }>(
    { query: LIVE_PODS },
    {
      next: ({ data }) => names.push(...(data?.k8sPods.upserted ?? []).map(({ metadata }) => metadata.name)),
      error: (error) => names.push(`error ${JSON.stringify(error)}`),
      complete: () => names.push('complete'),
    },
  );
  return names;
}

it('gives each viewer a feed of their own, opened by themselves, and none sees what is on the other', async () => {
  whole.store.create(makePod({ name: 'before', namespace: 'shop' }));
  const ada = follow('ada');
  const eve = follow('eve');
  await eventually('both have it', () => ada.includes('before') && eve.includes('before'), 5_000);
  const watches = () => whole.kas.inFlight({ verb: 'watch', resource: 'pods' });
  await eventually('two watches', () => watches().length === 2, 2_000);
  expect(new Set(watches().map(({ user }) => user))).toEqual(new Set(['ada', 'eve']));

  // What only ada's stream carries reaches only ada.
  const object = makePod({ name: 'only-for-ada', namespace: 'shop' });
  const { resourceVersion } = whole.store.create(makePod({ name: 'elsewhere', namespace: 'other' })).metadata;
  const metadata = { ...object.metadata, uid: 'u-1', resourceVersion, creationTimestamp: '2026-01-01T00:00:00Z' };
  const event = `${JSON.stringify({ type: 'ADDED', object: { ...object, metadata } })}\n`;
  const fault = whole.kas.agent(1).api.faults.add({
    match: { verb: 'watch', resource: 'pods', user: 'ada' },
    times: 1,
    effect: { insert: { raw: event, afterEvents: 0 } },
  });
  for (const watch of whole.kas.agent(1).api.faults.openWatches({ user: 'ada' })) watch.end();
  await eventually(
    'ada sees it',
    () => ada.includes('only-for-ada'),
    5_000,
    () => [ada, fault.hits],
  );
  whole.store.create(makePod({ name: 'after', namespace: 'shop' }));
  await eventually('eve sees what is for all', () => eve.includes('after'), 5_000);
  expect(eve).not.toContain('only-for-ada');
});

it('shows each viewer the connection of their own watches only', async () => {
  const connection = '{ k8sConnection(agentId: "1", namespace: "shop") { resources { resource } } }';
  for (const user of ['ada', 'eve']) {
    const { data } = await whole.ask(connection, {}, user);
    expect(data).toEqual({ k8sConnection: { resources: [{ resource: 'k8sPods' }] } });
  }
  whole.allow('kim', 'shop');
  expect((await whole.ask(connection, {}, 'kim')).data).toEqual({ k8sConnection: { resources: [] } });
});

it('checks each viewer all the same', async () => {
  whole.kas.user('mallory');
  const { errors } = await whole.ask('{ k8sPods(agentId: "1", namespace: "shop") { totalCount } }', {}, 'mallory');
  expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
});
