import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError } from '../errors.ts';
import { parseFluxResourcePath, type FluxResourcePath } from './flux-resource-path.ts';
import { apiVersion, FLUX_HELM_RELEASES, FLUX_KUSTOMIZATIONS, FLUX_RESOURCES } from './resources.ts';

const PATH = 'kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/apps';

/** Undefined when it is refused as it should be; anything else that is thrown is a defect. */
function parse(value: unknown): FluxResourcePath | undefined {
  try {
    return parseFluxResourcePath(value);
  } catch (error) {
    const isRefusal = error instanceof ApiError && error.code === 'BAD_USER_INPUT';
    if (!isRefusal || !/^fluxResourcePath(?:: the [a-z]+)? must be [ -~…]*$/.test(error.message)) throw error;
    return undefined;
  }
}

describe('parseFluxResourcePath', () => {
  it('takes GitLab’s path apart', () => {
    expect(parse(PATH)).toEqual({ resource: FLUX_KUSTOMIZATIONS, namespace: 'flux-system', name: 'apps' });
    expect(parse('helm.toolkit.fluxcd.io/v2beta1/namespaces/default/helmreleases/web.example')).toEqual({
      resource: { ...FLUX_HELM_RELEASES, version: 'v2beta1' },
      namespace: 'default',
      name: 'web.example',
    });
  });

  it.each(FLUX_RESOURCES)('knows $plural', (resource) => {
    const path = `${apiVersion(resource)}/namespaces/default/${resource.plural}/web`;
    expect(parse(path)).toEqual({ resource, namespace: 'default', name: 'web' });
  });

  it.each([
    '',
    '/',
    `/${PATH}`,
    `${PATH}/`,
    `${PATH}/status`,
    `${PATH}?watch=1`,
    `${PATH}#x`,
    `${PATH}\n`,
    `apis/${PATH}`,
    PATH.replace('flux-system', '..'),
    PATH.replace('flux-system', '%2e%2e'),
    PATH.replace('flux-system', ''),
    PATH.replace('apps', '..'),
    PATH.replace('apps', ''),
    PATH.replace('apps', 'a:b'),
    PATH.replace('apps', 'a'.repeat(254)),
    PATH.replace('/v1/', '/../'),
    PATH.replace('/v1/', '/V1/'),
    PATH.replace('namespaces', 'Namespaces'),
    PATH.replace('kustomizations', 'secrets'),
    PATH.replace('kustomizations', 'helmreleases'),
    PATH.replace('kustomizations', 'constructor'),
    PATH.replace('kustomize.toolkit.fluxcd.io', 'apps'),
    PATH.replaceAll('/', '\\'),
    'x'.repeat(1_000_000),
  ])('refuses %j', (path) => {
    expect(parse(path)).toBeUndefined();
  });

  it.each([undefined, null, 1, {}, [PATH], { split: 1 }])('refuses %j, which is no string', (path) => {
    expect(parse(path)).toBeUndefined();
  });

  it('names the part that is wrong, and repeats little of it', () => {
    expect(() => parseFluxResourcePath(PATH.replace('flux-system', 'Prod'))).toThrow(
      /^fluxResourcePath: the namespace must be a DNS label .*, not "Prod"\.$/,
    );
    expect(() => parseFluxResourcePath('x'.repeat(10_000))).toThrow(/not "x{64}"…\.$/);
  });

  it('lets pass only what is safe in a URL and means the same again', () => {
    const hostile = fc.constantFrom('..', '.', '', '%2e%2e', '%2F', 'a/b', '?x', '#', '\\', '\0', 'A', 'a\n', '*', 'é');
    const part = fc.oneof(fc.constantFrom(...PATH.split('/')), hostile, fc.string());
    const parts = fc.tuple(part, part, part, part, part, part).map((all) => all.join('/'));
    const spoiled = fc
      .tuple(fc.nat({ max: 6 }), fc.oneof(hostile, fc.string()))
      .map(([index, bad]) => PATH.split('/').with(Math.min(index, 5), bad).join('/'));
    fc.assert(
      fc.property(fc.oneof(parts, spoiled, fc.string()), (path) => {
        const parsed = parse(path);
        if (parsed === undefined) return;
        const { resource, namespace, name } = parsed;
        expect(`${apiVersion(resource)}/namespaces/${namespace}/${resource.plural}/${name}`).toBe(path);
        expect(new URL(`http://kas/apis/${path}`).pathname).toBe(`/apis/${path}`);
      }),
      { numRuns: 3_000 },
    );
  });
});
