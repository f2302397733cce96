interface Params {
  readonly query: string;
  readonly operationName?: string | null;
  readonly variables?: unknown;
}

interface Options {
  readonly headers?: Record<string, string>;
  readonly documentAST?: { readonly definitions: readonly Definition[] };
}

interface Definition {
  readonly kind: string;
  readonly operation?: string;
  readonly name?: { readonly value: string } | undefined;
}

interface Observer {
  next(result: unknown): void;
  error(error: unknown): void;
  complete(): void;
}

/**
 * How GraphiQL reaches the server: HTTP, and graphql-transport-ws for subscriptions. GraphiQL's own client gives what is
 * typed into the headers tab to HTTP only; here it is the payload of `connection_init` too.
 *
 * Runs in the browser: its text is put into the page, so it uses nothing but its argument and what a browser has.
 */
export function createFetcher(page: string) {
  const endpoint = new URL(page);
  endpoint.search = '';
  endpoint.hash = '';

  // oxlint-disable-next-line unicorn/consistent-function-scoping -- the page gets the text of this function, and no more
  function isSubscription({ operationName }: Params, { documentAST }: Options): boolean {
    const operations = (documentAST?.definitions ?? []).filter(({ kind }) => kind === 'OperationDefinition');
    const meant = operationName ? operations.find(({ name }) => name?.value === operationName) : operations[0];
    return meant?.operation === 'subscription';
  }

  async function post(params: Params, headers: Record<string, string>): Promise<unknown> {
    const answer = await fetch(endpoint, {
      method: 'POST',
      credentials: 'same-origin',
      headers: { ...headers, 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(params),
    });
    return answer.json();
  }

  function listen(params: Params, headers: Record<string, string>) {
    return {
      subscribe(observer: Observer) {
        const address = new URL(endpoint);
        address.protocol = endpoint.protocol === 'https:' ? 'wss:' : 'ws:';
        const socket = new WebSocket(address, 'graphql-transport-ws');
        const send = (message: object) => socket.send(JSON.stringify(message));
        let finished = false;

        function finish(tell: () => void): void {
          if (finished) return;
          finished = true;
          socket.close(1000);
          tell();
        }

        socket.addEventListener('open', () => send({ type: 'connection_init', payload: headers }));
        socket.addEventListener('message', ({ data }) => {
          const message = JSON.parse(String(data)) as { type: string; payload?: unknown };
          if (message.type === 'connection_ack') send({ id: '1', type: 'subscribe', payload: params });
          if (message.type === 'ping') send({ type: 'pong' });
          if (message.type === 'next') observer.next(message.payload);
          if (message.type === 'error') {
            observer.next({ errors: message.payload });
            finish(() => observer.complete());
          }
          if (message.type === 'complete') finish(() => observer.complete());
        });
        socket.addEventListener('close', ({ code, reason }) =>
          finish(() => observer.error(new Error(`The server closed the connection: ${code} ${reason}`))),
        );
        return { unsubscribe: () => finish(() => undefined) };
      },
    };
  }

  return (params: Params, options: Options = {}) => {
    const headers = options.headers ?? {};
    return isSubscription(params, options) ? listen(params, headers) : post(params, headers);
  };
}
