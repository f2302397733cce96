import { InMemoryCache } from '@apollo/client';
import { parse, print } from 'graphql';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makePod } from '../../demo/apiserver/objects.ts';
import { eventually } from '../support/eventually.ts';
import { WholeServer } from '../support/whole-server.ts';
import { LiveClient, type Shape } from './live-client.ts';
import { ALIASED, WHOLE } from './shapes.ts';

/** Apollo's cache adds `__typename` to every selection but the root's: these are most of the messages there are. */

let whole: WholeServer;

beforeAll(async () => {
  whole = await WholeServer.start();
  whole.store.create(makePod({ name: 'a', namespace: 'shop' }));
});

afterAll(() => whole.stop());

function asApolloSends({ query, read }: Shape): Shape {
  return { query: print(new InMemoryCache().transformDocument(parse(query))), read, variables: { namespace: 'shop' } };
}

async function delivered(mode: 'shared' | 'plain'): Promise<number> {
  const text = await (await fetch(`${whole.server.url}/metrics`)).text();
  return Number(text.match(`kascade_deliveries_total{transport="websocket",mode="${mode}"} (\\d+)`)?.[1]);
}

function firstResult(client: LiveClient): unknown {
  return (JSON.parse(client.texts[0] ?? '') as { payload: unknown }).payload;
}

it.each([
  ['whole', WHOLE],
  ['aliased, with fragments', ALIASED],
])('what Apollo asks for is delivered shared, and says what it would say alone: %s', async (_what, shape) => {
  const asked = asApolloSends(shape);
  expect(asked.query.match(/__typename/g)?.length).toBeGreaterThanOrEqual(3);
  const before = { shared: await delivered('shared'), plain: await delivered('plain') };
  const together = await LiveClient.join(whole, asked);
  // A field that depends on who asks: graphql executes the same document for this client by itself.
  const document = asked.query.replace(/(\w*:? ?id\n)/, '$1 owner { kind }\n');
  expect(document).not.toBe(asked.query);
  const alone = await LiveClient.join(whole, { ...asked, query: document });
  await eventually('snapshots', () => [together, alone].every(({ messages }) => messages.length === 1), 5_000);
  expect([await delivered('shared'), await delivered('plain')]).toEqual([before.shared + 1, before.plain + 1]);
  const executed = JSON.stringify(firstResult(alone)).replace('"owner":null,', '');
  expect(JSON.stringify(firstResult(together))).toBe(executed);
  expect(executed.match(/"__typename":"(K8sPodsUpdate|K8sPod|\w*Meta\w*)"/g)).toHaveLength(3);
  for (const client of [together, alone]) client.leave();
});
