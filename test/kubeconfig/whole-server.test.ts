import { expect, it, onTestFinished } from 'vitest';
import { makePod } from '../../demo/apiserver/objects.ts';
import { eventually } from '../support/eventually.ts';
import { base64, Files, kubeconfig } from './files.ts';
import { LocalServer } from './local-server.ts';
import { SecureApi } from './secure-api.ts';

/** Two clusters of a kubeconfig behind a whole server, one with a client certificate, one with a token. */

/** As the tools of a cloud name contexts. */
const WEST = 'arn:aws:eks:eu-west-1:1234:cluster/west (admin@prod)';
const PODS = `query ($agent: ID!) { k8sPods(agentId: $agent, namespace: "shop") { nodes { metadata { name } } } }`;

async function start(env: Record<string, string> = {}) {
  const [east, west] = await Promise.all([SecureApi.start(), SecureApi.start()]);
  const files = await Files.make();
  east.allow('', 'user:cert');
  west.allow('Bearer west', 'user:token');
  east.api.store.create(makePod({ name: 'eastern', namespace: 'shop' }));
  west.api.store.create(makePod({ name: 'western', namespace: 'shop' }));
  const write = (token: string) => files.write('config', kubeconfig(contexts(east, west, token), WEST));
  const local = await LocalServer.start(await write('west'), env);
  onTestFinished(async () => {
    for (const each of [local, files, east, west]) await each[Symbol.asyncDispose]();
  });
  return { east, west, local, files, write };
}

function clusterOf(api: SecureApi) {
  return { server: api.url, 'certificate-authority-data': base64(api.serverCertificate) };
}

function contexts(east: SecureApi, west: SecureApi, token: string) {
  const { key, cert } = east.clientPair;
  return [
    {
      name: 'east',
      cluster: clusterOf(east),
      user: { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) },
    },
    { name: WEST, cluster: clusterOf(west), user: { token }, namespace: 'shop' },
    { name: 'broken', cluster: { server: 'ftp://nowhere' } },
  ];
}

function named(name: string) {
  return { data: { k8sPods: { nodes: [{ metadata: { name } }] } } };
}

function refused(message: string) {
  return { errors: [{ message, extensions: { code: 'NOT_FOUND', retryable: false } }] };
}

it('its contexts are agents, which the log and k8sAgents list', async () => {
  const { local } = await start();
  const agents = [
    { id: 'east', namespace: null, isCurrent: false },
    { id: WEST, namespace: 'shop', isCurrent: true },
    { id: 'broken', namespace: null, isCurrent: false },
  ];
  expect(await local.ask('{ k8sAgents { id namespace isCurrent } }')).toEqual({ data: { k8sAgents: agents } });
  const line = local.lines.map((each) => JSON.parse(each) as { agents?: object[] }).find((each) => each.agents);
  expect(line?.agents).toMatchObject(agents.map(({ id }) => ({ agentId: id })));
  expect(await local.ask(PODS, { agent: 'east' })).toEqual(named('eastern'));
  expect(await local.ask(PODS, { agent: WEST })).toEqual(named('western'));
  const who = `{ k8sViewer(agentId: "${WEST}") { user can(verb: "delete", resource: "pods") } }`;
  expect(await local.ask(who)).toMatchObject({ data: { k8sViewer: { user: 'user:token', can: true } } });
});

it('what is no agent is NOT_FOUND, for queries, mutations and subscriptions', async () => {
  const { local } = await start();
  const gone = 'The kubeconfig has no context "1".';
  const unusable = 'The context "broken" cannot be used: the server of its cluster is no http(s) URL.';
  for (const [agent, message] of Object.entries({ broken: unusable, '1': gone })) {
    expect(await local.ask(PODS, { agent })).toMatchObject(refused(message));
    const remove = `mutation { deleteK8sPod(agentId: "${agent}", namespace: "shop", name: "x") { name } }`;
    expect(await local.ask(remove)).toMatchObject(refused(message));
    expect(await local.ask(`{ k8sAgent(agentId: "${agent}") { connected } }`)).toMatchObject(refused(message));
    expect(await local.ask(`{ k8sViewer(agentId: "${agent}") { user } }`)).toMatchObject(refused(message));
  }
  const errors: unknown[] = [];
  const query = 'subscription { k8sPods(agentId: "1", namespace: "shop") { total } }';
  const next = (result: { errors?: readonly unknown[] | undefined }) => errors.push(...(result.errors ?? []));
  local.client().subscribe({ query }, { next, error: (error) => errors.push(error), complete: () => {} });
  await eventually('a refusal', () => errors.length > 0, 5_000);
  expect(errors).toMatchObject([{ message: gone }]);
});

it('what is no name of a context is held nowhere, and repeated with care', async () => {
  const { local, east, west } = await start();
  const before = local.lines.length;
  for (const agent of ['', '..', '../east', 'EAST', 'east ', 'east\n', '\u202eeast', '__proto__', 'x'.repeat(50_000)]) {
    const { errors } = await local.ask(PODS, { agent });
    expect(errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
    expect(errors?.[0]?.message).toMatch(/^The kubeconfig has no context "[ -~]{0,80}"…?\.$/);
  }
  expect([...east.seen, ...west.seen]).toEqual([]);
  expect(local.lines.slice(before).filter((line) => line.includes('xxx'))).toEqual([]);
});

it('a context that is added to the file is an agent from then on', async () => {
  const { local, west, files } = await start();
  const added = { name: 'later', cluster: clusterOf(west), user: { token: 'west' } };
  expect(await local.ask(PODS, { agent: 'later' })).toMatchObject(refused('The kubeconfig has no context "later".'));
  await files.write('config', kubeconfig([added]));
  expect(await local.ask(PODS, { agent: 'later' })).toEqual(named('western'));
});

it('what GraphiQL shows first can be run as it is, on the current context', async () => {
  const { local } = await start();
  const page = await local.send({ accept: 'text/html' });
  const [, shown = '""'] = /"defaultQuery":("(?:[^"\\]|\\.)*")/.exec(page.body) ?? [];
  const query = String(JSON.parse(shown));
  expect(await local.send({}, { query, operationName: 'Agents' })).toMatchObject({
    body: expect.stringContaining(JSON.stringify(WEST)),
  });
  expect(await local.send({}, { query, operationName: 'Pods' })).toMatchObject({
    body: expect.stringContaining('"western"'),
  });
});

