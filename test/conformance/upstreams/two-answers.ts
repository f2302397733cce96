import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Kas } from '../../../demo/kas/index.ts';

export interface Question {
  readonly method?: string;
  /** Behind the proxy. `<version>` and `<token>` stand for what `remembered` has of each server. */
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  readonly user?: string;
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  /** Parsed; a list where there are several documents; text where it is no JSON. */
  readonly body: unknown;
}

/** What each server has given: a resourceVersion, a continue token. */
export type Remembered = Readonly<Record<'version' | 'token', string>>;

export async function ask(kas: Kas, agent: number, question: Question, remembered: Remembered): Promise<Answer> {
  const { method = 'GET', accept = 'application/json', user = 'ada', contentType = 'application/json' } = question;
  const path = question.path
    .replace('<version>', remembered.version)
    .replace('<token>', encodeURIComponent(remembered.token));
  const bytes = question.body === undefined ? undefined : Buffer.from(JSON.stringify(question.body));
  const about = bytes && { 'content-type': contentType, 'content-length': bytes.length };
  const headers = { authorization: `Bearer ${kas.bearer(user, agent)}`, accept, ...about };
  return new Promise((resolve, reject) => {
    const outgoing = request(kas.url + path, { method, headers }, (response) => {
      const { statusCode: status = 0, headers: received } = response;
      text(response).then(
        (body) => resolve({ status, type: received['content-type'] ?? '', body: parse(body) }),
        reject,
      );
    });
    outgoing.on('error', reject);
    outgoing.end(bytes);
  });
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    const lines = body.split('\n').filter((line) => line !== '');
    return lines.every((line) => line.startsWith('{')) ? lines.map((line) => JSON.parse(line) as unknown) : body;
  }
}

/** Differs by nature, or is told by real servers at more length. */
const LEFT_OUT = new Set(['managedFields', 'description', 'storageVersionHash', 'categories']);
/** A real server fills in defaults, which the demo's clients do not look at. */
const DEFAULTED = new Set(['spec', 'status', 'generation']);
const MASKED = new Set(['uid', 'resourceVersion', 'creationTimestamp', 'deletionTimestamp', 'continue']);
/** Seconds since an object was made. */
const AGE = /^\d+s$/;
const UID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** An answer without what no two servers have in common: ids, versions, times. */
export function comparable(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => comparable(item));
  if (typeof value === 'object' && value !== null) {
    const isObject = 'metadata' in value && typeof (value.metadata as { name?: unknown } | null)?.name === 'string';
    const kept = Object.entries(value).filter(([name]) => !LEFT_OUT.has(name) && !(isObject && DEFAULTED.has(name)));
    return Object.fromEntries(kept.map(([name, field]) => [name, comparable(field, name)]));
  }
  if (MASKED.has(key) && value !== '') return `<${key}>`;
  if (typeof value !== 'string') return value;
  return value
    .replace(AGE, '<age>')
    .replaceAll(UID, '<uid>')
    .replaceAll(/\((\d+)\)|\b\d{15,}\b|current: \d+/g, '<version>');
}
