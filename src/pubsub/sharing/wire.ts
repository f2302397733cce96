import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { LogEntry } from '../object-log.ts';

/** Objects whose JSON is longer than this are compressed: below it, that takes as long and saves next to nothing. */
export const COMPRESS_ABOVE_BYTES = 1_024;
/** An object that was 16 MiB in the cluster's answer, and no more, may come out of a few bytes. */
const MAX_OBJECT_BYTES = 64 * 1_024 * 1_024;
const NEWLINE = 0x0a;

/** An entry of a feed's log as it lies in Redis: a line of JSON that says what it is, then the object's JSON. */
export interface WireEntry {
  readonly uid: string;
  readonly offset: number;
  readonly isRemoval: boolean;
  readonly bytes: Buffer;
}

/** What the first line says. Short names, since there is one for each object. */
interface Head {
  readonly u: string;
  /** offset */
  readonly o: number;
  /** bornAt */
  readonly b: number;
  /** resourceVersion, where there is no object to have it. */
  readonly v?: string;
  /** nameKey, where there is no object to have it. */
  readonly n?: string;
  /** The object is compressed. */
  readonly z?: 1;
}

export function encodeEntry({ uid, offset, bornAt, resourceVersion, nameKey, object }: LogEntry): WireEntry {
  if (object === undefined) {
    const head: Head = { u: uid, o: offset, b: bornAt, v: resourceVersion, n: nameKey };
    return { uid, offset, isRemoval: true, bytes: Buffer.from(JSON.stringify(head)) };
  }
  const plain = Buffer.from(JSON.stringify(object));
  const isLong = plain.length > COMPRESS_ABOVE_BYTES;
  const head: Head = { u: uid, o: offset, b: bornAt, ...(isLong && { z: 1 as const }) };
  const body = isLong ? deflateRawSync(plain, { level: 1 }) : plain;
  return { uid, offset, isRemoval: false, bytes: Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), body]) };
}

/** Throws when it is no entry. Nobody but replicas writes there, so that is a defect or another version of them. */
export function decodeEntry(bytes: Buffer): LogEntry {
  const end = bytes.indexOf(NEWLINE);
  const { u, o, b, v, n, z } = headOf(bytes);
  if (end < 0) {
    if (v === undefined || n === undefined) throw new TypeError('A removal must have a version and a name.');
    return { uid: u, offset: o, bornAt: b, resourceVersion: v, nameKey: n, object: undefined };
  }
  const body = bytes.subarray(end + 1);
  const text = z === 1 ? inflateRawSync(body, { maxOutputLength: MAX_OBJECT_BYTES }) : body;
  const object = JSON.parse(text.toString()) as KubernetesObject; // as another replica has parsed and trimmed it
  const { namespace, name, resourceVersion } = object.metadata;
  return { uid: u, offset: o, bornAt: b, resourceVersion, nameKey: `${namespace ?? ''}/${name}`, object };
}

export function wireEntry(bytes: Buffer): WireEntry {
  const { u, o, n } = headOf(bytes);
  return { uid: u, offset: o, isRemoval: n !== undefined, bytes };
}

function headOf(bytes: Buffer): Head {
  const end = bytes.indexOf(NEWLINE);
  const head = JSON.parse(bytes.toString('utf8', 0, end < 0 ? bytes.length : end)) as Partial<Head>;
  if (typeof head.u !== 'string' || !Number.isSafeInteger(head.o) || !Number.isSafeInteger(head.b)) {
    throw new TypeError('An entry must have an id and its offsets.');
  }
  return head as Head;
}
