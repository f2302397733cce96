import type { Clock } from '../../clock.ts';
import { quote } from '../../kubernetes/quote.ts';
import type { Access, Endpoint } from '../apiserver/client.ts';
import { ApiHttp, type ApiHttpOptions, type HttpTools } from '../apiserver/http.ts';
import type { Peer } from '../apiserver/peer.ts';
import { StartingClusters } from '../apiserver/starting-clusters.ts';
import { UpstreamError } from '../upstream-error.ts';
import { ContextProof, type Proof } from './context-proof.ts';
import type { Context } from './kubeconfig.ts';
import type { KubeconfigFile } from './kubeconfig-file.ts';

/** How long a command may take to give credentials, in milliseconds. */
export const PROOF_DEADLINE_MS = 25_000;
/** Credentials that were refused, or could not be had, are asked for anew at most this often, in milliseconds. */
export const RENEWAL_MS = 10_000;

const REMEDY = 'Check that kubectl reaches this context on the machine that Kascade runs on.';

/** A cluster's API server, as the one who answers. */
export const CLUSTER: Peer = {
  name: 'The cluster',
  hop: 'cluster',
  remedies: { unauthorized: REMEDY, unreachable: REMEDY, torn: REMEDY },
  isOfGitlab: () => false,
};

/** The way to the cluster of one context: as the kubeconfig has it now, with what its user is known by now. */
export class ContextAccess implements Access {
  readonly peer = CLUSTER;
  readonly starting: StartingClusters;
  readonly #name: string;
  readonly #file: KubeconfigFile;
  readonly #clock: Clock;
  readonly #connections: Connections;
  #context: Context | undefined;
  #proof: ContextProof | undefined;
  /** Monotonic milliseconds. */
  #renewedAt = Number.NEGATIVE_INFINITY;
  /** A command may open a browser each time: it is not asked again at once. */
  #failure: { readonly error: UpstreamError; readonly at: number } | undefined;

  constructor(name: string, file: KubeconfigFile, tools: HttpTools) {
    this.#name = name;
    this.starting = new StartingClusters(tools.clock);
    this.#file = file;
    this.#clock = tools.clock;
    this.#connections = new Connections(tools);
  }

  get agentId(): string {
    return this.#name;
  }

  async endpoint(): Promise<Endpoint> {
    const context = await this.#file.current(this.#name);
    if (context?.cluster === undefined || context.problem !== undefined) {
      throw new UpstreamError('notFound', unusable(this.#name, context), { hop: 'server', remedy: REMEDY });
    }
    const { server, proxyUrl } = context.cluster;
    if (context !== this.#context) {
      this.#context = context;
      this.#proof = undefined;
      this.#failure = undefined;
    }
    this.#proof ??= new ContextProof(context, context.cluster);
    const { headers, tls } = await this.#prove(this.#proof, context);
    const http = this.#connections.with({ tls, ...(proxyUrl !== undefined && { proxy: proxyUrl }) });
    return { http, base: new URL(server), headers };
  }

  async renewed(refused: Endpoint): Promise<boolean> {
    if (!isSame(await this.endpoint(), refused)) return true;
    if (this.#clock.monotonic() - this.#renewedAt < RENEWAL_MS) return false;
    this.#renewedAt = this.#clock.monotonic();
    this.#proof = undefined;
    return !isSame(await this.endpoint(), refused);
  }

  close(): Promise<void> {
    return this.#connections.close();
  }

  async #prove(proof: ContextProof, context: Context): Promise<Proof> {
    const now = this.#clock.monotonic();
    if (this.#failure !== undefined && now - this.#failure.at < RENEWAL_MS) throw this.#failure.error;
    try {
      const read = await this.#read(proof, context);
      this.#failure = undefined;
      return read;
    } catch (error) {
      if (error instanceof UpstreamError) this.#failure = { error, at: this.#clock.monotonic() };
      throw error;
    }
  }

  /** What commands and files say when they fail is not passed on: it may hold secrets. */
  async #read(proof: ContextProof, { name }: Context): Promise<Proof> {
    const late = Promise.withResolvers<never>();
    const timer = this.#clock.after(PROOF_DEADLINE_MS, () =>
      late.reject(unprovable(name, `not within ${PROOF_DEADLINE_MS / 1_000} s`)),
    );
    try {
      const read = await Promise.race([proof.read(), late.promise]);
      if (!Object.values(read.headers).every((value) => SENDABLE.test(value))) {
        throw unprovable(name, 'they hold what no header can');
      }
      return read;
    } catch (error) {
      if (error instanceof UpstreamError) throw error;
      const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
      throw unprovable(name, code !== undefined && /^[A-Z_0-9]+$/.test(code) ? code : 'its command or provider failed');
    } finally {
      timer.cancel();
    }
  }
}

/** What a header may hold (RFC 9110 5.5). */
const SENDABLE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** A sentence about a context that is no agent. Its name is whatever somebody has asked for. */
export function unusable(name: string, context: Context | undefined): string {
  if (context === undefined) return `The kubeconfig has no context ${quote(name)}.`;
  return `The context ${quote(name)} cannot be used: ${context.problem ?? 'it has no cluster'}.`;
}

/** As if there were no way to the cluster: it is tried again, and nobody has been refused anything. */
function unprovable(name: string, why: string): UpstreamError {
  const message = `The credentials of context "${name}" could not be had (${why}).`;
  return new UpstreamError('unreachable', message, { hop: 'server', remedy: REMEDY });
}

function isSame(a: Endpoint, b: Endpoint): boolean {
  return a.http === b.http && a.base.href === b.base.href && JSON.stringify(a.headers) === JSON.stringify(b.headers);
}

type Way = Pick<ApiHttpOptions, 'tls' | 'proxy'>;

/** Connections are made with certificates: when those change, new connections take over, and the old ones run out. */
class Connections {
  readonly #tools: HttpTools;
  readonly #open = new Set<ApiHttp>();
  #latest: { readonly key: string; readonly http: ApiHttp } | undefined;

  constructor(tools: HttpTools) {
    this.#tools = tools;
  }

  with(way: Way): ApiHttp {
    const key = JSON.stringify(way);
    if (this.#latest?.key === key) return this.#latest.http;
    if (this.#latest !== undefined) this.#retire(this.#latest.http);
    const http = new ApiHttp({ ...this.#tools, ...way, peer: CLUSTER });
    this.#open.add(http);
    this.#latest = { key, http };
    return http;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map((http) => http.close()));
  }

  #retire(http: ApiHttp): void {
    void http.retire().finally(() => this.#open.delete(http));
  }
}
