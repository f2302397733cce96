import { describe, expect, it } from 'vitest';
import { PODS } from '../../kubernetes/resources.ts';
import { BAD_NAMES } from '../../schema/testing/bad-names.ts';
import { resourcePath, urlOf } from './paths.ts';

const BASE = new URL('https://kas.example.com/-/k8s-proxy/');
const TARGET = { agentId: '7', namespace: 'shop', resource: PODS };

describe('urlOf', () => {
  it('joins the segments below the base', () => {
    expect(urlOf(BASE, { segments: ['api', 'v1', 'pods'], query: { limit: '1', continue: undefined } }).href).toBe(
      'https://kas.example.com/-/k8s-proxy/api/v1/pods?limit=1',
    );
  });

  it.each([['..'], ['.'], ['a', '..', 'b'], ['%2e%2e'], ['a?b'], ['a#b'], ['a b'], ['a\\b'], ['a\nb'], ['ä']])(
    'makes no URL but the one of its segments: %j %j %j',
    (...segments) => {
      expect(() => urlOf(BASE, { segments })).toThrow('nothing was sent');
    },
  );
});

describe('resourcePath', () => {
  it('is that of a collection or of one object in it, also of the core group', () => {
    expect(urlOf(BASE, resourcePath(TARGET)).pathname).toBe('/-/k8s-proxy/api/v1/namespaces/shop/pods');
    const deployments = { ...PODS, group: 'apps', plural: 'deployments' };
    const everywhere = { ...TARGET, namespace: undefined, resource: deployments };
    expect(urlOf(BASE, resourcePath(everywhere, 'web')).pathname).toBe('/-/k8s-proxy/apis/apps/v1/deployments/web');
  });

  it.each(BAD_NAMES)('refuses a name that is none: %j', (name) => {
    const refused = expect.objectContaining({ code: 'BAD_USER_INPUT' }) as Error;
    expect(() => resourcePath(TARGET, name)).toThrow(refused);
    expect(() => resourcePath({ ...TARGET, namespace: name })).toThrow(refused);
    expect(() => resourcePath({ ...TARGET, resource: { ...PODS, plural: name } })).toThrow(refused);
  });
});
