import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEPLOYMENTS, PODS } from '../../../kubernetes/resources.ts';
import { UpstreamError } from '../../upstream-error.ts';
import { parseMessage, unwatchMessage, watchMessage } from './messages.ts';

const REQUEST = { resourceVersion: '12345678901234567890', timeoutSeconds: 270 };
const STATUS = { kind: 'Status', code: 410, message: 'too old' };

describe('what is sent', () => {
  it('is snake_case at every level, with nothing for what is left out', () => {
    const target = { agentId: '1', namespace: undefined, resource: PODS };
    expect(JSON.parse(watchMessage('w1', target, REQUEST))).toEqual({
      type: 'watch',
      watch_id: 'w1',
      watch_params: {
        version: 'v1',
        resource: 'pods',
        resource_version: '12345678901234567890',
        allow_watch_bookmarks: true,
        timeout_seconds: 270,
      },
    });
    expect(JSON.parse(unwatchMessage('w1'))).toEqual({ type: 'unwatch', watch_id: 'w1' });
  });

  it('names group and namespace where there are any', () => {
    const target = { agentId: '1', namespace: 'shop', resource: DEPLOYMENTS };
    expect(JSON.parse(watchMessage('w1', target, REQUEST))).toMatchObject({
      watch_params: { group: 'apps', version: 'v1', resource: 'deployments', namespace: 'shop' },
    });
  });
});

describe('what is received', () => {
  it.each([
    ['camelCase', { watchId: 'w', type: 'event', watchEvent: { type: 'ADDED' } }],
    ['snake_case', { watch_id: 'w', type: 'event', watch_event: { type: 'ADDED' } }],
    ['without a type', { watchId: 'w', watchEvent: { type: 'ADDED' } }],
    ['with fields of the future', { watchId: 'w', type: 'event', watchEvent: { type: 'ADDED' }, sequence: 7 }],
  ])('is an event: %s', (_, message) => {
    expect(parse(message)).toEqual({ kind: 'event', watchId: 'w', event: { type: 'ADDED' } });
  });

  it.each([
    ['a Status as its object', { message: 'failed', object: STATUS }, STATUS],
    ['a Status itself', STATUS, STATUS],
    ['no Status', { message: 'failed' }, undefined],
    ['nothing at all', null, undefined],
  ])('is an error with %s', (_, error, status) => {
    expect(parse({ watchId: 'w', type: 'error', error })).toEqual({ kind: 'error', watchId: 'w', status });
  });

  it('is the end of a watch', () => {
    expect(parse({ watchId: 'w', type: 'stop', reason: 'timeout' })).toEqual({ kind: 'stop', watchId: 'w' });
  });

  it.each([[{ type: 'welcome' }], [{}], [{ watchId: 'w' }], [{ type: 5, watchId: 'w' }]])(
    'is not understood: %j',
    (message) => {
      expect(parse(message)).toEqual({ kind: 'unknown' });
    },
  );

  it.each([
    ['', 'not JSON'],
    ['{"watchId":', 'not JSON'],
    ['null', 'no message'],
    ['[]', 'no message'],
    ['"event"', 'no message'],
    ['{"type":"event","watchEvent":{}}', 'without a watch'],
    ['{"type":"event","watchId":"w"}', 'without a watch or without content'],
    ['{"type":"event","watchId":"w","watchEvent":[]}', 'without content'],
    ['{"type":"stop"}', 'no watch'],
  ])('is malformed: %s', (data, message) => {
    expect(() => parseMessage(data)).toThrow(UpstreamError);
    expect(() => parseMessage(data)).toThrow(message);
  });

  it('is one of the known kinds or malformed, whatever it is', () => {
    const key = fc.constantFrom('type', 'watchId', 'watch_id', 'watchEvent', 'watch_event', 'error', '__proto__', 'x');
    const value = fc.oneof(fc.constantFrom('event', 'error', 'stop', 'w', ''), fc.jsonValue());
    const message = fc.oneof(
      fc.string(),
      fc.json(),
      fc.array(fc.tuple(key, value)).map((entries) => {
        const fields = entries.map(([name, content]) => `${JSON.stringify(name)}:${JSON.stringify(content)}`);
        return `{${fields.join(',')}}`;
      }),
    );
    fc.assert(
      fc.property(message, (data) => {
        expect(['event', 'stop', 'error', 'unknown', 'malformed']).toContain(outcomeOf(data));
      }),
      { numRuns: 2_000 },
    );
  });
});

function outcomeOf(data: string): string {
  try {
    return parseMessage(data).kind;
  } catch (error) {
    return error instanceof UpstreamError ? error.failure : String(error);
  }
}

function parse(message: unknown) {
  return parseMessage(JSON.stringify(message));
}
