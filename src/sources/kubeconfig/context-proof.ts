import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import { KubeConfig, type Cluster, type User } from '@kubernetes/client-node';
import { list, record, text } from '../../kubernetes/json.ts';
import type { TlsOptions } from '../apiserver/http.ts';
import type { Context } from './kubeconfig.ts';

/** What proves to a cluster who asks, and to us that it is the cluster. */
export interface Proof {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsOptions;
}

/**
 * Reads what a context proves itself with: files each time, a command or identity provider when what it gave has
 * expired (@kubernetes/client-node keeps that, and runs it). Whoever makes a new one begins without any of it.
 */
export class ContextProof {
  readonly #cluster: Cluster;
  readonly #tokenFile: string | undefined;
  readonly #loader = new KubeConfig();
  #reading: Promise<Proof> | undefined;

  constructor(context: Context, cluster: Cluster) {
    this.#cluster = cluster;
    this.#tokenFile = context.tokenFile;
    const user = context.user === undefined ? NOBODY : withClusterInfo(context.user, cluster);
    const { name } = context;
    this.#loader.loadFromOptions({
      // The connections are ours, through its proxy or not.
      clusters: [{ ...cluster, proxyUrl: undefined }],
      users: [user],
      contexts: [{ name, cluster: cluster.name, user: user.name }],
      currentContext: name,
    });
  }

  /** Rejects with what went wrong, which may hold secrets. However many ask, a command runs once. */
  read(): Promise<Proof> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<Proof> {
    // Without TLS nobody has proven to be the cluster, and everybody on the way would read along. kubectl does the same.
    if (new URL(this.#cluster.server).protocol === 'http:') return { headers: {}, tls: {} };
    const options: RequestOptions = {};
    await this.#loader.applyToHTTPSOptions(options);
    const headers = { ...headersOf(options), ...(await this.#tokenFromFile()) };
    return { headers, tls: tlsOf(options) };
  }

  async #tokenFromFile(): Promise<Record<string, string>> {
    if (this.#tokenFile === undefined) return {};
    return { authorization: `Bearer ${(await readFile(this.#tokenFile, 'utf8')).trim()}` };
  }
}

/** A context may have no user; the loader would not look at its cluster then. */
const NOBODY: User = { name: 'nobody' };

function headersOf({ headers = {}, auth }: RequestOptions): Record<string, string> {
  const given = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value).trim()]);
  const basic = typeof auth === 'string' ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {};
  return { ...basic, ...Object.fromEntries(given) };
}

function tlsOf({ ca, cert, key, servername, rejectUnauthorized }: RequestOptions): TlsOptions {
  const pems = Object.entries({ ca, cert, key }).flatMap(([name, value]) =>
    typeof value === 'string' || Buffer.isBuffer(value) ? [[name, value.toString()]] : [],
  );
  return {
    ...Object.fromEntries(pems),
    ...(servername !== undefined && { servername }),
    ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
  };
}

/** Tells a command about the cluster, and that there is nobody to type (KUBERNETES_EXEC_INFO). The loader does not. */
function withClusterInfo(user: User, cluster: Cluster): User {
  if (user.exec == null) return user;
  const exec = record(user.exec);
  const info = {
    apiVersion: text(exec['apiVersion']),
    kind: 'ExecCredential',
    spec: {
      interactive: false,
      ...(exec['provideClusterInfo'] === true && {
        cluster: {
          server: cluster.server,
          'tls-server-name': cluster.tlsServerName,
          'insecure-skip-tls-verify': cluster.skipTLSVerify,
          'certificate-authority-data': cluster.caData,
          'proxy-url': cluster.proxyUrl,
        },
      }),
    },
  };
  const env = [...list(exec['env']), { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }];
  return { ...user, exec: { ...exec, env } };
}
