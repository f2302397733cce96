import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError } from '../errors.ts';
import * as names from './names.ts';

const CHECKS = {
  checkAgentId: names.checkAgentId,
  checkNamespace: names.checkNamespace,
  checkName: names.checkName,
  checkContainerName: names.checkContainerName,
  checkGroup: names.checkGroup,
  checkVersion: names.checkVersion,
  checkPlural: names.checkPlural,
};

/** Strings that are near to passing, and others. */
const candidate = fc.oneof(
  fc.string(),
  fc.string({ unit: fc.constantFrom('a', 'z', '0', '1', '9', '-', '.', '/', '%', '\n', 'A', '_', ' ', '\0') }),
  fc.stringMatching(/^[a-z0-9.-]+$/),
  fc.stringMatching(/^[1-9][0-9]{0,20}$/),
);

/** False when it refuses as it should; anything else that is thrown is a defect. */
function passes(action: () => unknown): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.code === 'BAD_USER_INPUT') return false;
    throw error;
  }
}

function refusalOf(action: () => unknown): ApiError {
  try {
    action();
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe.each(Object.entries(CHECKS))('%s', (_name, check) => {
  it('lets pass only what is harmless in a URL', () => {
    fc.assert(
      fc.property(candidate, (value) => {
        fc.pre(passes(() => check(value)));
        expect(check(value)).toBe(value);
        expect(value).toMatch(/^[a-z0-9.-]+$/);
        expect(value.length).toBeLessThanOrEqual(253);
        expect(value).not.toContain('\n');
        expect(new URL(`http://kas/before/${value}/after`).pathname).toBe(`/before/${value}/after`);
      }),
      { numRuns: 500 },
    );
  });

  it.each(['', '.', '..', 'a/b', 'a\n', '1\n', '%2e%2e', 'a?b', 'a#b', 'ä', '.a', 'a.', '-a', 'a-', 'a..b', 'A', ' a'])(
    'refuses %j',
    (value) => {
      expect(() => check(value)).toThrow(ApiError);
    },
  );

  it.each([undefined, null, 1, {}, ['pods'], [['1']]])('refuses %j, which is no string', (value) => {
    expect(() => check(value)).toThrow(ApiError);
  });
});

describe('the grammars', () => {
  it.each([
    ['checkAgentId', '1'],
    ['checkAgentId', '9'.repeat(18)],
    ['checkNamespace', 'kube-system'],
    ['checkNamespace', '0'],
    ['checkNamespace', 'a'.repeat(63)],
    ['checkName', 'web-5d8f.example.com'],
    ['checkName', `${'a'.repeat(126)}.${'b'.repeat(126)}`],
    ['checkContainerName', 'istio-proxy'],
    ['checkGroup', 'kustomize.toolkit.fluxcd.io'],
    ['checkVersion', 'v1beta2'],
    ['checkPlural', 'kustomizations'],
  ] as const)('%s accepts %j', (check, value) => {
    expect(CHECKS[check](value)).toBe(value);
  });

  it.each([
    ['checkAgentId', '0'],
    ['checkAgentId', '01'],
    ['checkAgentId', '-1'],
    ['checkAgentId', '9'.repeat(19)],
    ['checkNamespace', 'a'.repeat(64)],
    ['checkNamespace', 'a.b'],
    ['checkName', 'a'.repeat(254)],
    ['checkName', 'system:node'],
    ['checkContainerName', 'a.b'],
    ['checkVersion', '1'],
    ['checkPlural', 'pods.log'],
    ['checkPlural', 'pods/log'],
  ] as const)('%s refuses %j', (check, value) => {
    expect(() => CHECKS[check](value)).toThrow(ApiError);
  });
});

describe('the message', () => {
  it('names the argument and what is expected', () => {
    const error = refusalOf(() => names.checkNamespace('Prod', 'target.namespace'));
    expect(error.message).toMatch(/^target\.namespace must be a DNS label .*, not "Prod"\.$/);
    expect(refusalOf(() => names.checkAgentId('x')).message).toContain('agentId must be');
  });

  it('repeats at most 64 characters, as printable ASCII', () => {
    expect(refusalOf(() => names.checkName('X'.repeat(1_000_000))).message).toContain(`not "${'X'.repeat(64)}"…`);
    const error = refusalOf(() => names.checkName('a"\n\u2028\u202e\u007f\ud800'));
    expect(error.message).toContain(String.raw`"a\"\n\u2028\u202e\u007f\ud800"`);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const { message } = refusalOf(() => names.checkName(`!${value}`));
        expect(message.replace('…', '')).toMatch(/^[ -~]*$/);
        expect(message.length).toBeLessThan(600);
      }),
    );
  });
});

describe('parseApiVersion', () => {
  it('splits off the group', () => {
    expect(names.parseApiVersion('v1')).toEqual({ group: '', version: 'v1' });
    expect(names.parseApiVersion('apps/v1')).toEqual({ group: 'apps', version: 'v1' });
  });

  it.each(['', '/', '/v1', 'apps/', 'apps/v1/', 'a/b/c', '../v1', 'v1/..', 'V1', 1, null])('refuses %j', (value) => {
    expect(() => names.parseApiVersion(value)).toThrow(ApiError);
  });
});
