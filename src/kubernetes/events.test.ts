import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clusterEvent, eventTime, type ClusterEvent } from './events.ts';
import { arbitraryObject, objectOf, readKubectl } from './workload.fixture.ts';

const expected = readKubectl('events.expected.json');
const cases = readKubectl('events.json').map((event, index) => ({
  name: event.metadata.name,
  event,
  row: expected[index],
}));

/** kubectl's cells, as far as they do not depend on the time. */
function print({ name, type, reason, message, involvedObject, source, count }: ClusterEvent): Record<string, string> {
  const kind = involvedObject.kind.toLowerCase();
  return {
    Name: name,
    Type: type,
    Reason: reason,
    Message: message,
    Object: involvedObject.name === '' ? kind : `${kind}/${involvedObject.name}`,
    Subobject: involvedObject.fieldPath ?? '',
    Source: source.host === undefined ? (source.component ?? '') : `${source.component ?? ''}, ${source.host}`,
    Count: String(count),
  };
}

function kubectlEvent(name: string) {
  const found = cases.find((each) => each.name === name);
  if (found === undefined) throw new Error(`test/kubectl/events.json has no ${name}`);
  return found.event;
}

describe('clusterEvent', () => {
  it.each(cases)('reads $name as kubectl does', ({ event, row }) => {
    expect(print(clusterEvent(event))).toEqual(row);
  });

  it.each([
    ['old', '2026-01-05T10:00:00Z', '2026-01-05T10:10:00Z'],
    ['new', '2026-01-05T10:00:00.123Z', '2026-01-05T10:00:00.123Z'],
    ['new-series', '2026-01-05T10:00:00.123Z', '2026-01-05T10:30:00.500Z'],
    ['series-over-count', '2026-01-05T10:00:00Z', '2026-01-05T10:40:00Z'],
    ['series-without-time', '2026-01-05T10:00:00.123Z', '2026-01-05T10:00:00.123Z'],
    ['last-missing', '2026-01-05T10:00:00Z', '2026-01-05T10:00:00Z'],
    ['no-times-at-all', '2026-01-05T10:00:00Z', '2026-01-05T10:00:00Z'],
  ])('dates %s from %s to %s', (name, firstAt, lastAt) => {
    expect(clusterEvent(kubectlEvent(name))).toMatchObject({ firstAt, lastAt });
    expect(eventTime(kubectlEvent(name))).toBe(lastAt);
  });

  it('has no time when nothing says one', () => {
    const event = objectOf('v1', 'Event', { lastTimestamp: '', eventTime: 'soon' }, { creationTimestamp: null });
    expect(clusterEvent(event)).toMatchObject({ firstAt: undefined, lastAt: undefined });
  });

  it('reads the names of events.k8s.io/v1', () => {
    const event = objectOf('events.k8s.io/v1', 'Event', {
      regarding: { apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'web-1', uid: 'u-2' },
      note: 'Back-off',
      type: 'Warning',
      reason: 'BackOff',
      reportingController: 'kubelet',
      reportingInstance: 'node-1',
      deprecatedCount: 4,
      deprecatedFirstTimestamp: '2026-01-05T10:00:00Z',
      deprecatedLastTimestamp: '2026-01-05T10:10:00Z',
      eventTime: null,
    });
    expect(clusterEvent(event)).toEqual({
      id: 'u-1',
      name: 'web',
      namespace: 'default',
      type: 'Warning',
      reason: 'BackOff',
      message: 'Back-off',
      involvedObject: {
        apiVersion: 'v1',
        kind: 'Pod',
        namespace: 'default',
        name: 'web-1',
        uid: 'u-2',
        fieldPath: undefined,
      },
      source: { component: 'kubelet', host: 'node-1' },
      count: 4,
      firstAt: '2026-01-05T10:00:00Z',
      lastAt: '2026-01-05T10:10:00Z',
    });
  });

  it('never throws, and counts at least once', () => {
    fc.assert(
      fc.property(arbitraryObject('v1', 'Event'), (event) => {
        const { count, lastAt } = clusterEvent(event);
        expect(count).toBeGreaterThanOrEqual(1);
        expect(count).toBeLessThan(2 ** 31);
        expect(Number.isNaN(Date.parse(lastAt ?? '2026-01-05'))).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});
