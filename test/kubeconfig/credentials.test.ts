import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { KubeconfigSource } from '../../src/sources/kubeconfig/kubeconfig-source.ts';
import { UpstreamError } from '../../src/sources/upstream-error.ts';
import { selfSignedCertificate } from '../../demo/kas/certificate.ts';
import { base64, execCredential, execPlugin, Files, kubeconfig, type ContextSpec } from './files.ts';
import { SecureApi } from './secure-api.ts';

/** What a user and a cluster of a kubeconfig may hold, against an API server with TLS that looks who asks. */

let api: SecureApi;
let files: Files;

beforeEach(async () => {
  const started = await SecureApi.start();
  const made = await Files.make();
  onTestFinished(async () => {
    await started[Symbol.asyncDispose]();
    await made[Symbol.asyncDispose]();
  });
  api = started;
  files = made;
});

async function open(...contexts: ContextSpec[]): Promise<KubeconfigSource> {
  const path = await files.write('config', kubeconfig(contexts));
  const source = await KubeconfigSource.open({
    path,
    clock: systemClock,
    agentStreamBudget: 100,
    onDefect: (_target, error) => {
      throw error;
    },
    onProblem: () => undefined,
  });
  onTestFinished(() => source.close());
  return source;
}

/** A context of our API server. */
function context(user: object | undefined, cluster: object = {}): ContextSpec {
  const server = { server: api.url, 'certificate-authority-data': base64(api.serverCertificate), ...cluster };
  return { name: 'one', cluster: server, ...(user && { user }) };
}

/** What commands have noted, a line a run. */
async function runs(): Promise<string[]> {
  return (await files.read('runs')).split('\n').filter((line) => line !== '');
}

async function whoAmI(source: KubeconfigSource): Promise<string> {
  return (await source.caller('one').whoAmI()).username;
}

/** The message of the error that asking ends with. */
async function refusal(source: KubeconfigSource): Promise<UpstreamError> {
  const error: unknown = await source
    .caller('one')
    .whoAmI()
    .catch((thrown: unknown) => thrown);
  if (error instanceof UpstreamError) return error;
  throw new Error('It was not refused.');
}

describe('who asks', () => {
  it('is proven by a client certificate, in the file or beside it', async () => {
    const { key, cert } = api.clientPair;
    const inside = { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) };
    expect(await whoAmI(await open(context(inside)))).toBe('user:cert');
    await files.write('client.crt', cert);
    await files.write('client.key', key);
    const beside = { 'client-certificate': 'client.crt', 'client-key': files.path('client.key') };
    expect(await whoAmI(await open(context(beside)))).toBe('user:cert');
  });

  it('is proven by a token, or a name and a password', async () => {
    api.allow('Bearer abc', 'user:token');
    api.allow(`Basic ${base64('name:word')}`, 'user:basic');
    expect(await whoAmI(await open(context({ token: 'abc' })))).toBe('user:token');
    expect(await whoAmI(await open(context({ username: 'name', password: 'word' })))).toBe('user:basic');
  });

  it('is proven by the token that is in a file at the moment, whatever token stands beside it', async () => {
    api.allow('Bearer first', 'user:first');
    api.allow('Bearer second', 'user:second');
    await files.write('token', 'first\n');
    const source = await open(context({ tokenFile: 'token', token: 'other' }));
    expect(await whoAmI(source)).toBe('user:first');
    await files.write('token', 'second\n');
    expect(await whoAmI(source)).toBe('user:second');
  });

  it('is another user when the file says so', async () => {
    api.allow('Bearer abc', 'user:token');
    expect(await whoAmI(await open(context({ token: 'abc', as: 'somebody-else' })))).toBe('somebody-else');
  });

  it('may be nobody: then the cluster decides', async () => {
    expect((await refusal(await open(context(undefined)))).failure).toBe('unauthorized');
  });

  it('is not told to whoever answers without TLS', async () => {
    const heard: (string | undefined)[] = [];
    const plain = createServer((request, response) => {
      heard.push(request.headers.authorization);
      response.writeHead(401).end();
    });
    const server = await listening(plain);
    const error = await refusal(await open(context({ token: 'abc' }, { server })));
    expect(error.failure).toBe('unauthorized');
    expect(heard).toEqual([undefined]);
  });
});

