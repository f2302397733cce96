import { expect, test } from 'vitest';
import { createLog } from './log.ts';

function captured(write: (log: ReturnType<typeof createLog>) => void): string {
  const lines: string[] = [];
  write(createLog('debug', { write: (line) => void lines.push(line) }));
  return lines.join('');
}

const CANARIES = ['glpat-canary0123456789', 'pat:42:canary-token', 'ci:7:canary-job', 'canary-cookie', 'canary-csrf'];

test('writes one JSON object a line, with level and message', () => {
  const line = JSON.parse(captured((log) => log.info({ agentId: '1' }, 'attached'))) as Record<string, unknown>;
  expect(line).toMatchObject({ level: 'info', message: 'attached', agentId: '1' });
  expect(line['time']).toMatch(/^\d{4}-\d\d-\d\dT/);
});

test('writes nothing below its level', () => {
  expect(captured((log) => log.trace('quiet'))).toBe('');
});

test.each([
  { authorization: 'Bearer canary-token' },
  { Authorization: 'canary-token' },
  { cookie: '_gitlab_kas=canary-token' },
  { 'x-csrf-token': 'canary-token' },
  { 'Private-Token': 'canary-token' },
  { 'sec-websocket-protocol': 'gitlab-agent-watch-api, canary-token' },
  { connectionParams: { anything: 'canary-token' } },
  { request: { headers: { cookie: 'canary-token' } } },
  { headers: [{ authorization: 'canary-token' }] },
])('blanks the field in %j', (fields) => {
  expect(captured((log) => log.info(fields, 'request'))).not.toContain('canary');
});

test('finds credentials inside messages, errors, causes and child bindings', () => {
  const secret = CANARIES.join(' ').replace('canary-cookie', '_gitlab_kas=canary-cookie');
  const text = `failed with ${secret.replace('canary-csrf', 'X-CSRF-Token: canary-csrf')}`;
  const lines = captured((log) => {
    log.info(text);
    log.error(new Error(text));
    log.error({ error: new Error('outer', { cause: new Error(text) }) }, 'wrapped');
    log.child({ text }).info('child');
    log.warn({ nested: { deep: [text] } });
  });
  expect(lines.trim().split('\n')).toHaveLength(5);
  expect(lines).not.toContain('canary');
});

test('hides the password of a URL and keeps its host', () => {
  const line = captured((log) => log.info({ redis: 'redis://user:canary@redis.example.com:6379/0' }));
  expect(line).toContain('redis.example.com');
  expect(line).not.toContain('canary');
});

test('a quoted credential leaves the line readable', () => {
  const line = captured((log) => log.info(JSON.stringify({ authorization: 'Bearer canary', a: 'pat:1:canary' })));
  expect(() => void JSON.parse(line)).not.toThrow();
  expect(line).not.toContain('canary');
});

test('survives cycles', () => {
  const loop: Record<string, unknown> = {};
  loop['self'] = loop;
  expect(captured((log) => log.info(loop, 'loop'))).toContain('loop');
});
