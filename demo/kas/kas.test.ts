import { get } from 'node:https';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as effects from '../apiserver/effects.ts';
import { grant, makePod, revoke } from '../apiserver/objects.ts';
import { startWithAda, TestClient } from '../test-client.ts';

const PODS = '/api/v1/namespaces/prod/pods';
let fixture: Awaited<ReturnType<typeof startWithAda>>;

beforeEach(async () => {
  fixture = await startWithAda({ agents: { 1: {}, 2: { accessAs: 'agent', name: 'staging' } } });
  fixture.store.create(makePod({ name: 'a', namespace: 'prod' }));
});

afterEach(() => fixture.kas.close());

function send(headers: Record<string, string | string[]>, path = PODS) {
  return fixture.ada.send(path, { headers });
}

describe('credentials', () => {
  it('are a bearer token with the agent inside', async () => {
    const { kas } = fixture;
    expect((await send({ authorization: `Bearer ${kas.bearer('ada')}` })).status).toBe(200);
  });

  it('are a cookie with a CSRF token and the agent, in headers or in the query', async () => {
    const { cookie, csrf } = fixture.kas.user('ada', { cookie: 'se cret=', csrf: 'tok' });
    const jar = { cookie: `other=1; _gitlab_kas=${encodeURIComponent(cookie)}` };
    expect((await send({ ...jar, 'gitlab-agent-id': '1', 'x-csrf-token': csrf })).status).toBe(200);
    expect((await send(jar, `${PODS}?gitlab-agent-id=1&gitlab-csrf-token=tok`)).status).toBe(200);
    expect((await send({ ...jar, 'gitlab-agent-id': '1', 'x-csrf-token': 'other' })).status).toBe(401);
  });

  it.each([
    ['none', {}, 'no valid credentials provided'],
    ['not a bearer', { authorization: 'Basic eA==' }, 'expecting Bearer token'],
    ['unknown token type', { authorization: 'Bearer oauth:1:x' }, 'unknown token type'],
    ['no agent', { authorization: 'Bearer pat:x' }, 'invalid value'],
    [
      'two Authorization headers',
      { authorization: ['Bearer pat:1:x', 'Bearer pat:1:y'] },
      'expecting a single header, got 2',
    ],
    [
      'a malformed header beside a good cookie',
      { authorization: 'x', cookie: '_gitlab_kas=c' },
      'expecting Bearer token',
    ],
    ['an empty cookie', { cookie: '_gitlab_kas=' }, '_gitlab_kas cookie value must not be empty'],
    [
      'a cookie without an agent',
      { cookie: '_gitlab_kas=c', 'x-csrf-token': 't' },
      'exactly one agent id must be provided',
    ],
    [
      'two agents',
      { cookie: '_gitlab_kas=c', 'x-csrf-token': 't', 'gitlab-agent-id': ['1', '2'] },
      'exactly one agent id must be provided',
    ],
    ['a cookie without a CSRF token', { cookie: '_gitlab_kas=c', 'gitlab-agent-id': '1' }, 'exactly one CSRF token'],
  ])('are refused by KAS: %s', async (_what, headers, cause) => {
    const answer = await send(headers);
    expect(answer.status).toBe(401);
    expect(answer.headers['gitlab-unauthorized']).toBe('true');
    expect(answer.body).toMatchObject({ kind: 'Status', reason: 'Unauthorized', code: 401 });
    expect(answer.text).toContain('GitLab Agent Server: Unauthorized: ');
    expect(answer.text).toContain(cause);
    expect(answer.text).toMatch(/Trace ID: [0-9a-f]{32}"/);
  });

  it('are refused alike for unknown tokens, unknown agents, and agents of others', async () => {
    const { kas, ada } = fixture;
    const { token } = kas.user('eve', { agents: [2] });
    for (const bearer of ['pat:1:nobody', kas.bearer('ada', 99), `pat:1:${token}`]) {
      const answer = await send({ authorization: `Bearer ${bearer}` });
      expect(answer.text).toContain('"message":"GitLab Agent Server: Unauthorized. Trace ID: ');
    }
    kas.user('ada').revoked = true;
    expect((await ada.send(PODS)).status).toBe(401);
  });

  it('cannot be checked when GitLab fails', async () => {
    fixture.kas.gitlab.failing = true;
    const answer = await fixture.ada.send(PODS);
    expect(answer.body).toMatchObject({ code: 500, reason: 'InternalError' });
    expect(answer.headers['gitlab-unauthorized']).toBeUndefined();
  });
});

describe('the proxy', () => {
  it('refuses paths outside its prefix and foreign origins', async () => {
    const { kas } = fixture;
    const outside = await fetch(`http://127.0.0.1:${kas.port}/elsewhere`);
    expect([outside.status, await outside.text()]).toEqual([400, expect.stringContaining('expected prefix') as string]);
    const authorization = `Bearer ${kas.bearer('ada')}`;
    expect((await send({ authorization, origin: 'https://evil.example' })).status).toBe(403);
    const own = await send({ authorization, origin: 'https://gitlab.example.com' });
    expect(own.headers['access-control-allow-origin']).toBe('https://gitlab.example.com');
    expect(own.headers.via).toContain('gitlab-agent-server');
  });

  it("passes for the user in the cluster, and tells the cluster's refusals from its own", async () => {
    const { kas, store } = fixture;
    kas.user('eve', { groups: ['gitlab:project_role:7:developer'] });
    const eve = new TestClient(kas, 'eve');
    const refused = await eve.send(PODS);
    expect(refused.headers['gitlab-unauthorized']).toBeUndefined();
    expect(refused.body).toMatchObject({
      code: 403,
      reason: 'Forbidden',
      message:
        'pods is forbidden: User "gitlab:user:eve" cannot list resource "pods" in API group "" in the namespace "prod"',
    });
    grant(store, 'eve', 'prod', ['get', 'list', 'watch'], ['pods']);
    expect((await eve.send(PODS)).status).toBe(200);
    expect((await eve.send('/api/v1/pods')).text).toContain('at the cluster scope');
    expect((await eve.send(`${PODS}/a/log`)).text).toContain('cannot get resource \\"pods/log\\"');
    revoke(store, 'eve', 'prod');
    expect((await eve.send(PODS)).status).toBe(403);
    const self = { method: 'POST', body: {} };
    const whoami = await eve.send('/apis/authentication.k8s.io/v1/selfsubjectreviews', self);
    expect(whoami.body).toMatchObject({
      status: {
        userInfo: {
          username: 'gitlab:user:eve',
          groups: expect.arrayContaining(['gitlab:project_role:7:developer']) as string[],
        },
      },
    });
  });

  it('passes for the agent where it is configured so', async () => {
    const { kas } = fixture;
    kas.user('eve');
    const review = await new TestClient(kas, 'eve', 2).send('/apis/authentication.k8s.io/v1/selfsubjectreviews', {
      method: 'POST',
      body: {},
    });
    expect(review.text).toContain('system:serviceaccount:gitlab-agent-staging:gitlab-agent');
  });

  it('refuses nested impersonation', async () => {
    const answer = await send({ authorization: `Bearer ${fixture.kas.bearer('ada')}`, 'impersonate-user': 'root' });
    expect(answer.status).toBe(400);
  });

  it('answers access reviews and rules reviews for the user', async () => {
    const { kas, store } = fixture;
    kas.user('eve');
    grant(store, 'eve', 'prod', ['list', 'watch'], ['pods', 'deployments.apps']);
    const eve = new TestClient(kas, 'eve');
    const ask = async (resourceAttributes: Record<string, string>) => {
      const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
      const answer = await eve.send(path, { method: 'POST', body: { spec: { resourceAttributes } } });
      expect(answer.status).toBe(201);
      return (answer.body as { status: { allowed: boolean } }).status.allowed;
    };
    expect(await ask({ verb: 'list', resource: 'pods', namespace: 'prod' })).toBe(true);
    expect(await ask({ verb: 'list', resource: 'pods', namespace: 'dev' })).toBe(false);
    expect(await ask({ verb: 'list', resource: 'pods' })).toBe(false);
    expect(await ask({ verb: 'watch', group: 'apps', resource: 'deployments', namespace: 'prod' })).toBe(true);
    expect(await ask({ verb: 'watch', group: 'extensions', resource: 'deployments', namespace: 'prod' })).toBe(false);
    const rules = await eve.send('/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', {
      method: 'POST',
      body: { spec: { namespace: 'prod' } },
    });
    expect(rules.text).toContain('"resources":["deployments"]');
  });
});

describe('the tunnel', () => {
  it('is missing: 502 without a reason, after a wait', async () => {
    const { kas, ada, store } = fixture;
    const watch = await ada.watch(`${PODS}?resourceVersion=${store.revision}`);
    kas.agent(1).disconnect();
    expect(await watch.ended).toBe('error');
    const started = Date.now();
    const answer = await ada.send(PODS);
    expect(Date.now() - started).toBeGreaterThan(40);
    expect(answer.status).toBe(502);
    expect(answer.body).not.toHaveProperty('reason');
    expect(answer.text).toContain('Agent connection not found. Is agent up to date and connected?');
    const waiting = ada.send(PODS);
    kas.agent(1).connect();
    expect((await waiting).status).toBe(200);
  });

  it('carries a limited number of streams', async () => {
    const { kas, ada, store } = fixture;
    kas.agent(1).streamBudget = 2;
    const watches = [await ada.watch(PODS), await ada.watch(PODS)];
    expect((await ada.send(PODS)).text).toContain('too many streams');
    expect(kas.openStreams(1)).toBe(2);
    for (const watch of watches) watch.close();
    await expect.poll(() => kas.openStreams(1)).toBe(0);
    expect((await ada.send(PODS)).status).toBe(200);
    expect(store.revision).toBeTypeOf('string');
  });

  it('has faults of its own', async () => {
    const { kas, ada } = fixture;
    kas.faults.add({ match: { verb: 'list' }, times: 1, effect: effects.badGateway });
    expect([(await ada.send(PODS)).status, (await ada.send(PODS)).status]).toEqual([502, 200]);
  });
});

describe('the recorder', () => {
  it('keeps requests exactly as they came, and counts them', async () => {
    const { kas, ada } = fixture;
    await ada.send('/api/v1/namespaces/%2e%2e/pods?limit=5&x=%2F');
    await ada.send(`${PODS}?limit=1`);
    const watch = await ada.watch(PODS);
    expect(kas.requests[0]).toMatchObject({
      url: '/k8s-proxy/api/v1/namespaces/%2e%2e/pods?limit=5&x=%2F',
      agent: 1,
      user: 'ada',
      verb: 'list',
      status: 200,
    });
    expect(kas.requests[0]?.headers).toContain('authorization');
    expect(kas.counts({ agent: 1, verb: 'list', resource: 'pods', namespace: 'prod' })).toBe(1);
    expect(kas.counts({ verb: 'watch' })).toBe(1);
    expect(kas.inFlight().map((request) => request.verb)).toEqual(['watch']);
    watch.close();
    await expect.poll(() => kas.inFlight()).toEqual([]);
  });
});

describe('TLS', () => {
  it('is offered on a second port, with a certificate to trust', async () => {
    const { kas } = await startWithAda({ tls: true });
    const headers = { authorization: `Bearer ${kas.bearer('ada')}` };
    const status = await new Promise((resolve, reject) => {
      const url = `${kas.secure?.url ?? ''}/version`;
      get(url, { ca: kas.secure?.certificate, headers, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on('error', reject);
    });
    expect(status).toBe(200);
    await kas.close();
  });
});
