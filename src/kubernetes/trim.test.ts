import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { trim } from './trim.ts';

const METADATA = { name: 'web', uid: 'u-1', resourceVersion: '7' };
const POD = { apiVersion: 'v1', kind: 'Pod', metadata: METADATA };

describe('trim', () => {
  it('drops what only kubectl and the API server need', () => {
    const object = trim({
      ...POD,
      metadata: {
        ...METADATA,
        selfLink: '/api/v1/namespaces/default/pods/web',
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', note: 'kept' },
        managedFields: [{ manager: 'kubectl' }],
      },
      spec: { nodeName: 'a' },
    });
    expect(object).toEqual({
      ...POD,
      metadata: { ...METADATA, annotations: { note: 'kept' } },
      spec: { nodeName: 'a' },
    });
    expect(Object.keys(object.metadata)).not.toContain('managedFields');
  });

  it('gives the list’s type to an item that has none, and only then', () => {
    const type = { apiVersion: 'v1', kind: 'Pod' };
    expect(trim({ metadata: { ...METADATA } }, type)).toEqual(POD);
    expect(trim({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: METADATA }, type)).toMatchObject({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
    });
  });

  it('returns the object it was given', () => {
    const raw = { ...POD, metadata: { ...METADATA, managedFields: [] } };
    expect(trim(raw)).toBe(raw);
  });

  it('keeps a key __proto__ as data', () => {
    const raw: unknown = JSON.parse(
      `{"apiVersion":"v1","kind":"Pod","__proto__":{"kind":"Secret"},"metadata":{"name":"a","uid":"b","resourceVersion":"1",
        "__proto__":{"namespace":"kube-system"},"annotations":{"__proto__":{"x":"y"}},"managedFields":[]}}`,
    );
    const object = trim(raw);
    expect(object.kind).toBe('Pod');
    expect(object.metadata.namespace).toBeUndefined();
    expect(Object.getPrototypeOf(object.metadata)).toBe(Object.prototype);
    expect(Object.getPrototypeOf(object.metadata.annotations)).toBe(Object.prototype);
    expect(Object.hasOwn(object.metadata, '__proto__')).toBe(true);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('does not take metadata from a prototype in the JSON', () => {
    const raw: unknown = JSON.parse(
      '{"apiVersion":"v1","kind":"Pod","__proto__":{"metadata":{"name":"a","uid":"b","resourceVersion":"1"}}}',
    );
    expect(() => trim(raw)).toThrow(TypeError);
  });

  it.each([
    null,
    undefined,
    'pod',
    [POD],
    {},
    { ...POD, metadata: null },
    { ...POD, metadata: [] },
    { ...POD, metadata: { ...METADATA, name: undefined } },
    { ...POD, metadata: { ...METADATA, uid: 1 } },
    { ...POD, metadata: { ...METADATA, resourceVersion: '' } },
    { metadata: METADATA },
  ])('refuses %j', (raw) => {
    expect(() => trim(raw)).toThrow(TypeError);
  });

  it('throws a TypeError for any other JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (raw) => {
        expect(() => trim({ ...POD, metadata: raw })).toThrow(TypeError);
        expect(() => trim(raw)).toThrow(TypeError);
      }),
    );
  });
});
