import { badInput } from '../errors.ts';
import type { Order, Position } from './order.ts';

const MAX_LENGTH = 4096;
const ALPHABET = /^[\w-]+$/;

/**
 * A page's cursor is the place of its last object in the order, not the object: it still means the same after
 * that object is gone.
 */
export function encodeCursor(order: Order, { key, namespace, name, uid }: Position): string {
  return Buffer.from(JSON.stringify([order.name, key ?? null, namespace, name, uid])).toString('base64url');
}

/** Throws BAD_USER_INPUT when it is not a cursor, or not one of this order. */
export function decodeCursor(order: Order, cursor: string): Position {
  const parts = parse(cursor);
  if (parts?.length !== 5) throw badInput('after', 'the endCursor of an earlier page');
  const [orderName, key, namespace, name, uid] = parts;
  if (orderName !== order.name) throw badInput('after', 'the endCursor of a page in the same order (orderBy)');
  if (typeof namespace !== 'string' || typeof name !== 'string' || typeof uid !== 'string' || !isKey(order, key)) {
    throw badInput('after', 'the endCursor of an earlier page');
  }
  return { key: key ?? undefined, namespace, name, uid };
}

function isKey(order: Order, key: unknown): key is string | number | null {
  return key === null || typeof key === order.keyType;
}

function parse(cursor: string): unknown[] | undefined {
  if (cursor.length > MAX_LENGTH || !ALPHABET.test(cursor)) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