describe('a command', () => {
  const later = new Date(Date.now() + 3_600_000).toISOString();

  it('gives a token, and is not run again before that expires, however many ask', async () => {
    api.allow('Bearer fresh', 'user:exec');
    const exec = await execPlugin(files, execCredential({ token: 'fresh', expirationTimestamp: later }));
    const source = await open(context({ exec }));
    expect(await Promise.all([whoAmI(source), whoAmI(source)])).toEqual(['user:exec', 'user:exec']);
    expect(await whoAmI(source)).toBe('user:exec');
    expect(await runs()).toHaveLength(1);
  });

  it('is run again when what it gave has expired', async () => {
    api.allow('Bearer stale', 'user:exec');
    const past = new Date(Date.now() - 1_000).toISOString();
    const source = await open(
      context({ exec: await execPlugin(files, execCredential({ token: 'stale', expirationTimestamp: past })) }),
    );
    await whoAmI(source);
    await whoAmI(source);
    expect(await runs()).toHaveLength(2);
  });

  it('is run once more when the cluster refuses what it gave, and not again and again', async () => {
    api.allow('Bearer before', 'user:before');
    const exec = await execPlugin(files, execCredential({ token: 'before', expirationTimestamp: later }));
    const source = await open(context({ exec }));
    expect(await whoAmI(source)).toBe('user:before');
    api.authorizations.clear();
    api.allow('Bearer after', 'user:after');
    await files.write('credential', JSON.stringify(execCredential({ token: 'after', expirationTimestamp: later })));
    expect(await whoAmI(source)).toBe('user:after');
    api.authorizations.clear();
    expect((await refusal(source)).failure).toBe('unauthorized');
    expect((await refusal(source)).failure).toBe('unauthorized');
    expect(await runs()).toHaveLength(2);
  });

  it('gives a client certificate', async () => {
    const { key, cert } = api.clientPair;
    const status = { clientCertificateData: cert, clientKeyData: key };
    expect(await whoAmI(await open(context({ exec: await execPlugin(files, execCredential(status)) })))).toBe(
      'user:cert',
    );
  });

  it('is told which cluster it is for when it wants to know, and that nobody can type', async () => {
    api.allow('Bearer fresh', 'user:exec');
    const credential = execCredential({ token: 'fresh' });
    const exec = await execPlugin(files, credential, { provideClusterInfo: true, env: [{ name: 'A', value: 'b' }] });
    await whoAmI(await open(context({ exec })));
    expect(JSON.parse((await runs())[0] ?? '')).toMatchObject({
      kind: 'ExecCredential',
      spec: { interactive: false, cluster: { server: api.url } },
    });
  });

  it('that fails is no refusal: it is as if the cluster were away, and nothing of what it said is told', async () => {
    const script = await files.write(
      'fails.mjs',
      `import { appendFileSync } from 'node:fs';
appendFileSync(new URL('runs', import.meta.url), 'run\\n');
process.stderr.write('canary-of-stderr');
process.exit(3);
`,
    );
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: [script] };
    const source = await open(context({ exec }));
    await refusal(source);
    const error = await refusal(source);
    expect(await runs()).toEqual(['run']); // it may be one that opens a browser
    expect(error).toMatchObject({ failure: 'unreachable', hop: 'server', code: 'AGENT_UNREACHABLE' });
    expect(error.message).toBe('The credentials of context "one" could not be had (its command or provider failed).');
    expect(String(error.stack) + JSON.stringify(error.cause ?? '')).not.toContain('canary');
  });
});

