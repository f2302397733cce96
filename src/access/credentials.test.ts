import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError } from '../errors.ts';
import { credentialsFromHeaders, type SentCredentials } from './credentials.ts';

describe('credentials in a request', () => {
  it.each<[string, SentCredentials, object | undefined]>([
    ['none', {}, undefined],
    ['a token', { authorization: 'Bearer glpat-abc' }, bearer('glpat-abc')],
    ['a token, in another case and with room', { authorization: '  bearer   glpat-abc ' }, bearer('glpat-abc')],
    ['a token bound to an agent', { authorization: 'Bearer pat:42:glpat-abc' }, bearer('glpat-abc', '42')],
    ['a job token bound to an agent', { authorization: 'Bearer ci:42:x:y' }, bearer('x:y', '42', 'ci')],
    ['a token that only looks bound', { authorization: 'Bearer pat:0:x' }, bearer('pat:0:x')],
    ['a token bound to what is no agent', { authorization: 'Bearer pat:4a:x' }, bearer('pat:4a:x')],
    ['a cookie with a CSRF token', { cookie: 'a=1; _gitlab_kas=abc=; b=2', csrfToken: 't' }, cookie('abc=', 't')],
    ['a cookie alone', { cookie: '_gitlab_kas=abc' }, undefined],
    ['a CSRF token alone', { csrfToken: 't' }, undefined],
    ['a cookie of another name', { cookie: 'x_gitlab_kas=abc; _gitlab_kas_x=1', csrfToken: 't' }, undefined],
    ['the first of two cookies', { cookie: '_gitlab_kas=one; _gitlab_kas=two', csrfToken: 't' }, cookie('one', 't')],
    ['both', { authorization: 'Bearer a', cookie: '_gitlab_kas=abc', csrfToken: 't' }, bearer('a')],
  ])('%s', (_, sent, expected) => {
    expect(credentialsFromHeaders(sent)).toEqual(expected);
  });

  it.each<[string, SentCredentials]>([
    ['an empty header', { authorization: '' }],
    ['another scheme', { authorization: 'Basic c2VjcmV0LXNlY3JldA==' }],
    ['no token', { authorization: 'Bearer' }],
    ['two tokens', { authorization: 'Bearer secret-secret secret-secret' }],
    ['a line feed', { authorization: 'Bearer secret-secret\nx-header:1' }],
    ['what is no ASCII', { authorization: 'Bearer secret-secret-é' }],
    ['a token too long', { authorization: `Bearer ${'secret-secret'.repeat(1_000)}` }],
    ['a cookie with a line feed', { cookie: '_gitlab_kas=secret-secret\r\nx: y', csrfToken: 't' }],
    ['an empty cookie', { cookie: '_gitlab_kas=', csrfToken: 'secret-secret' }],
    ['an empty CSRF token', { cookie: '_gitlab_kas=secret-secret', csrfToken: '' }],
    ['a CSRF token with a line feed', { cookie: '_gitlab_kas=secret-secret', csrfToken: 'secret-secret\nx' }],
  ])('refuses %s, and repeats none of it', (_, sent) => {
    const error = thrownBy(sent);
    expect(error).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(JSON.stringify([error?.message, error?.remedy, error?.stack, error?.cause])).not.toContain('secret-secret');
  });

  it('are read, absent or refused, whatever is sent; and no secret leaks, and none can carry a second header', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string(),
      fc
        .tuple(fc.constantFrom('Bearer ', 'bearer  ', 'Bearer pat:7:', 'Basic ', '_gitlab_kas='), fc.string())
        .map((p) => p.join('')),
    );
    const sent = fc.record({ authorization: text, cookie: text, csrfToken: text }, { requiredKeys: [] });
    fc.assert(
      fc.property(sent, (headers) => {
        const error = thrownBy(headers); // and nothing but an ApiError
        expect(error?.code ?? 'UNAUTHENTICATED').toBe('UNAUTHENTICATED');
        const credentials = error === undefined ? credentialsFromHeaders(headers) : undefined;
        const values =
          credentials?.kind === 'cookie' ? [credentials.cookie, credentials.csrfToken] : [credentials?.token];
        for (const value of values) expect(value ?? 'none').toMatch(/^[\x21-\x7e]+$/);
      }),
      { numRuns: 2_000 },
    );
  });

  it('never leak into an error, whatever surrounds them', () => {
    const secret = 'glpat-S3CR3T';
    const around = fc.string({ unit: 'binary', maxLength: 20 });
    fc.assert(
      fc.property(around, around, fc.constantFrom('authorization', 'cookie', 'csrfToken'), (before, after, where) => {
        const sent = { cookie: '_gitlab_kas=x', csrfToken: 'y', [where]: `${before}${secret}${after}` };
        const error = thrownBy(sent);
        expect(JSON.stringify([error?.message, error?.remedy, error?.stack, error?.cause]) ?? '').not.toContain(secret);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each(['Bearer ', 'Bearer pat:1:', ' '])('are refused fast when they are long: %j', (start) => {
    const startedAt = performance.now();
    thrownBy({ authorization: `${start}${' '.repeat(100_000)}\n` });
    thrownBy({ authorization: `${start}${'1:'.repeat(100_000)}` });
    thrownBy({ cookie: ';='.repeat(100_000), csrfToken: 'x' });
    expect(performance.now() - startedAt).toBeLessThan(500);
  });
});

function bearer(token: string, agentId?: string, tokenType: 'pat' | 'ci' = 'pat') {
  return { kind: 'bearer', agentId, tokenType, token };
}

function cookie(value: string, csrfToken: string) {
  return { kind: 'cookie', cookie: value, csrfToken };
}

function thrownBy(sent: SentCredentials): ApiError | undefined {
  try {
    credentialsFromHeaders(sent);
    return undefined;
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
}
