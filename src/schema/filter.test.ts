import { describe, expect, it } from 'vitest';
import { PODS } from '../kubernetes/resources.ts';
import { healthOf } from './derived.ts';
import { objectFilter, type FilterInput } from './filter.ts';
import type { Kind } from './kind.ts';
import { pod } from './testing/objects.ts';

const KIND: Kind = {
  resource: PODS,
  typeName: 'K8sPod',
  one: 'k8sPod',
  noun: { one: 'pod', many: 'pods' },
  status: { name: 'displayStatus', of: ({ metadata }) => metadata.annotations?.['display'] },
};

const WEB = pod('Web-1', {
  metadata: { labels: { app: 'web', tier: 'front' }, annotations: { display: 'CrashLoopBackOff' } },
  spec: { nodeName: 'n1' },
});
const DONE = pod('job-web-2', { status: { phase: 'Succeeded' } });
const ALL = [WEB, DONE];

function matching(input: FilterInput): string[] {
  const filter = objectFilter(input, KIND);
  return ALL.filter((object) => filter?.matches(object) ?? true).map(({ metadata }) => metadata.name);
}

function key(input: FilterInput): string | undefined {
  return objectFilter(input, KIND)?.key;
}

describe('objectFilter', () => {
  it.each<[FilterInput, string[]]>([
    [{ labelSelector: 'app=web,tier in (front)' }, ['Web-1']],
    [{ labelSelector: '!app' }, ['job-web-2']],
    [{ fieldSelector: 'spec.nodeName=n1' }, ['Web-1']],
    [{ fieldSelector: 'status.phase!=Running' }, ['job-web-2']],
    [{ search: 'WEB' }, ['Web-1', 'job-web-2']],
    [{ search: ' web-1 ' }, ['Web-1']],
    [{ search: '.*' }, []],
    [{ phases: ['Running'] }, ['Web-1']],
    [{ phases: ['CrashLoopBackOff', 'Succeeded'] }, ['Web-1', 'job-web-2']],
    [{ phases: ['Undefined'] }, []],
    [
      { health: [healthOf(WEB).level] },
      ALL.filter((o) => healthOf(o).level === healthOf(WEB).level).map((o) => o.metadata.name),
    ],
    [{ search: 'web', phases: ['Succeeded'] }, ['job-web-2']],
    [{ search: 'web', labelSelector: 'app', phases: ['Succeeded'] }, []],
  ])('%o', (input, expected) => {
    expect(matching(input)).toEqual(expected);
  });

  it.each([
    undefined,
    null,
    {},
    { search: '' },
    { search: '  ' },
    { labelSelector: '', fieldSelector: null },
    { phases: [], health: [] },
  ])('is none without a condition (%o)', (input) => {
    expect(objectFilter(input, KIND)).toBeUndefined();
  });

  it('has one key for one meaning', () => {
    expect(key({ phases: ['b', 'a', 'b'] })).toBe(key({ phases: ['a', 'b'] }));
    expect(key({ search: 'Web ' })).toBe(key({ search: 'web' }));
    expect(key({ search: 'a', phases: ['b'] })).toBe(key({ phases: ['b'], search: 'a' }));
  });

  it('has different keys for different meanings', () => {
    const inputs: FilterInput[] = [
      { search: 'a' },
      { search: 'b' },
      { labelSelector: 'a' },
      { labelSelector: 'b' },
      { phases: ['a'] },
      { phases: ['a', 'b'] },
      { phases: ['a","b'] },
      { search: 'a', labelSelector: 'b' },
      { health: ['HEALTHY'] },
      { health: ['DEGRADED'] },
      { phases: ['HEALTHY'] },
      { fieldSelector: 'a=' },
      { fieldSelector: 'a= ' },
    ];
    expect(new Set(inputs.map(key)).size).toBe(inputs.length);
  });

  it.each<[FilterInput, string]>([
    [{ labelSelector: 'a in (' }, 'filter.labelSelector'],
    [{ fieldSelector: 'x' }, 'filter.fieldSelector'],
    [{ search: 'x'.repeat(201) }, 'filter.search'],
    [{ phases: ['x'.repeat(201)] }, 'filter.phases'],
  ])('refuses %o by name', (input, argument) => {
    expect(() => objectFilter(input, KIND)).toThrow(
      expect.objectContaining({ code: 'BAD_USER_INPUT', message: expect.stringContaining(argument) }),
    );
  });
});
