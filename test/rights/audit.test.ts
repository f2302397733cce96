import { afterAll, beforeAll, expect, it } from 'vitest';
import { grant, makePod, revoke } from '../../demo/apiserver/objects.ts';
import type { AuditEntry } from '../../src/access/audit.ts';
import { eventually } from '../support/eventually.ts';
import { LIVE_PODS, RightsServer } from './rights-server.ts';

/** One line of JSON for every attach, denial, revocation and mutation: who, what, where, how it was decided. */

let whole: RightsServer;
beforeAll(async () => {
  whole = await RightsServer.start({ env: { ACCESS_ALLOW_SECONDS: '1', ACCESS_DENY_SECONDS: '0' } });
  whole.kas.user('kim', { agents: [2] });
});
afterAll(() => whole[Symbol.asyncDispose]());

const DELETE = 'mutation ($name: String!) { deleteK8sPod(agentId: "1", namespace: "shop", name: $name) { id } }';
const COUNT = '{ k8sPods(agentId: "1", namespace: "shop") { totalCount } }';

/** What was written while something was done. */
async function written(work: () => Promise<unknown>): Promise<AuditEntry[]> {
  const before = whole.audit.length;
  await work();
  return whole.audit.slice(before).filter(({ event }) => event !== 'identify');
}

/** Looks at something as ada, so that it is asked who that is, and waits for the answer. */
async function adaIdentified(): Promise<AuditEntry | undefined> {
  const find = () => whole.audit.find(({ event, user }) => event === 'identify' && user === 'gitlab:user:ada');
  await whole.ask(COUNT);
  await eventually('it is learned', () => find() !== undefined, 3_000);
  return find();
}

const SHOP = { agentId: '1', namespace: 'shop', resource: 'pods' };

it('says who somebody is once, under the digest that all their lines have', async () => {
  const identified = await adaIdentified();
  expect(identified).toMatchObject({ user: 'gitlab:user:ada', agentId: '1' });
  const [attached] = await written(() => whole.ask(COUNT));
  expect(attached).toEqual({
    event: 'attach',
    viewer: identified?.viewer,
    user: 'gitlab:user:ada',
    ...SHOP,
    verb: 'list,watch',
    decision: 'allowed',
  });
  await whole.ask(COUNT);
  expect(whole.audit.filter(({ event }) => event === 'identify')).toHaveLength(1);
});

it('names who was denied what', async () => {
  whole.kas.user('eve');
  expect(await written(() => whole.ask(COUNT, {}, 'eve'))).toMatchObject([
    { event: 'deny', user: 'gitlab:user:eve', ...SHOP, verb: 'list,watch', decision: 'denied', code: 'FORBIDDEN' },
  ]);
  const one = '{ k8sPod(agentId: "1", namespace: "shop", name: "p") { id } }';
  expect(await written(() => whole.ask(one, {}, 'eve'))).toMatchObject([
    { event: 'deny', user: 'gitlab:user:eve', ...SHOP, verb: 'get', name: 'p', code: 'FORBIDDEN' },
  ]);
});

it("has KAS's trace ID where KAS decided", async () => {
  expect(await written(() => whole.ask(COUNT, {}, 'kim'))).toMatchObject([
    {
      event: 'deny',
      ...SHOP,
      code: 'GITLAB_UNAUTHORIZED',
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/) as unknown,
    },
  ]);
});

it('has each mutation, with what became of it', async () => {
  await adaIdentified();
  whole.store.create(makePod({ name: 'p', namespace: 'shop' }));
  grant(whole.store, 'eve', 'shop', ['list', 'watch'], ['pods']);
  const mutations = await written(async () => {
    await whole.ask(DELETE, { name: 'p' }, 'eve');
    await whole.ask(DELETE, { name: 'p' });
    await whole.ask(DELETE, { name: 'gone' });
    await whole.ask('mutation { reconnectToCluster(agentId: "1", namespace: "shop", resource: "k8sPods") { status } }');
    await whole.ask(DELETE, { name: 'p' }, 'kim');
  });
  const head = { event: 'mutate', verb: 'delete', ...SHOP };
  expect(mutations).toMatchObject([
    { ...head, name: 'p', user: 'gitlab:user:eve', decision: 'denied', code: 'FORBIDDEN' },
    { ...head, name: 'p', user: 'gitlab:user:ada', decision: 'allowed' },
    { ...head, name: 'gone', decision: 'failed', code: 'NOT_FOUND' },
    { event: 'mutate', verb: 'reconnect', agentId: '1', namespace: 'shop', name: 'k8sPods', decision: 'allowed' },
    { ...head, decision: 'denied', code: 'GITLAB_UNAUTHORIZED', traceId: expect.any(String) as unknown },
  ]);
  expect(whole.counters.value('mutations', { verb: 'delete', decision: 'denied' })).toBe(2);
});

it('has each revocation', async () => {
  const raw = await whole.raw('eve');
  const entries = await written(async () => {
    raw.send({ id: '1', type: 'subscribe', payload: { query: LIVE_PODS } });
    await eventually('live', () => raw.messages.some(({ type }) => type === 'next'), 5_000);
    revoke(whole.store, 'eve', 'shop');
    await eventually('revoked', () => raw.messages.at(-1)?.type === 'error', 5_000);
  });
  expect(entries).toMatchObject([
    { event: 'attach', user: 'gitlab:user:eve', ...SHOP },
    { event: 'revoke', user: 'gitlab:user:eve', ...SHOP, decision: 'denied', code: 'ACCESS_REVOKED' },
  ]);
});

it('is one line each, and never holds what was looked at', () => {
  const lines = whole.lines.filter((line) => line.includes('"audit"'));
  for (const line of lines) {
    expect(line.trimEnd()).not.toContain('\n');
    expect(line).not.toContain('containers');
    expect(line).not.toContain('totalCount');
  }
});
