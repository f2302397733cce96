import { afterEach, expect, it } from 'vitest';
import { makePod } from '../../demo/apiserver/objects.ts';
import { LiveClient, type Shape } from '../fanout/live-client.ts';
import { WHOLE } from '../fanout/shapes.ts';
import { eventually } from '../support/eventually.ts';
import { WholeServer } from '../support/whole-server.ts';

let whole: WholeServer;
afterEach(() => whole.stop());

const SHOP: Shape = { ...WHOLE, variables: { namespace: 'shop' } };
/** Whose owner a pod shows depends on who asks: it is served to each alone. */
const WITH_OWNERS: Shape = {
  ...SHOP,
  query: WHOLE.query.replace('displayStatus', 'displayStatus owner { kind }'),
};

async function metric(line: string): Promise<number | undefined> {
  const response = await fetch(`${whole.server.url}/metrics`);
  expect(response.headers.get('content-type')).toContain('text/plain');
  const found = (await response.text()).split('\n').find((each) => each.startsWith(`${line} `));
  return found === undefined ? undefined : Number(found.slice(line.length));
}

it('shows what is held and what was refused, in the text format of Prometheus', async () => {
  whole = await WholeServer.start({ MAX_FEEDS_PER_VIEWER: '1' });
  whole.store.create(makePod({ name: 'a', namespace: 'shop' }));
  const updates: unknown[] = [];
  const stop = whole
    .client()
    .subscribe(
      { query: 'subscription { k8sPods(agentId: "1", namespace: "shop") { total } }' },
      { next: (update) => updates.push(update), error: () => {}, complete: () => {} },
    );
  await eventually('the snapshot', () => updates.length > 0, 5_000);
  await whole.ask('{ k8sPods(agentId: "1", namespace: "other") { totalCount } }');
  whole.kas.user('eve', { token: 'glpat-eve' });
  await whole.ask(
    '{ k8sPods(agentId: "1", namespace: "shop") { totalCount } }',
    {},
    { authorization: 'Bearer glpat-eve' },
  );

  expect(await metric('kascade_sockets')).toBe(1);
  expect(await metric('kascade_feeds')).toBe(1);
  expect(await metric('kascade_upstream_streams')).toBe(1);
  expect(await metric('kascade_limits_hit_total{limit="MAX_FEEDS_PER_VIEWER"}')).toBe(1);
  expect(await metric('kascade_denials_total{code="FORBIDDEN"}')).toBe(1);
  expect(await metric('kascade_reviews_total{result="denied"}')).toBe(2);
  expect(await metric('nodejs_eventloop_lag_seconds')).toBeGreaterThanOrEqual(0);
  stop();
});

it('shows how messages are delivered, and how clients come back', async () => {
  whole = await WholeServer.start();
  whole.store.create(makePod({ name: 'a', namespace: 'shop' }));
  const clients = [
    await LiveClient.join(whole, SHOP),
    await LiveClient.join(whole, SHOP, { transport: 'deflated' }),
    await LiveClient.join(whole, SHOP, { transport: 'sse' }),
    await LiveClient.join(whole, WITH_OWNERS),
    await LiveClient.join(whole, WITH_OWNERS, { transport: 'sse' }),
  ];
  await eventually('snapshots', () => clients.every(({ messages }) => messages.length === 1), 5_000);
  whole.store.create(makePod({ name: 'b', namespace: 'shop' }));
  await eventually('changes', () => clients.every(({ set }) => set.size === 2), 5_000);

  expect(await metric('kascade_sockets')).toBe(3);
  expect(await metric('kascade_event_streams')).toBe(2);
  expect(await metric('kascade_subscriptions{mode="shared"}')).toBe(3);
  expect(await metric('kascade_subscriptions{mode="plain"}')).toBe(2);
  expect(await metric('kascade_shapes')).toBe(1);
  const messagesOf = (...of: number[]) => of.reduce((sum, each) => sum + (clients[each]?.messages.length ?? 0), 0);
  const delivered = (transport: string, mode: string) =>
    metric(`kascade_deliveries_total{transport="${transport}",mode="${mode}"}`);
  expect(await delivered('websocket', 'shared')).toBe(messagesOf(0, 1));
  expect(await delivered('sse', 'shared')).toBe(messagesOf(2));
  expect(await delivered('websocket', 'plain')).toBe(messagesOf(3));
  expect(await delivered('sse', 'plain')).toBe(messagesOf(4));
  expect(await metric('kascade_operations_total{type="subscription",result="ok"}')).toBe(5);

  // Members that are level are what is measured: under load a change may find none.
  let created = 0;
  const age = () => {
    whole.store.create(makePod({ name: `c${(created += 1)}`, namespace: 'shop' }));
    return metric('kascade_frame_age_seconds_count');
  };
  await expect.poll(age, { timeout: 5_000 }).toBeGreaterThan(0);

  const back = await LiveClient.join(whole, SHOP, { resume: clients[0]?.cursor, before: clients[0] });
  const lost = await LiveClient.join(whole, SHOP, { resume: 'forged' });
  const alone = await LiveClient.join(whole, WITH_OWNERS, { resume: clients[3]?.cursor, before: clients[3] });
  await eventually('answers', () => [back, lost, alone].every(({ messages }) => messages.length > 0), 5_000);
  expect(await metric('kascade_resumes_total{result="RESUMED"}')).toBe(2);
  expect(await metric('kascade_resumes_total{result="CURSOR_INVALID"}')).toBe(1);
  for (const client of [...clients, back, lost, alone]) client.leave();
});

it('shows what is carried upstream, and what goes wrong there', async () => {
  whole = await WholeServer.start({ AGENT_STREAM_BUDGET: '4' });
  const client = await LiveClient.join(whole, SHOP);
  await eventually('a snapshot', () => client.messages.length === 1, 5_000);
  const isOpen = () => whole.kas.watchApi.connections.length === 1;
  await eventually('the watch', isOpen, 5_000);
  expect(await metric('kascade_upstream_agents')).toBe(1);
  expect(await metric('kascade_upstream_connections{transport="websocket"}')).toBe(1);
  expect(await metric('kascade_upstream_connections{transport="http"}')).toBe(0);
  expect(await metric('kascade_upstream_fullest_agent_ratio')).toBe(0.25);
  expect(await metric('kascade_lists_total{reason="first sync"}')).toBe(1);
  await expect.poll(() => metric('kascade_watches{state="CONNECTED"}')).toBe(1);
  expect(await metric('kascade_stalest_watch_seconds')).toBeLessThan(60);

  whole.kas.faults.add({ match: { resource: 'services' }, effect: { respond: { status: 503, body: '' } } });
  await whole.ask('{ k8sServices(agentId: "1", namespace: "shop") { totalCount } }');
  await expect
    .poll(() => metric('kascade_upstream_failures_total{during="list",failure="unreachable"}'))
    .toBeGreaterThan(0);
  expect(await metric('kascade_watches{state="DISCONNECTED"}')).toBe(1);
  client.leave();
});
