import type { Dispatcher } from 'undici';
import { UpstreamError } from '../upstream-error.ts';
import { connectionError } from './error-map.ts';
import type { ApiHttp, HttpRequest } from './http.ts';
import { urlOf, type ApiPath } from './paths.ts';
import type { Peer } from './peer.ts';
import type { AskReady, StartingClusters } from './starting-clusters.ts';

/** Where an API is reached at this moment, over which connections, and what proves who asks. */
export interface Endpoint {
  readonly http: ApiHttp;
  readonly base: URL;
  readonly headers: Readonly<Record<string, string>>;
}

/** The way to one cluster's API with one set of credentials. */
export interface Access {
  readonly agentId: string;
  readonly peer: Peer;
  /** Of all clusters that are reached this way. */
  readonly starting: StartingClusters;
  /** Throws or rejects with an UpstreamError when there is no way, or no credentials. */
  endpoint(): Endpoint | Promise<Endpoint>;
  /** The cluster has answered 401. Resolves with true when there are other credentials by now, to try once more with. */
  renewed?(refused: Endpoint): Promise<boolean>;
}

type Send<T> = (http: ApiHttp, located: HttpRequest) => Promise<T>;

/** A request to an API, wherever that is and whoever asks. */
export interface ApiRequest extends Omit<HttpRequest, 'url' | 'headers'> {
  readonly path: ApiPath;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Requests to one cluster's API. Everything rejects with an UpstreamError, or with the signal's reason. What a cluster
 * forbids while it starts counts as unreachable.
 */
export class ApiClient {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  /** One page of a list, parsed. */
  async list(request: ApiRequest, signal: AbortSignal): Promise<unknown> {
    const page = await this.#send(request, (http, located) => http.list(located, signal));
    this.granted();
    return page;
  }

  /** One call, parsed. */
  call(request: ApiRequest, signal?: AbortSignal): Promise<unknown> {
    return this.#send(request, (http, located) => http.call(located, signal));
  }

  /** Opens a stream of JSON. Resolves when the server has accepted it. */
  async open(request: ApiRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const response = await this.#send(request, (http, located) => http.open(located, signal));
    this.granted();
    return response;
  }

  /** The same for a stream of anything. */
  openBytes(request: ApiRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    return this.#send(request, (http, located) => http.openBytes(located, signal));
  }

  get peer(): Peer {
    return this.#access.peer;
  }

  /** What it means that an open stream failed. */
  streamError(error: unknown): UpstreamError {
    return error instanceof UpstreamError ? error : connectionError(error, this.#access.peer);
  }

  /** The cluster has let somebody look. Lists and streams of this client are noticed without it. */
  granted(): void {
    this.#access.starting.worked(this.#access.agentId, this.#askReady);
  }

  /** It has said no in an answer that is no error. Rejects when that counts for nothing, since it is starting. */
  denied(): Promise<void> {
    return this.#access.starting.confirmNo(this.#access.agentId, this.#askReady);
  }

  /** What an error means that came another way than by a request of this client. */
  judge(error: UpstreamError): Promise<UpstreamError> {
    return this.#access.starting.judge(this.#access.agentId, error, this.#askReady);
  }

  readonly #askReady: AskReady = async (signal) => {
    const request = { path: { segments: ['readyz'] }, what: 'ask for readiness' };
    const { body } = await this.#authorized(request, (http, located) => http.openBytes(located, signal));
    await body.dump();
  };

  async #send<T>(request: ApiRequest, send: Send<T>): Promise<T> {
    try {
      return await this.#authorized(request, send);
    } catch (error) {
      throw error instanceof UpstreamError ? await this.judge(error) : error;
    }
  }

  async #authorized<T>(request: ApiRequest, send: Send<T>): Promise<T> {
    const endpoint = await this.#access.endpoint();
    try {
      return await send(endpoint.http, located(request, endpoint));
    } catch (error) {
      // Who was refused for their credentials has had nothing done, so that even a change may be sent again.
      const isRefused = error instanceof UpstreamError && error.failure === 'unauthorized';
      if (!isRefused || (await this.#access.renewed?.(endpoint)) !== true) throw error;
    }
    const renewed = await this.#access.endpoint();
    return send(renewed.http, located(request, renewed));
  }
}

function located({ path, headers, ...request }: ApiRequest, endpoint: Endpoint): HttpRequest {
  return { ...request, url: urlOf(endpoint.base, path), headers: { ...headers, ...endpoint.headers } };
}
