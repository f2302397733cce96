import type { LogBatch, NumberedLine } from '../pubsub/log-view.ts';

const stripped = new WeakMap<LogBatch, LogBatch>();

/** The batch with the times of its lines, or without: they are always known, and shown to those who asked for them. */
export function withTimes(batch: LogBatch, wanted: boolean): LogBatch {
  if (wanted) return batch;
  const known = stripped.get(batch);
  if (known !== undefined) return known;
  const bare = { ...batch, lines: batch.lines.map(withoutTime) };
  stripped.set(batch, bare);
  return bare;
}

function withoutTime<Line extends NumberedLine>(line: Line): Line {
  return { ...line, timestamp: undefined };
}