it('pods live, their logs, and their deletion, all without credentials', async () => {
  const { local, east } = await start();
  const names = new Set<string>();
  const removed: string[] = [];
  const query = `subscription { k8sPods(agentId: "east", namespace: "shop") { upserted { metadata { name } } removed } }`;
  type Message = { k8sPods: { upserted: { metadata: { name: string } }[]; removed: string[] } };
  local.client().subscribe<Message>(
    { query },
    {
      next: ({ data }) => {
        for (const { metadata } of data?.k8sPods.upserted ?? []) names.add(metadata.name);
        removed.push(...(data?.k8sPods.removed ?? []));
      },
      error: () => {},
      complete: () => {},
    },
  );
  await eventually('the first pod', () => names.has('eastern'), 5_000);
  east.api.store.create(makePod({ name: 'newcomer', namespace: 'shop', containers: [{ name: 'app' }] }));
  await eventually('the second', () => names.has('newcomer'), 5_000);
  east.api.logs.append('shop', 'newcomer', 'app', 'hello');
  const log = '{ k8sLogs(agentId: "east", namespace: "shop", podName: "newcomer") { lines { content } } }';
  expect(await local.ask(log)).toEqual({ data: { k8sLogs: { lines: [{ content: 'hello' }] } } });
  const remove = 'mutation { deleteK8sPod(agentId: "east", namespace: "shop", name: "newcomer") { name } }';
  expect(await local.ask(remove)).toMatchObject({ data: { deleteK8sPod: { name: 'newcomer' } } });
  await eventually('its end', () => removed.length > 0, 5_000);
  const hops =
    '{ k8sConnection(agentId: "east", namespace: "shop") { status resources { transport hops { name status } } } }';
  expect(await local.ask(hops)).toMatchObject({
    data: {
      k8sConnection: {
        status: 'CONNECTED',
        resources: [
          {
            transport: 'HTTP_STREAM',
            hops: [
              { name: 'server', status: 'CONNECTED' },
              { name: 'cluster', status: 'CONNECTED' },
            ],
          },
        ],
      },
    },
  });
  const watches = east.seen.filter(({ url }) => url.includes('/pods?watch=true') || url.includes('&watch=true'));
  expect(watches).toHaveLength(1);
});

it('a token that is replaced in the file goes on where the old one is refused', async () => {
  const { local, west, write } = await start({ ACCESS_ALLOW_SECONDS: '1', LINGER_SECONDS: '0' });
  await local.ask(PODS, { agent: WEST });
  west.authorizations.clear();
  west.allow('Bearer renewed', 'user:token');
  const unauthenticated = { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] };
  const version = `{ k8sViewer(agentId: "${WEST}") { user } }`;
  const remove = `mutation { deleteK8sPod(agentId: "${WEST}", namespace: "shop", name: "western") { name } }`;
  expect(await local.ask(remove)).toMatchObject(unauthenticated);
  await write('renewed');
  expect(await local.ask(version)).toMatchObject({ data: { k8sViewer: { user: 'user:token' } } });
  expect(await local.ask(PODS, { agent: WEST })).toMatchObject({ data: { k8sPods: { nodes: [{}] } } });
});

it('a right that is missing is the message that kubectl would give', async () => {
  const { local, west } = await start({ ACCESS_DENY_SECONDS: '0' });
  west.authorizations.set('Bearer west', 'nobody-special');
  expect(await local.ask(PODS, { agent: WEST })).toMatchObject({
    errors: [{ message: expect.stringContaining('nobody-special'), extensions: { code: 'FORBIDDEN' } }],
  });
});

it('a live view stays when its watch ends and the token is another by then', async () => {
  const { local, west, write } = await start();
  const names = new Set<string>();
  const errors: unknown[] = [];
  const query = `subscription { k8sPods(agentId: "${WEST}", namespace: "shop") { upserted { metadata { name } } } }`;
  local.client().subscribe<{ k8sPods: { upserted: { metadata: { name: string } }[] } }>(
    { query },
    {
      next: (result) => {
        errors.push(...(result.errors ?? []));
        for (const { metadata } of result.data?.k8sPods.upserted ?? []) names.add(metadata.name);
      },
      error: (error) => errors.push(error),
      complete: () => errors.push('complete'),
    },
  );
  await eventually('the first pod', () => names.has('western'), 5_000);
  west.authorizations.clear();
  west.allow('Bearer renewed', 'user:token');
  await write('renewed');
  const { faults, store } = west.api;
  await eventually('a watch', () => faults.openWatches().length === 1, 5_000);
  for (const watch of faults.openWatches()) watch.end();
  store.create(makePod({ name: 'later', namespace: 'shop' }));
  await eventually('the next pod', () => names.has('later'), 5_000);
  expect(errors).toEqual([]);
  expect(west.seen.at(-1)).toMatchObject({ authorization: 'Bearer renewed', user: 'user:token' });
});
