import { checkContainerName } from '../../kubernetes/names.ts';
import { PODS } from '../../kubernetes/resources.ts';
import type { Credentials } from '../credentials.ts';
import type { LogHandle, LogListener, LogRequest, LogTarget } from '../logs/log-source.ts';
import { UpstreamError } from '../upstream-error.ts';
import { authHeaders } from './auth.ts';
import { connectionError } from './error-map.ts';
import type { KasHttp } from './http.ts';
import { resourceUrl } from './paths.ts';

interface LogCall {
  readonly target: LogTarget;
  readonly request: LogRequest;
  readonly listener: LogListener;
}

/** Opens a container's log through KAS: a response of plain text, which for a follow goes on. */
export function openKasLog(base: URL, http: KasHttp, credentials: Credentials, call: LogCall): LogHandle {
  const stream = new KasLog(base, http, credentials, call);
  void stream.run();
  return stream;
}

class KasLog implements LogHandle {
  readonly #base: URL;
  readonly #http: KasHttp;
  readonly #credentials: Credentials;
  readonly #call: LogCall;
  readonly #abort = new AbortController();

  constructor(base: URL, http: KasHttp, credentials: Credentials, call: LogCall) {
    this.#base = base;
    this.#http = http;
    this.#credentials = credentials;
    this.#call = call;
  }

  async run(): Promise<void> {
    const { target, listener } = this.#call;
    try {
      const { body } = await this.#http.openBytes(
        {
          url: logUrl(this.#base, this.#call),
          headers: { ...authHeaders(this.#credentials, target.agentId), accept: 'application/json, */*' },
          what: `get the log of container "${target.container}" of pod "${target.pod}" in namespace "${target.namespace}"`,
        },
        this.#abort.signal,
      );
      if (this.#abort.signal.aborted) return;
      body.on('data', (chunk: Buffer) => {
        if (!this.#abort.signal.aborted) listener.data(chunk);
      });
      body.on('end', () => this.#end(undefined));
      body.on('error', (error) => this.#end(connectionError(error)));
      listener.opened();
    } catch (error) {
      this.#end(error instanceof UpstreamError ? error : connectionError(error));
    }
  }

  close(): void {
    this.#abort.abort();
  }

  #end(error: UpstreamError | undefined): void {
    if (this.#abort.signal.aborted) return;
    this.#abort.abort();
    this.#call.listener.ended(error?.failure === 'invalid' ? this.#notThere(error) : error);
  }

  /** The one thing that such a request is refused for. */
  #notThere(cause: UpstreamError): UpstreamError {
    const { container, pod } = this.#call.target;
    const which = container === '' ? `Pod "${pod}"` : `Container "${container}" of pod "${pod}"`;
    const message = `${which} has no such log: it has not started yet, there is no such container, or no earlier run.`;
    return new UpstreamError('invalid', message, { ...(cause.upstream && { upstream: cause.upstream }), cause });
  }
}

function logUrl(base: URL, { target, request }: LogCall): URL {
  const { agentId, namespace, pod, container } = target;
  const { follow, previous = false, tailLines, sinceSeconds, sinceTime } = request;
  const url = resourceUrl(base, { agentId, namespace, resource: PODS }, pod, {
    container: container === '' ? undefined : checkContainerName(container),
    follow: follow ? 'true' : undefined,
    previous: previous ? 'true' : undefined,
    timestamps: 'true',
    tailLines: tailLines?.toString(),
    sinceSeconds: sinceSeconds?.toString(),
    sinceTime,
  });
  url.pathname = `${url.pathname}/log`;
  return url;
}
