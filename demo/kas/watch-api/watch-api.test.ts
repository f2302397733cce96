import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { goneInStream, malformedLine, tooManyRequests } from '../../apiserver/effects.ts';
import { makePod } from '../../apiserver/objects.ts';
import { startWithAda } from '../../test-client.ts';

const API = 'gitlab-agent-watch-api';
const TOKEN = 'websocket-token.kas.gitlab.com.';

let fixture: Awaited<ReturnType<typeof startWithAda>>;
beforeEach(async () => {
  fixture = await startWithAda();
});
afterEach(() => fixture.kas.close());

async function token(): Promise<string> {
  const answer = await fixture.ada.send('/watch?kas-websocket-token-request=true');
  expect(answer.status).toBe(200);
  return (answer.body as { token: string }).token;
}

function open(protocols: string[], headers: Record<string, string> = {}) {
  return new WebSocket(`${fixture.kas.url.replace('http', 'ws')}/watch`, protocols, { headers });
}

async function connect() {
  const socket = open([API, TOKEN + (await token())]);
  const messages: Record<string, unknown>[] = [];
  socket.on('message', (data) => messages.push(JSON.parse((data as Buffer).toString()) as Record<string, unknown>));
  await once(socket, 'open');
  const send = (message: object) => socket.send(JSON.stringify(message));
  return { socket, messages, send };
}

/** The status with which an upgrade is refused. */
async function refusal(protocols: string[], headers: Record<string, string> = {}): Promise<number | undefined> {
  const socket = open(protocols, headers);
  socket.on('error', () => {});
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode?: number }];
  socket.terminate();
  return response.statusCode;
}

const pods = (more: object = {}) => ({ version: 'v1', resource: 'pods', namespace: 'prod', ...more });

describe('opening', () => {
  it('takes a token once', async () => {
    const once1 = await token();
    const socket = open([API, TOKEN + once1]);
    await once(socket, 'open');
    expect(socket.protocol).toBe(API);
    expect(await refusal([API, TOKEN + once1])).toBe(401);
    expect(await refusal([API, `${TOKEN}forged`])).toBe(401);
    socket.terminate();
  });

  it('takes the credentials of any request as well', async () => {
    const socket = open([API], { authorization: `Bearer ${fixture.kas.bearer('ada')}` });
    await once(socket, 'open');
    socket.terminate();
    expect(await refusal([API])).toBe(401);
    expect(await refusal([API], { authorization: 'Bearer pat:1:nobody' })).toBe(401);
  });

  it('refuses foreign origins, other protocols and other paths', async () => {
    const authorization = `Bearer ${fixture.kas.bearer('ada')}`;
    expect(await refusal([API], { authorization, origin: 'https://evil.example' })).toBe(403);
    expect(await refusal(['graphql-ws'], { authorization })).toBe(400);
    fixture.kas.watchApi.faults.absent = true;
    expect(await refusal([API], { authorization })).toBe(404);
    // The request for a token goes to the cluster then, which lets nobody ask for paths it does not know.
    expect((await fixture.ada.send('/watch?kas-websocket-token-request=true')).status).toBe(403);
  });
});

describe('watching', () => {
  it('starts after a version, passes bookmarks on when asked, and ends with unwatch', async () => {
    const { kas, store, faults } = fixture;
    const { messages, send } = await connect();
    store.create(makePod({ name: 'before', namespace: 'prod' }));
    const params = pods({ resource_version: store.revision, allow_watch_bookmarks: true });
    send({ type: 'watch', watch_id: 'w', watch_params: params });
    await expect.poll(() => faults.openWatches().length).toBe(1);
    store.create(makePod({ name: 'after', namespace: 'prod' }));
    faults.openWatches()[0]?.bookmark();
    await expect.poll(() => messages).toHaveLength(2);
    expect(messages).toMatchObject([
      { watchId: 'w', type: 'event', watchEvent: { type: 'ADDED', object: { metadata: { name: 'after' } } } },
      { watchId: 'w', type: 'event', watchEvent: { type: 'BOOKMARK' } },
    ]);
    expect(kas.openStreams(1)).toBe(1);
    send({ type: 'unwatch', watch_id: 'w' });
    await expect.poll(() => kas.openStreams(1)).toBe(0);
    expect(messages).toHaveLength(2);
  });

  it('ignores fields that are not snake_case, as KAS does', async () => {
    fixture.store.create(makePod({ name: 'a', namespace: 'prod' }));
    const { messages, send } = await connect();
    send({
      type: 'watch',
      watch_id: 'w',
      watch_params: pods({ fieldSelector: 'metadata.name=x', resourceVersion: '1' }),
    });
    await expect.poll(() => messages).toHaveLength(1);
  });

  it('ends as client-go does', async () => {
    const { faults, kas, store } = fixture;
    const { messages, send } = await connect();
    const match = { verb: 'watch' };
    const watch = async (resource_version: string) => {
      send({ type: 'watch', watch_id: 'w', watch_params: pods({ resource_version }) });
      const before = messages.length;
      await expect.poll(() => messages.length).toBe(before + 1);
      return messages.at(-1);
    };
    faults.add({ match, times: 1, effect: goneInStream });
    expect(await watch(store.revision)).toMatchObject({ type: 'error', error: { object: { code: 410 } } });
    faults.add({ match, times: 1, effect: tooManyRequests(3) });
    expect(await watch(store.revision)).toMatchObject({
      type: 'error',
      error: { object: { code: 429, details: { retryAfterSeconds: 3 } } },
    });
    faults.add({ match, times: 1, effect: malformedLine() });
    expect(await watch(store.revision)).toMatchObject({
      error: { object: { code: 500, details: { causes: [{ reason: 'ClientWatchDecoding' }] } } },
    });
    faults.add({ match, times: 1, effect: { cutAfterBytes: 1, insert: { raw: '{"', afterEvents: 0 } } });
    expect(await watch(store.revision)).toEqual({ watchId: 'w', type: 'stop' });
    faults.add({ match, times: 1, effect: { reset: true } });
    expect(await watch(store.revision)).toMatchObject({
      type: 'error',
      error: { message: expect.any(String) as string },
    });
    kas.agent(1).disconnect();
    expect(await watch(store.revision)).toMatchObject({ type: 'error', error: { object: { code: 502 } } });
  });

  it('watches as the user of the connection, who was authorized when it was opened', async () => {
    const { kas } = fixture;
    const { messages, send } = await connect();
    kas.user('ada').revoked = true;
    send({ type: 'watch', watch_id: 'w', watch_params: pods() });
    fixture.store.create(makePod({ name: 'a', namespace: 'prod' }));
    await expect.poll(() => messages).toHaveLength(1);
    expect(kas.requests.filter(({ via }) => via === 'websocket')).toMatchObject([
      { verb: 'watch', user: 'ada', agent: 1 },
    ]);
  });
});
