import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apiGroups, apiResources, resourceOf, serverVersion } from './discovery.ts';

describe('apiGroups', () => {
  it('has the preferred version first, and the others in the order of the cluster', () => {
    const versions = ['v1', 'v1beta2', 'v1beta1'].map((version) => ({ groupVersion: `x.io/${version}`, version }));
    const groups = [
      { name: 'x.io', versions, preferredVersion: { groupVersion: 'x.io/v1beta2', version: 'v1beta2' } },
      { name: 'y.io', versions: [{ version: 'v2' }] },
      { name: 'empty.io', versions: [] },
    ];
    expect(apiGroups({ kind: 'APIGroupList', groups })).toEqual([
      { name: 'x.io', versions: ['v1beta2', 'v1', 'v1beta1'], preferred: 'v1beta2' },
      { name: 'y.io', versions: ['v2'], preferred: 'v2' },
    ]);
  });

  it('has none without groups, and is undefined for anything else', () => {
    expect(apiGroups({ kind: 'APIGroupList', groups: null })).toEqual([]);
    for (const body of [null, 'x', [], {}, { kind: 'Status' }]) expect(apiGroups(body)).toBeUndefined();
  });
});

describe('apiResources', () => {
  it('leaves out subresources, and entries that name nothing', () => {
    const resources = [
      { name: 'pods', kind: 'Pod', namespaced: true, verbs: ['get', 'list'] },
      { name: 'pods/log', kind: 'Pod', namespaced: true, verbs: ['get'] },
      { name: 'nodes', kind: 'Node', namespaced: false },
      { name: '', kind: 'X' },
      null,
    ];
    expect(apiResources({ kind: 'APIResourceList', resources })).toEqual([
      { plural: 'pods', kind: 'Pod', namespaced: true, verbs: ['get', 'list'] },
      { plural: 'nodes', kind: 'Node', namespaced: false, verbs: [] },
    ]);
    expect(apiResources({ kind: 'APIGroup' })).toBeUndefined();
  });
});

function served(plural: string, kind: string) {
  return { plural, kind, namespaced: true, verbs: [] };
}

describe('resourceOf', () => {
  it('keeps the field name of what has fields of its own, in any version', () => {
    const plural = served('kustomizations', 'Kustomization');
    const resource = resourceOf('kustomize.toolkit.fluxcd.io', 'v1beta2', plural);
    expect(resource).toMatchObject({ field: 'fluxKustomizations', version: 'v1beta2' });
  });

  it('names the rest as RBAC does', () => {
    expect(resourceOf('cert-manager.io', 'v1', served('certificates', 'Certificate')).field).toBe(
      'certificates.cert-manager.io',
    );
    expect(resourceOf('', 'v1', served('endpoints', 'Endpoints')).field).toBe('endpoints');
  });
});

it('never throws, whatever a server answers', () => {
  fc.assert(
    fc.property(fc.constantFrom('APIGroupList', 'APIResourceList'), fc.jsonValue(), (kind, junk) => {
      const body = { kind, groups: junk, resources: junk, gitVersion: junk };
      expect(() => [apiGroups, apiResources, serverVersion].map((read) => read(body))).not.toThrow();
      const groups = [junk, { name: 'x', versions: junk, preferredVersion: junk }];
      expect(() => apiGroups({ kind, groups })).not.toThrow();
    }),
  );
});
