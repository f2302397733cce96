import type { Batch, Message } from '../sharing/bus.ts';
import { wireEntry, type WireEntry } from '../sharing/wire.ts';

/** A batch without its entries, as the first line of its frame. */
interface BatchHeader extends Omit<Batch, 'lineage' | 'entries'> {
  readonly lineage: readonly (readonly [string, number])[];
}

const NEWLINE = 0x0a;

/** The first line of a batch's frame. Redis puts the entries behind it: each its length, a newline, its bytes. */
export function batchHeader(batch: Batch): string {
  const header: BatchHeader & { entries: undefined } = { ...batch, lineage: [...batch.lineage], entries: undefined };
  return `${JSON.stringify(header)}\n`;
}

/** Every other message is one JSON text. */
export function encodeMessage(message: Exclude<Message, Batch>): string {
  return JSON.stringify(message);
}

/** Throws when it is no message. Nobody but replicas writes there, so that is a defect or another version of them. */
export function decodeMessage(bytes: Buffer): Message {
  const end = bytes.indexOf(NEWLINE);
  const header = JSON.parse(bytes.toString('utf8', 0, end < 0 ? bytes.length : end)) as
    | Exclude<Message, Batch>
    | BatchHeader;
  if (header.type !== 'batch') return header;
  return { ...header, lineage: new Map(header.lineage), entries: decodeEntries(bytes.subarray(end + 1)) };
}

export function decodeBatch(bytes: Buffer): Batch {
  const message = decodeMessage(bytes);
  if (message.type !== 'batch') throw new TypeError('The log of a feed holds nothing but batches.');
  return message;
}

function decodeEntries(bytes: Buffer): WireEntry[] {
  const entries: WireEntry[] = [];
  for (let at = 0; at < bytes.length;) {
    const line = bytes.indexOf(NEWLINE, at);
    const length = Number(bytes.toString('latin1', at, line));
    if (line < 0 || !Number.isSafeInteger(length) || line + 1 + length > bytes.length) {
      throw new TypeError('A batch ends within an entry.');
    }
    at = line + 1 + length;
    entries.push(wireEntry(bytes.subarray(line + 1, at)));
  }
  return entries;
}
