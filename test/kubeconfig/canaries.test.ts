import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { ConfigError, readConfig } from '../../src/config.ts';
import { startServer } from '../../src/server.ts';
import { base64, execCredential, execPlugin, Files, kubeconfig } from './files.ts';
import { LocalServer } from './local-server.ts';
import { SecureApi } from './secure-api.ts';

/** Everything secret in a kubeconfig holds this word, and everything that comes out is searched for it. */
const CANARY = /canary/i;
const PODS = 'query ($agent: ID!) { k8sPods(agentId: $agent, namespace: "shop") { totalCount } }';
const OTHERS = [
  'query ($agent: ID!) { k8sAgent(agentId: $agent) { connected reason message } k8sAgents { id } }',
  'query ($agent: ID!) { k8sViewer(agentId: $agent) { user } }',
  'query ($agent: ID!) { k8sConnection(agentId: $agent) { status reason resources { status message } } }',
  'mutation ($agent: ID!) { deleteK8sPod(agentId: $agent, namespace: "shop", name: "x") { name } }',
];

function exec(...args: string[]): object {
  return {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: process.execPath,
    args,
    env: [{ name: 'SECRET', value: 'canary-env' }],
  };
}

it('no secret of a kubeconfig is in any log line, answer or metric, whatever goes wrong', async () => {
  await using api = await SecureApi.start();
  await using files = await Files.make();
  api.allow('Bearer canary-good', 'user:token');
  const cluster = { server: api.url, 'certificate-authority-data': base64(api.serverCertificate) };
  const failing = await files.write('fails.mjs', "process.stderr.write('canary-stderr'); process.exit(1)");
  const noisy = await files.write('noisy.mjs', "process.stdout.write('canary-stdout, which is no JSON')");
  const plugin = await execPlugin(files, execCredential({ token: 'canary-refused' }));
  const users: object[] = [
    { token: 'canary-good' },
    { token: 'canary-refused' },
    { token: 'canary with a line end\n in it' },
    { username: 'canary-name', password: 'canary-word' },
    { exec: exec(failing, '--token=canary-argument') },
    { exec: exec(noisy) },
    { exec: plugin },
    { tokenFile: 'absent-token' },
    { 'client-certificate-data': base64('canary-certificate'), 'client-key-data': base64('canary-key') },
    { 'auth-provider': { name: 'oidc', config: { 'id-token': 'canary.canary.canary' } } },
    { 'auth-provider': { name: 'gcp', config: { 'access-token': 'canary-gcp', expiry: 'canary' } } },
  ];
  const contexts = users.map((user, index) => ({ name: `context-${index}`, cluster, user }));
  const proxied = { ...cluster, 'proxy-url': 'http://user:canary-proxy@127.0.0.1:9' };
  const path = await files.write(
    'config',
    kubeconfig([...contexts, { name: 'proxied', cluster: proxied, user: { token: 'canary-good' } }]),
  );
  await using local = await LocalServer.start(path);
  const answers: string[] = [];
  for (const agent of [...contexts.map(({ name }) => name), 'proxied', 'absent']) {
    for (const query of [PODS, ...OTHERS]) answers.push(JSON.stringify(await local.ask(query, { agent })));
  }
  expect(answers[0]).toBe('{"data":{"k8sPods":{"totalCount":0}}}');
  expect(answers.filter((answer) => answer.includes('"errors"')).length).toBeGreaterThan(users.length * 2);
  await files.write('config', 'users: [canary: : canary');
  await local.ask(PODS, { agent: 'context-0' });
  expect(local.lines.some((line) => line.includes('is not YAML in line 1'))).toBe(true);

  const metrics = await local.send({}, undefined, '/metrics');
  for (const out of [...answers, ...local.lines, metrics.body]) expect(out).not.toMatch(CANARY);
  expect(JSON.stringify(local.counters.entries())).not.toMatch(CANARY);
}, 30_000);

it.each([
  ['users:\n- name: a\n  user: {token: canary: canary', 'is not YAML in line 3'],
  ['canary', 'is no kubeconfig'],
  ['contexts: []', 'has no contexts'],
  ['clusters: [{name: canary}]', 'is incomplete: clusters[0].cluster is missing'],
  ['users: {a: &a [canary], b: *nothing-canary}', 'is not YAML'],
  [undefined, 'cannot be read (ENOENT)'],
])('a file that is no kubeconfig stops the start with a sentence (%#)', async (content, why) => {
  await using files = await Files.make();
  const path = content === undefined ? files.path('absent') : await files.write('config', content);
  const error: unknown = await startServer(readConfig({ KUBECONFIG_SOURCE: path, PORT: '0' })).catch(
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ConfigError)) throw new Error('It was not refused.');
  expect(error.message).toContain(`Kascade cannot start:\n  KUBECONFIG_SOURCE must name a kubeconfig: the file ${why}`);
  expect(inspect(error)).not.toMatch(CANARY);
});