describe('the cluster', () => {
  beforeEach(() => api.allow('Bearer abc', 'user:token'));
  const user = { token: 'abc' };

  it('is known by its authority, in the file or beside it', async () => {
    await files.write('ca.crt', api.serverCertificate);
    const beside = { 'certificate-authority-data': undefined, 'certificate-authority': 'ca.crt' };
    expect(await whoAmI(await open(context(user, beside)))).toBe('user:token');
  });

  it('is told nothing when another authority, or none, vouches for it', async () => {
    for (const authority of [base64(selfSignedCertificate().cert), undefined]) {
      const error = await refusal(await open(context(user, { 'certificate-authority-data': authority })));
      expect(error).toMatchObject({ failure: 'unreachable', hop: 'cluster' });
      expect(error.message).toMatch(/^The cluster cannot be reached \([A-Z_]+\)\.$/);
    }
    expect(api.seen).toEqual([]);
  });

  it('is believed unseen with insecure-skip-tls-verify', async () => {
    const cluster = { 'certificate-authority-data': undefined, 'insecure-skip-tls-verify': true };
    expect(await whoAmI(await open(context(user, cluster)))).toBe('user:token');
  });

  it('is expected under its tls-server-name', async () => {
    expect(await whoAmI(await open(context(user, { 'tls-server-name': 'localhost' })))).toBe('user:token');
    expect(api.seen.at(-1)?.servername).toBe('localhost');
    const error = await refusal(await open(context(user, { 'tls-server-name': 'elsewhere.example.com' })));
    expect(error.message).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  it('is reached through its proxy-url', async () => {
    const proxy = createServer();
    const tunnels: string[] = [];
    proxy.on('connect', ({ url = '' }, tcp: Socket) => {
      tunnels.push(url);
      const [host, port] = url.split(':');
      const target = connect(Number(port), host, () => {
        tcp.write('HTTP/1.1 200 Connection established\r\n\r\n');
        target.pipe(tcp).pipe(target);
      });
      target.on('error', () => tcp.destroy());
      tcp.on('error', () => target.destroy());
    });
    const address = await listening(proxy);
    expect(await whoAmI(await open(context(user, { 'proxy-url': address })))).toBe('user:token');
    expect(tunnels).toEqual([new URL(api.url).host]);
  });
});

describe('a file that changes', () => {
  it('is read anew: a new certificate and a new token are used at once', async () => {
    api.allow('Bearer abc', 'user:token');
    const { key, cert } = api.clientPair;
    const source = await open(context({ 'client-certificate-data': base64(cert), 'client-key-data': base64(key) }));
    expect(await whoAmI(source)).toBe('user:cert');
    await files.write('config', kubeconfig([context({ token: 'abc' })]));
    expect(await whoAmI(source)).toBe('user:token');
  });

  it('has the contexts that are in it now, each under its name wherever it stands', async () => {
    api.allow('Bearer abc', 'user:token');
    const one = context({ token: 'abc' });
    const source = await open(one);
    const refused = { code: 'NOT_FOUND', remedy: expect.stringContaining('k8sAgents') };
    await expect(source.checkAgentId('two')).rejects.toMatchObject(refused);
    await files.write('config', kubeconfig([{ ...one, name: 'two' }, one]));
    await source.checkAgentId('two');
    expect((await source.agents()).map(({ agentId }) => agentId)).toEqual(['two', 'one']);
    expect(await whoAmI(source)).toBe('user:token');
    await files.write('config', kubeconfig([{ ...one, name: 'two' }]));
    expect(await refusal(source)).toMatchObject({ code: 'NOT_FOUND' });
    await expect(source.checkAgentId('one')).rejects.toMatchObject(refused);
  });

  it('goes on as it was while it cannot be read', async () => {
    api.allow('Bearer abc', 'user:token');
    const source = await open(context({ token: 'abc' }));
    await files.write('config', 'contexts: [');
    expect(await whoAmI(source)).toBe('user:token');
  });
});

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
