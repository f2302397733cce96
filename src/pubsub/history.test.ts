import { describe, expect, it } from 'vitest';
import { pod } from '../../test/support/objects.ts';
import { History } from './history.ts';
import { ObjectLog } from './object-log.ts';

function logOf(...names: string[]): ObjectLog {
  const log = new ObjectLog(() => 0);
  for (const [index, name] of names.entries()) log.upsert(pod(name, { resourceVersion: index + 1 }));
  return log;
}

describe('History', () => {
  it('goes on under another name, of which every revision before is a part', () => {
    const history = new History(logOf('a', 'b'));
    const before = history.revision;
    history.fork();
    expect(history.revision.epoch).not.toBe(before.epoch);
    history.log.upsert(pod('c', { resourceVersion: 3 }));
    expect(history.knows(before)).toBe(true);
    expect(history.since(before)?.upserted).toHaveLength(1);
    expect(history.since({ ...before, offset: 1 })?.upserted).toHaveLength(2);
  });

  it('does not take for its own what the former writer wrote after it was left', () => {
    const history = new History(logOf('a', 'b'));
    const { epoch, offset } = history.revision;
    history.fork();
    history.log.upsert(pod('c', { resourceVersion: 3 }));
    expect(history.knows({ epoch, offset: offset + 1 })).toBe(false);
    expect(history.since({ epoch, offset: offset + 1 })).toBeUndefined();
  });

  it('knows nothing of a line that is not its own, nor of what was before it started over', () => {
    const history = new History(logOf('a'));
    const other = new History(logOf('a'));
    expect(history.since(other.revision)).toBeUndefined();
    const before = history.revision;
    history.startOver(logOf('a'));
    expect(history.knows(before)).toBe(false);
  });

  it('takes readers of a line that was left over to the one that took its place', () => {
    const history = new History(logOf('a', 'b'));
    const before = history.revision;
    const log = logOf('a', 'c');
    const former = history.adopt({ log, epoch: 'another-epoch', lineage: new Map() }, true);
    expect(history.since(before)).toMatchObject({ upserted: [{ metadata: { name: 'c' } }], removed: ['uid-b'] });
    if (former !== undefined) history.forget(former);
    expect(history.since(before)).toBeUndefined();
  });
});
