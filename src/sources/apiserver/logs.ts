import { checkContainerName } from '../../kubernetes/names.ts';
import { PODS } from '../../kubernetes/resources.ts';
import type { LogHandle, LogListener, LogRequest, LogTarget } from '../logs/log-source.ts';
import { Stopped } from '../stopped.ts';
import { UpstreamError } from '../upstream-error.ts';
import type { ApiClient } from './client.ts';
import { resourcePath, type ApiPath } from './paths.ts';

interface LogCall {
  readonly target: LogTarget;
  readonly request: LogRequest;
  readonly listener: LogListener;
}

/** Opens a container's log: a response of plain text, which for a follow goes on. */
export function openApiLog(client: ApiClient, call: LogCall): LogHandle {
  const stream = new ApiLog(client, call);
  void stream.run();
  return stream;
}

class ApiLog implements LogHandle {
  readonly #client: ApiClient;
  readonly #call: LogCall;
  readonly #abort = new AbortController();

  constructor(client: ApiClient, call: LogCall) {
    this.#client = client;
    this.#call = call;
  }

  async run(): Promise<void> {
    const { target, listener } = this.#call;
    try {
      const { body } = await this.#client.openBytes(
        {
          path: logPath(this.#call),
          headers: { accept: 'application/json, */*' },
          what: `get the log of container "${target.container}" of pod "${target.pod}" in namespace "${target.namespace}"`,
        },
        this.#abort.signal,
      );
      if (this.#abort.signal.aborted) return;
      body.on('data', (chunk: Buffer) => {
        if (!this.#abort.signal.aborted) listener.data(chunk);
      });
      body.on('end', () => this.#end(undefined));
      body.on('error', (error) => this.#end(this.#client.streamError(error)));
      listener.opened();
    } catch (error) {
      this.#end(this.#client.streamError(error));
    }
  }

  close(): void {
    this.#abort.abort(new Stopped());
  }

  #end(error: UpstreamError | undefined): void {
    if (this.#abort.signal.aborted) return;
    this.#abort.abort(new Stopped());
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

function logPath({ target, request }: LogCall): ApiPath {
  const { agentId, namespace, pod, container } = target;
  const { follow, previous = false, tailLines, sinceSeconds, sinceTime } = request;
  const query = {
    container: container === '' ? undefined : checkContainerName(container),
    follow: follow ? 'true' : undefined,
    previous: previous ? 'true' : undefined,
    timestamps: 'true',
    tailLines: tailLines?.toString(),
    sinceSeconds: sinceSeconds?.toString(),
    sinceTime,
  };
  return resourcePath({ agentId, namespace, resource: PODS }, pod, query, 'log');
}
