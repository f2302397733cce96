import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { parseKubeconfig } from './kubeconfig.ts';

const FILE = '/home/ada/.kube/config';

function parsed({ cluster = {}, user }: { cluster?: object; user?: object | null }) {
  const content = stringify({
    clusters: [{ name: 'c', cluster: { server: 'https://c.example.com', ...cluster } }],
    users: user === null ? [] : [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
  });
  const [context] = parseKubeconfig(content, FILE);
  if (context === undefined) throw new Error('There is no context.');
  return context;
}

test('contexts come in the order of the file, with the current one marked', () => {
  const content = stringify({
    'current-context': 'b',
    contexts: ['b', 'a', 'c'].map((name) => ({ name, context: { cluster: 'gone', namespace: `of-${name}` } })),
  });
  const contexts = parseKubeconfig(content, FILE).map(({ name, isCurrent, namespace }) => [name, isCurrent, namespace]);
  expect(contexts).toEqual([
    ['b', true, 'of-b'],
    ['a', false, 'of-a'],
    ['c', false, 'of-c'],
  ]);
});

test('names that YAML takes for numbers or truth are what is written, as for kubectl', () => {
  const content =
    'contexts: [{name: 1234, context: {cluster: c}}, {name: true, context: {cluster: c}}, {name: "05", context: {cluster: c}}]';
  expect(parseKubeconfig(`${content}\ncurrent-context: 1234`, FILE)).toMatchObject([
    { name: '1234', isCurrent: true },
    { name: 'true', isCurrent: false },
    { name: '05', isCurrent: false },
  ]);
});

test('paths are relative to the file; a command without a slash is looked up in PATH', () => {
  const user = { 'client-certificate': 'certs/u.crt', 'client-key': '/keys/u.key', tokenFile: '../token' };
  const context = parsed({ cluster: { 'certificate-authority': 'ca.crt' }, user });
  expect(context.cluster?.caFile).toBe('/home/ada/.kube/ca.crt');
  expect(context.user).toMatchObject({ certFile: '/home/ada/.kube/certs/u.crt', keyFile: '/keys/u.key' });
  expect(context.tokenFile).toBe('/home/ada/token');
  const command = (given: string) => (parsed({ user: { exec: { command: given } } }).user?.exec as object) ?? {};
  expect(command('bin/login')).toEqual({ command: '/home/ada/.kube/bin/login' });
  expect(command('aws')).toEqual({ command: 'aws' });
  expect(command('/usr/bin/aws')).toEqual({ command: '/usr/bin/aws' });
});

test.each([
  [{ cluster: { server: 'unix:///run/api.sock' } }, 'the server of its cluster is no http(s) URL'],
  [{ cluster: { 'proxy-url': 'socks5://localhost:1080' } }, 'its proxy-url is no http(s) URL'],
  [{ user: null }, 'its user is not in the kubeconfig'],
  [{ user: { token: 'a', as: 'b', 'as-groups': ['c'] } }, 'its user impersonates groups, which is not supported'],
])('a context that cannot be used says why: %j', (parts, problem) => {
  expect(parsed(parts).problem).toBe(problem);
});

test.each([{ user: { token: 'a', as: 'b' } }, { user: {} }, { cluster: { 'proxy-url': 'http://proxy:3128' } }])(
  'what can be used has no problem: %j',
  (parts) => {
    expect(parsed(parts).problem).toBeUndefined();
  },
);
