import { isIP } from 'node:net';
import { z } from 'zod';
import { parseRedisUrl, type RedisAddress } from './pubsub/redis/redis-url.ts';
import type { ServiceAddress } from './sources/actions.ts';

/** How single variables of the environment are read. What is wrong with one is said in words that follow its name. */

export function wholeNumber(least: number, most: number) {
  const expected = `must be a whole number from ${least} to ${most}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, expected)
    .transform(Number)
    .refine((value) => value >= least && value <= most, expected);
}

export function oneOf<const Values extends readonly [string, ...string[]]>(...values: Values) {
  return z.enum(values, { error: `must be one of ${values.join(', ')}` });
}

export function trueOrFalse() {
  return z.enum(['true', 'false'], { error: 'must be true or false' }).transform((value) => value === 'true');
}

type Problems = z.RefinementCtx;

export function toKasUrl(text: string, problems: Problems): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const fits = url && /^https?:$/.test(url.protocol) && !/[?#]/.test(text) && url.username + url.password === '';
  if (fits) return url;
  problems.addIssue('must be http(s)://host[:port]/path, without user, query or fragment');
  return z.NEVER;
}

/** Repeats nothing of the address: it may hold a password. */
export function toRedisAddress(text: string, problems: Problems): RedisAddress {
  try {
    return parseRedisUrl(text);
  } catch (error) {
    problems.addIssue(`must be an address of Redis: ${error instanceof Error ? error.message : 'it cannot be read'}`);
    return z.NEVER;
  }
}

export function toServiceAddress(text: string, problems: Problems): ServiceAddress {
  const [, namespace, name, port] = SERVICE_ADDRESS.exec(text) ?? [];
  if (namespace !== undefined && name !== undefined && port !== undefined) return { namespace, name, port };
  problems.addIssue('must be namespace/name:port');
  return z.NEVER;
}

const SERVICE_ADDRESS =
  /^([a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)\/([a-z](?:[-a-z0-9]{0,61}[a-z0-9])?):([a-z0-9][-a-z0-9]{0,14})$/;

export function toBasePath(text: string, problems: Problems): string {
  const segments = text.split('/').filter((segment) => segment !== '');
  if (segments.every((segment) => /^[\w.~-]+$/.test(segment) && !/^\.\.?$/.test(segment)))
    return `/${segments.join('/')}`;
  problems.addIssue('must be a path like /kascade');
  return z.NEVER;
}

export function toOrigins(text: string, problems: Problems): string[] {
  const origins = text.split(',').map((origin) => origin.trim());
  const given = origins.filter((origin) => origin !== '');
  if (given.every((origin) => /^https?:/.test(origin) && URL.canParse(origin) && new URL(origin).origin === origin))
    return given;
  problems.addIssue(
    'must be exact origins, comma-separated: "https://gitlab.example.com,https://ops.example.com:8443"',
  );
  return z.NEVER;
}

export function isHost(text: string): boolean {
  return isIP(text) !== 0 || /^[a-z\d]([a-z\d.-]{0,251}[a-z\d])?$/i.test(text);
}
