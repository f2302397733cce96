import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { respond } from '../../demo/apiserver/effects.ts';
import { grant, makePod } from '../../demo/apiserver/objects.ts';
import { codes, RightsServer } from './rights-server.ts';

/** k8sViewer, and what those are told who may not. */

let whole: RightsServer;
beforeAll(async () => {
  whole = await RightsServer.start();
  whole.kas.user('eve', { groups: ['gitlab:project_role:7:developer'] });
  grant(whole.store, 'eve', 'shop', ['list', 'watch'], ['pods']);
  grant(whole.store, 'eve', 'shop', ['get'], ['pods/log']);
  grant(whole.store, 'eve', 'shop', ['get'], ['services'], ['web']);
});
afterAll(() => whole[Symbol.asyncDispose]());

const who = '{ k8sViewer(agentId: "1") { user groups } }';

function can(verb: string): string {
  return `{ k8sViewer(agentId: "1") { can(verb: "${verb}", resource: "pods", namespace: "shop") } }`;
}

describe('k8sViewer', () => {
  it('says who the cluster takes each for', async () => {
    expect((await whole.ask(who, {}, 'eve')).data).toEqual({
      k8sViewer: {
        user: 'gitlab:user:eve',
        groups: ['gitlab:user', 'gitlab:project_role:7:developer', 'system:authenticated'],
      },
    });
    expect((await whole.ask(who)).data).toMatchObject({ k8sViewer: { user: 'gitlab:user:ada' } });
  });

  it('answers as the cluster does, by namespace, subresource and name', async () => {
    const query = `{ k8sViewer(agentId: "1") {
      list: can(verb: "list", resource: "pods", namespace: "shop")
      everywhere: can(verb: "list", resource: "pods")
      elsewhere: can(verb: "list", resource: "pods", namespace: "other")
      delete: can(verb: "delete", resource: "pods", namespace: "shop")
      log: can(verb: "get", resource: "pods", subresource: "log", namespace: "shop")
      exec: can(verb: "create", resource: "pods", subresource: "exec", namespace: "shop")
      web: can(verb: "get", resource: "services", namespace: "shop", name: "web")
      db: can(verb: "get", resource: "services", namespace: "shop", name: "db")
      all: can(verb: "*", group: "*", resource: "*")
    } }`;
    expect((await whole.ask(query, {}, 'eve')).data).toEqual({
      k8sViewer: {
        list: true,
        everywhere: false,
        elsewhere: false,
        delete: false,
        log: true,
        exec: false,
        web: true,
        db: false,
        all: false,
      },
    });
    expect((await whole.ask(query)).data).toMatchObject({
      k8sViewer: { everywhere: true, elsewhere: true, delete: true, all: true },
    });
  });

  it('shares its answers with the checks of views', async () => {
    whole.allow('kim', 'shop');
    const reviews = () => whole.kas.counts({ user: 'kim', resource: 'selfsubjectaccessreviews' });
    await whole.ask('{ k8sPods(agentId: "1", namespace: "shop") { totalCount } }', {}, 'kim');
    const before = reviews();
    for (const verb of ['list', 'watch', 'list']) await whole.ask(can(verb), {}, 'kim');
    expect(reviews()).toBe(before);
  });

  it('needs credentials, and an agent that lets them in', async () => {
    const answer = await whole.post({ query: who }, {});
    expect(codes((await answer.json()) as Awaited<ReturnType<typeof whole.ask>>)).toEqual(['UNAUTHENTICATED']);
    expect(codes(await whole.ask(who.replace('"1"', '"9"'), {}, 'eve'))).toEqual(['GITLAB_UNAUTHORIZED']);
  });

  it('says so where the cluster does not tell, and can() works all the same', async () => {
    whole.allow('old', 'shop');
    const fault = whole.kas.agent(1).api.faults.add({
      match: { resource: 'selfsubjectreviews', user: 'old' },
      effect: respond(404, 'NotFound'),
    });
    const query = '{ k8sViewer(agentId: "1") { can(verb: "list", resource: "pods", namespace: "shop") } }';
    expect((await whole.ask(query, {}, 'old')).data).toEqual({ k8sViewer: { can: true } });
    expect((await whole.ask(who, {}, 'old')).errors).toMatchObject([
      { message: expect.stringContaining('SelfSubjectReview') as unknown, extensions: { code: 'NOT_FOUND' } },
    ]);
    fault.remove();
  });
});

describe('FORBIDDEN names verb, resource, namespace and identity', () => {
  it.each([
    [
      'a list',
      '{ k8sServices(agentId: "1", namespace: "shop") { totalCount } }',
      'You are "gitlab:user:eve" there, and may not list and watch services in namespace "shop" of agent 1.',
    ],
    [
      'a list of all namespaces',
      '{ k8sPods(agentId: "1") { totalCount } }',
      'You are "gitlab:user:eve" there, and may not list and watch pods in all namespaces of agent 1.',
    ],
    [
      'a list without a namespace',
      '{ k8sNamespaces(agentId: "1") { id } }',
      'You are "gitlab:user:eve" there, and may not list and watch namespaces of agent 1.',
    ],
    [
      'one object',
      '{ k8sService(agentId: "1", namespace: "shop", name: "db") { id } }',
      'You are "gitlab:user:eve" there, and may not get services "db" in namespace "shop" of agent 1.',
    ],
    [
      'a mutation',
      'mutation { deleteK8sPod(agentId: "1", namespace: "shop", name: "p") { id } }',
      'You are "gitlab:user:eve" there, and may not delete pods "p" in namespace "shop" of agent 1.',
    ],
  ])('of %s', async (_what, query, message) => {
    whole.store.create(makePod({ name: `x-${Math.random().toString(36).slice(2)}`, namespace: 'shop' }));
    const { errors } = await whole.ask(query, {}, 'eve');
    expect(errors).toMatchObject([{ message, extensions: { code: 'FORBIDDEN', retryable: false } }]);
  });

  it('and one object is shown to whoever may get only that', async () => {
    const query = '{ k8sService(agentId: "1", namespace: "shop", name: "web") { id } }';
    expect(await whole.ask(query, {}, 'eve')).toEqual({ data: { k8sService: null } });
  });
});
