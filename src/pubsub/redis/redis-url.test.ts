import { describe, expect, it } from 'vitest';
import { parseRedisUrl } from './redis-url.ts';

describe('addresses of Redis', () => {
  it.each([
    ['redis://redis', { form: 'single', options: { host: 'redis', port: 6379, db: 0 } }],
    [
      'redis://:p%40ss@10.0.0.7:6380/3',
      { form: 'single', options: { host: '10.0.0.7', port: 6380, db: 3, password: 'p@ss' } },
    ],
    [
      'rediss://kascade:secret@[::1]:6379',
      { form: 'single', options: { host: '::1', username: 'kascade', password: 'secret', tls: {} } },
    ],
    [
      'redis-sentinel://a,b:26380/main/2',
      {
        form: 'sentinel',
        options: {
          sentinels: [
            { host: 'a', port: 26379 },
            { host: 'b', port: 26380 },
          ],
          name: 'main',
          db: 2,
        },
      },
    ],
    [
      'rediss-sentinel://:secret@a/main',
      {
        form: 'sentinel',
        options: { password: 'secret', sentinelPassword: 'secret', tls: {}, enableTLSForSentinelMode: true },
      },
    ],
    [
      'redis-cluster://a:7000,b:7001',
      {
        form: 'cluster',
        nodes: [
          { host: 'a', port: 7000 },
          { host: 'b', port: 7001 },
        ],
      },
    ],
    [
      'rediss-cluster://:secret@a',
      { form: 'cluster', nodes: [{ host: 'a', port: 6379 }], options: { tls: {}, password: 'secret' } },
    ],
  ])('%s', (url, expected) => {
    expect(parseRedisUrl(url)).toMatchObject(expected);
  });

  it.each([
    'http://secret@redis',
    'redis://',
    'redis://:secret@a,b',
    'redis://:secret@a/main',
    'redis-sentinel://:secret@a',
    'redis-cluster://:secret@a/1',
    'redis://:secret@a:99999',
    'redis:// :secret@a',
  ])('%s is refused, and not repeated', (url) => {
    expect(() => parseRedisUrl(url)).toThrow(TypeError);
    expect(() => parseRedisUrl(url)).not.toThrow(/secret/);
  });
});
