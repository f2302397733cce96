import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError } from '../errors.ts';
import type { KubernetesObject } from './object.ts';
import { pod, readKubectl, sent } from './pod.fixture.ts';
import { parseFieldSelector, parseLabelSelector } from './selectors.ts';

const inputs = readKubectl('selectors.json');
const expected = readKubectl('expected.json');

/** Accepted by the parser of Kubernetes, but by none of its kinds: no field has an empty name. */
const REFUSED_BY_US = new Set(['=']);

function outcome<T>(
  parse: (text: string) => (candidate: T) => boolean,
  text: string,
  candidates: readonly T[],
): string {
  const matches = parsed(parse, text);
  return matches === undefined ? 'error' : candidates.map((each) => (matches(each) ? '+' : '-')).join('');
}

function parsed<T>(parse: (text: string) => T, text: string): T | undefined {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof ApiError && error.code === 'BAD_USER_INPUT') return undefined;
    throw error;
  }
}

/** An object with these fields: `metadata.name` is the field `name` of the object's field `metadata`. */
function objectOf(fields: Readonly<Record<string, string>>): KubernetesObject {
  const parts: Record<string, Record<string, string>> = {};
  for (const [path, value] of Object.entries(fields)) {
    const [part = '', field = ''] = path.split('.');
    parts[part] = { ...parts[part], [field]: value };
  }
  return sent(parts);
}

describe('parseLabelSelector', () => {
  const cases = inputs.labelSelectors.map((text, index) => ({ text, expected: expected.labelSelectors[index] }));

  it.each(cases)('understands $text as Kubernetes does', ({ text, expected }) => {
    expect(outcome(parseLabelSelector, text, inputs.labelSets)).toBe(expected);
  });

  it('finds no label on the prototype', () => {
    expect(parseLabelSelector('constructor')({})).toBe(false);
    expect(parseLabelSelector('!toString')({})).toBe(true);
    const labels: Record<string, string> = JSON.parse('{"constructor":"x","__proto__":"y"}');
    expect(parseLabelSelector('constructor=x')(labels)).toBe(true);
    expect(parseLabelSelector('!a')(Object.create({ a: 'b' }))).toBe(true);
  });

  it.each([
    ['a=b,c in d', 'at character 10: found "d", expected "("'],
    ['a=b,', 'at character 5: found nothing, expected a label key'],
    ['a=b)', 'at character 4: found ")", expected "," or the end'],
    ['-a', 'at character 1: found "-a", expected a label key'],
    ['a ~ b', 'at character 3: found "~", expected one of'],
  ])('says where %j is wrong', (text, message) => {
    expect(() => parseLabelSelector(text)).toThrow(message);
    expect(() => parseLabelSelector(text)).toThrow(/^filter\.labelSelector must be/);
  });

  it('is bounded', () => {
    expect(parsed(parseLabelSelector, `a in (${'b,'.repeat(496)})`)).toBeDefined();
    expect(() => parseLabelSelector(' '.repeat(1_001))).toThrow('at most 1000 are allowed');
    expect(parsed(parseLabelSelector, Array(50).fill('a').join())).toBeDefined();
    expect(() => parseLabelSelector(Array(51).fill('a').join())).toThrow('at most 50 requirements');
  });

  it('throws nothing but BAD_USER_INPUT', () => {
    const unit = fc.constantFrom(
      'a',
      'in',
      'notin',
      '=',
      '!',
      ',',
      '(',
      ')',
      ' ',
      '<',
      '>',
      '-',
      '.',
      '/',
      '1',
      '\n',
      'é',
      '\0',
    );
    fc.assert(
      fc.property(
        fc.string({ unit, maxLength: 30 }),
        fc.dictionary(fc.constantFrom('a', 'in'), fc.string()),
        (text, labels) => {
          expect(outcome(parseLabelSelector, text, [labels])).toMatch(/^(?:error|[+-])$/);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('parseFieldSelector', () => {
  const cases = inputs.fieldSelectors
    .map((text, index) => ({ text, expected: expected.fieldSelectors[index] }))
    .filter(({ text }) => !REFUSED_BY_US.has(text));

  it.each(cases)('understands $text as Kubernetes does', ({ text, expected }) => {
    expect(outcome(parseFieldSelector, text, inputs.fieldSets.map(objectOf))).toBe(expected);
  });

  it.each([
    ['spec.replicas=3', true],
    ['spec.paused=true', true],
    ['spec.paused!=false', true],
    ['spec.missing=', true],
    ['spec.missing.deeper=', true],
    ['spec.template=', true],
    ['spec.list=', true],
    ['spec.list.length=', true],
    ['spec.list.length=1', false],
    ['spec.none=', true],
    ['spec.text.length=', true],
    ['__proto__.constructor.name=Object', false],
    ['constructor.name=Object', false],
    ['metadata.name=web,spec.replicas!=4', true],
  ])('matches %s: %s', (text, matches) => {
    const object = pod({ replicas: 3, paused: true, template: { a: 'b' }, list: ['x'], none: null, text: 'y' });
    expect(parseFieldSelector(text)(object)).toBe(matches);
  });

  it('finds no field on a prototype', () => {
    const object: KubernetesObject = { ...pod(), spec: Object.create({ nodeName: 'a' }) };
    expect(parseFieldSelector('spec.nodeName=')(object)).toBe(true);
  });

  it.each([
    ['=', 'at character 1: found nothing, expected a path'],
    ['a=b,cd', 'at character 5: found "cd", expected path=value'],
    ['a=b,c d=e', 'at character 5: found "c d", expected a path'],
    ['a=b\\c', 'at character 4: found "\\\\c"'],
    ['a=b=c', 'at character 4: found "="'],
    ['a..b=c', 'expected a path'],
  ])('says where %j is wrong', (text, message) => {
    expect(() => parseFieldSelector(text)).toThrow(message);
    expect(() => parseFieldSelector(text)).toThrow(/^filter\.fieldSelector must be/);
  });

  it('is bounded', () => {
    expect(() => parseFieldSelector(`a=${'b'.repeat(999)}`)).toThrow('at most 1000 are allowed');
    expect(() => parseFieldSelector(Array(51).fill('a=b').join())).toThrow('at most 50 requirements');
  });

  it('throws nothing but BAD_USER_INPUT', () => {
    const unit = fc.constantFrom('a', 'spec', '.', '=', '!', ',', '\\', ' ', '1', '\n', '_');
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 30 }), (text) => {
        expect(outcome(parseFieldSelector, text, [pod({ a: 'b' })])).toMatch(/^(?:error|[+-])$/);
      }),
      { numRuns: 2_000 },
    );
  });
});
