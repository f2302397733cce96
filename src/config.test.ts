import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ConfigError, DEFAULTS, readConfig } from './config.ts';

const KAS = { KAS_URL: 'https://kas.example.com/k8s-proxy' };

function problemsOf(env: Record<string, string>): string {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return '';
}

test('KAS_URL alone is enough; all else has the defaults of the table', () => {
  expect(readConfig(KAS)).toEqual({
    kasUrl: new URL('https://kas.example.com/k8s-proxy'),
    kubeconfigSource: undefined,
    redisUrl: undefined,
    host: '127.0.0.1',
    port: 4000,
    basePath: '/',
    allowedOrigins: [],
    watchTransport: 'auto',
    serviceTokenFile: undefined,
    sharing: 'authorized',
    lingerSeconds: 30,
    accessAllowSeconds: 60,
    accessDenySeconds: 10,
    agentStreamBudget: 100,
    maxSocketsPerViewer: 10,
    maxSocketsPerAddress: 0,
    maxOperationsPerSocket: 50,
    maxSubscriptionsPerViewer: 200,
    maxFeedsPerViewer: 50,
    maxUpgradesPerSecond: 500,
    maxSocketSeconds: 14_400,
    maxRequestSeconds: 30,
    drainSeconds: 10,
    maxTokens: 2_000,
    maxDepth: 12,
    maxAliases: 30,
    maxRootFields: 20,
    maxMessageBytes: 65_536,
    maxBodyBytes: 131_072,
    logLevel: 'info',
    graphiql: true,
    introspection: true,
  });
});

test('an empty value counts as not set', () => {
  expect(readConfig({ ...KAS, PORT: '', BASE_PATH: ' ', REDIS_URL: '' }).port).toBe(4000);
});

test.each([
  ['KAS_URL', 'kas.example.com'],
  ['KAS_URL', 'ftp://kas.example.com'],
  ['KAS_URL', 'https://user:secret@kas.example.com'],
  ['KAS_URL', 'https://kas.example.com/?a=b'],
  ['KAS_URL', 'https://kas.example.com/#x'],
  ['HOST', 'a b'],
  ['PORT', '65536'],
  ['PORT', '-1'],
  ['PORT', '4e3'],
  ['BASE_PATH', '/a/../b'],
  ['BASE_PATH', '/a b'],
  ['ALLOWED_ORIGINS', '*'],
  ['ALLOWED_ORIGINS', 'https://a.example.com/'],
  ['ALLOWED_ORIGINS', 'https://a.example.com, null'],
  ['WATCH_TRANSPORT', 'carrier-pigeon'],
  ['SHARING', 'yes'],
  ['LINGER_SECONDS', '1.5'],
  ['ACCESS_ALLOW_SECONDS', '0'],
  ['AGENT_STREAM_BUDGET', '501'],
  ['MAX_SOCKETS_PER_VIEWER', '0'],
  ['MAX_UPGRADES_PER_SECOND', '-1'],
  ['MAX_SOCKET_SECONDS', 'never'],
  ['MAX_REQUEST_SECONDS', '0'],
  ['DRAIN_SECONDS', '3601'],
  ['MAX_TOKENS', '5'],
  ['MAX_DEPTH', '2'],
  ['MAX_ALIASES', '1e9'],
  ['MAX_ROOT_FIELDS', '0'],
  ['MAX_BODY_BYTES', '1'],
  ['LOG_LEVEL', 'loud'],
  ['GRAPHIQL', 'on'],
  ['INTROSPECTION', '1'],
])('%s=%s is refused by name, with what was expected', (name, value) => {
  expect(problemsOf({ ...KAS, [name]: value })).toMatch(new RegExp(`^Kascade cannot start:\n  ${name} must .+\\.$`));
});

test('names every wrong variable at once and shows the value of none', () => {
  const message = problemsOf({
    PORT: 'canary-1',
    REDIS_URL: 'http://x:canary-2@redis',
    KAS_URL: 'https://u:canary-3@kas',
  });
  for (const name of ['PORT', 'REDIS_URL', 'KAS_URL']) expect(message).toContain(`  ${name} must `);
  expect(message).not.toContain('canary');
});

test('KAS_URL is required', () => {
  expect(problemsOf({})).toContain('KAS_URL must be set');
});

test.each(['::1', 'localhost', '127.0.0.5', '0.0.0.0', 'kascade.internal'])('HOST=%s is taken', (HOST) => {
  expect(readConfig({ ...KAS, HOST }).host).toBe(HOST);
});

test.each([
  ['/', '/'],
  ['x/y', '/x/y'],
  ['/x/y/', '/x/y'],
  ['//x', '/x'],
])('BASE_PATH=%s means %s', (given, meant) => {
  expect(readConfig({ ...KAS, BASE_PATH: given }).basePath).toBe(meant);
});

test('origins are a list', () => {
  const origins = ' https://gitlab.example.com ,http://localhost:3000,';
  expect(readConfig({ ...KAS, ALLOWED_ORIGINS: origins }).allowedOrigins).toEqual([
    'https://gitlab.example.com',
    'http://localhost:3000',
  ]);
});

test('a kubeconfig is served on loopback only', () => {
  for (const HOST of ['0.0.0.0', '::', '192.168.1.5', 'kascade.internal', 'localhost.example.com']) {
    const message = problemsOf({ KUBECONFIG_SOURCE: 'kubeconfig', HOST });
    expect(message).toContain('HOST must be a loopback address with KUBECONFIG_SOURCE');
  }
  for (const HOST of ['', 'localhost', '::1', '127.1.2.3']) {
    expect(readConfig({ KUBECONFIG_SOURCE: 'kubeconfig', HOST }).kubeconfigSource).toBe('kubeconfig');
  }
});

test.each([
  ['KAS_URL', KAS.KAS_URL],
  ['WATCH_TRANSPORT', 'websocket'],
  ['SERVICE_TOKEN_FILE', 'token'],
  ['REDIS_URL', 'redis://redis'],
])('%s=%s would do nothing with a kubeconfig, and is refused', (name, value) => {
  const message = problemsOf({ KUBECONFIG_SOURCE: 'kubeconfig', [name]: value });
  expect(message).toMatch(new RegExp(`${name} .*must not be .*`));
});

test('a service token opens no watches where each viewer has their own', () => {
  expect(readConfig({ ...KAS, SERVICE_TOKEN_FILE: 'token' }).serviceTokenFile).toBe('token');
  expect(problemsOf({ ...KAS, SERVICE_TOKEN_FILE: 'token', SHARING: 'identity' })).toContain('SERVICE_TOKEN_FILE must');
});

describe('the written lists agree with the schema', () => {
  const expected = Object.entries(DEFAULTS).map(([name, value]) => `${name}=${value ?? ''}`);

  test('.env.example', () => {
    const lines = readFileSync('.env.example', 'utf8').match(/^#? ?[A-Z_]+=.*$/gm) ?? [];
    expect(lines.map((line) => line.replace(/^# ?/, ''))).toEqual(expected);
  });

  test('README', () => {
    const rows = [...readFileSync('README.md', 'utf8').matchAll(/^\| `([A-Z_]+)` \| (?:`(.*?)`|–) \|/gm)];
    expect(rows.map(([, name, value]) => `${name}=${value ?? ''}`)).toEqual(expected);
  });
});
