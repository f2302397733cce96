import { afterEach, expect, it } from 'vitest';
import { makePod } from '../../demo/apiserver/objects.ts';
import { eventually } from '../support/eventually.ts';
import { WholeServer } from '../support/whole-server.ts';

let whole: WholeServer;
afterEach(() => whole.stop());

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
