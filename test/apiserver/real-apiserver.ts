import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { selfSignedCertificate } from '../../demo/kas/certificate.ts';
import { pause } from '../support/eventually.ts';
import { freePort } from '../support/processes/free-port.ts';
import { Etcd, flagList } from './etcd.ts';
import { LeashedProcess } from './leashed-process.ts';

const START_MS = 90_000;
const ADMIN_TOKEN = randomBytes(16).toString('hex');

export interface Call {
  readonly method?: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: OutgoingHttpHeaders;
}

/** kube-apiserver with its etcd on loopback: RBAC, one administrator, no controllers and no nodes. */
export class RealApiServer {
  /** Keeps connections, and trusts this server's certificate alone. */
  readonly agent: Agent;
  readonly port: number;
  readonly #program: string;
  readonly #folder: string;
  readonly #etcd: Etcd;
  #process: LeashedProcess | undefined;

  /** `assets`: the folder with the two programs. */
  static async start(assets: string): Promise<RealApiServer> {
    const folder = mkdtempSync(join(tmpdir(), 'kascade-apiserver-'));
    const [port, etcdPort, peerPort] = [await freePort(), await freePort(), await freePort()];
    const etcd = new Etcd({ program: join(assets, 'etcd'), folder, port: etcdPort, peerPort });
    const server = new RealApiServer(join(assets, 'kube-apiserver'), folder, port, etcd);
    try {
      etcd.start();
      await server.up();
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  private constructor(program: string, folder: string, port: number, etcd: Etcd) {
    this.#program = program;
    this.#folder = folder;
    this.port = port;
    this.#etcd = etcd;
    const { key, cert } = selfSignedCertificate();
    this.agent = new Agent({ keepAlive: true, ca: cert });
    const tokens = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const files = {
      'server.key': key,
      'server.crt': cert,
      'service-accounts.key': tokens.export({ type: 'pkcs8', format: 'pem' }),
      'tokens.csv': `${ADMIN_TOKEN},admin,admin,"system:masters"\n`,
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 });
  }

  /** What the administrator's requests carry. */
  get authorization(): string {
    return `Bearer ${ADMIN_TOKEN}`;
  }

  /** Starts the API server on the data that is there; resolves when it is ready. */
  async up(): Promise<void> {
    const process = new LeashedProcess(this.#program, this.#flags(), join(this.#folder, 'kube-apiserver.log'));
    this.#process = process;
    const end = performance.now() + START_MS;
    for (;;) {
      const status = await this.send({ path: '/readyz' }).then(
        (response) => response.resume().statusCode,
        () => undefined,
      );
      if (status === 200) return;
      if (process.hasEnded || performance.now() > end)
        throw new Error(`the API server does not start: ${process.lastWords}`);
      await pause(50);
    }
  }

  /** The API server stops politely: it ends its watches and lets requests finish. etcd goes on. */
  async down(): Promise<void> {
    await this.#process?.stop();
  }

  /** The API server dies without a farewell. etcd goes on. */
  async crash(): Promise<void> {
    await this.#process?.kill();
  }

  /** etcd forgets the history; the watch caches of a running API server do not. Answers the revision it keeps. */
  compact(): Promise<string> {
    return this.#etcd.compact();
  }

  /** The state of now, to come back to with the function that is returned. The server pauses for it. */
  async backUp(): Promise<() => Promise<void>> {
    const backup = join(this.#folder, `backup-${randomBytes(4).toString('hex')}`);
    const data = join(this.#folder, 'etcd');
    await this.#whileStopped(() => cpSync(data, backup, { recursive: true }));
    return () =>
      this.#whileStopped(() => {
        rmSync(data, { recursive: true });
        cpSync(backup, data, { recursive: true });
      });
  }

  async #whileStopped(task: () => void): Promise<void> {
    await this.crash();
    await this.#etcd.stop();
    task();
    this.#etcd.start();
    await this.up();
  }

  /** As the administrator. Resolves with the head of the answer, whatever its status. */
  send({ method = 'GET', path, body, headers = {} }: Call): Promise<IncomingMessage> {
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    // Node gives the body of a DELETE no length by itself.
    const about = bytes && { 'content-type': 'application/json', 'content-length': bytes.length };
    const all = { authorization: this.authorization, accept: 'application/json', ...about, ...headers };
    return new Promise((resolve, reject) => {
      const outgoing = request({ agent: this.agent, host: '127.0.0.1', port: this.port, method, path, headers: all });
      outgoing.on('response', resolve);
      outgoing.on('error', reject);
      outgoing.end(bytes);
    });
  }

  /** The body of an answer. Throws what the server says where it refuses. */
  async call(call: Call): Promise<unknown> {
    const response = await this.send(call);
    const body = await json(response);
    const { statusCode = 0 } = response;
    if (statusCode < 200 || statusCode >= 300)
      throw new Error(`${call.method ?? 'GET'} ${call.path} was answered ${statusCode}: ${JSON.stringify(body)}`);
    return body;
  }

  async stop(): Promise<void> {
    this.agent.destroy();
    await this.#process?.kill();
    await this.#etcd.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #flags(): string[] {
    const file = (name: string) => join(this.#folder, name);
    return flagList({
      'etcd-servers': this.#etcd.url,
      'bind-address': '127.0.0.1',
      'secure-port': String(this.port),
      'tls-cert-file': file('server.crt'),
      'tls-private-key-file': file('server.key'),
      'cert-dir': this.#folder,
      'authorization-mode': 'RBAC',
      'token-auth-file': file('tokens.csv'),
      'service-account-issuer': `https://127.0.0.1:${this.port}`,
      'service-account-key-file': file('service-accounts.key'),
      'service-account-signing-key-file': file('service-accounts.key'),
      'service-cluster-ip-range': '10.0.0.0/16',
      // Nobody here makes the service accounts that pods would have to wait for.
      'delete-collection-workers': '16',
      'disable-admission-plugins': 'ServiceAccount',
    });
  }
}
