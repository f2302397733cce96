/** What stands where a credential stood. */
export const REDACTED = '[redacted]';

const SECRET_FIELDS = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'x-csrf-token',
  'csrftoken',
  'private-token',
  'sec-websocket-protocol',
  'connectionparams',
  'variables',
  'password',
  'token',
]);

/** GitLab's tokens (glpat-, glcbt-, glrt- …), KAS's `pat:<agent>:<token>` and `ci:<agent>:<token>`, cookies, URLs with a password. */
const SECRET_TEXTS: readonly [pattern: RegExp, replacement: string][] = [
  [/\b(Bearer|Basic)\s+[^\s"'\\,;]+/gi, `$1 ${REDACTED}`],
  [/\b(pat|ci|session_cookie):(\d+):[^\s"'\\,;]+/g, `$1:$2:${REDACTED}`],
  [/\bgl[a-z]{2,8}-[\w.-]{8,}/g, REDACTED],
  [/\b(_gitlab_kas|_gitlab_session)=[^\s"'\\,;]+/g, `$1=${REDACTED}`],
  [
    /\b(x-csrf-token|private-token|cookie|authorization)(\\?["']?\s*[:=]\s*\\?["']?)(?!Bearer |Basic )[^\s"'\\,;]+/gi,
    `$1$2${REDACTED}`,
  ],
  [/(\b[a-z][a-z\d+.-]*:\/\/[^\s:/@"\\]*):[^\s/@"\\]+@/gi, `$1:${REDACTED}@`],
];

export function redactedText(text: string): string {
  return SECRET_TEXTS.reduce((safe, [pattern, replacement]) => safe.replace(pattern, replacement), text);
}

/** A copy fit for the log: secret fields blanked at any depth, errors as plain objects, texts cleaned, cycles cut. */
export function redacted(value: unknown): unknown {
  return copied(value, 0);
}

function copied(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactedText(value);
  if (typeof value === 'bigint' || typeof value === 'function' || typeof value === 'symbol') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH) return '[deeper]';
  if (value instanceof Error) return redactedError(value, depth);
  if (value instanceof URL) return redactedText(value.href);
  if (value instanceof Date) return value.toJSON();
  if (Array.isArray(value)) return value.map((item) => copied(item, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, redactedField(name, field, depth)]));
}

const MAX_DEPTH = 6;

function redactedField(name: string, value: unknown, depth: number): unknown {
  return SECRET_FIELDS.has(name.toLowerCase()) ? REDACTED : copied(value, depth + 1);
}

function redactedError(error: Error, depth: number): Record<string, unknown> {
  const own = Object.fromEntries(
    Object.entries(error).map(([name, field]) => [name, redactedField(name, field, depth)]),
  );
  return {
    type: error.name,
    message: redactedText(error.message),
    ...own,
    ...(error.stack !== undefined && { stack: redactedText(error.stack) }),
    ...(error.cause !== undefined && { cause: copied(error.cause, depth + 1) }),
  };
}
