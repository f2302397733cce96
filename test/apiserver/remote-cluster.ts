import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { request } from 'node:https';
import { pipeline } from 'node:stream';
import type { User } from '../../demo/apiserver/rbac.ts';
import type { ApiRequest } from '../../demo/apiserver/request.ts';
import type { Cluster } from '../../demo/kas/agent.ts';
import { KasError } from '../../demo/kas/status.ts';
import type { RealApiServer } from './real-apiserver.ts';

const NOT_FORWARDED = /^(host|connection|keep-alive|upgrade|te|trailer|proxy-.*|impersonate-.*)$/;

/** agentk's part: passes requests on to a real API server, impersonating the user KAS has authenticated. */
export class RemoteCluster implements Cluster {
  readonly #server: RealApiServer;

  constructor(server: RealApiServer) {
    this.#server = server;
  }

  handle(parsed: ApiRequest, user: User, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { agent, port, authorization } = this.#server;
    const headers = { ...forwarded(incoming.headers), authorization, ...impersonation(user) };
    const outgoing = request({ agent, host: '127.0.0.1', port, method: parsed.method, path: parsed.url, headers });
    response.on('close', () => outgoing.destroy());
    pipeline(incoming, outgoing, () => {});
    return new Promise((resolve, reject) => {
      outgoing.on('error', (error) => reject(new KasError(502, '', `HTTP->gRPC: gRPC -> HTTP: ${error.message}`)));
      outgoing.on('response', (answer) => {
        response.writeHead(answer.statusCode ?? 502, forwarded(answer.headers));
        // Headers of a watch come long before its first event.
        response.flushHeaders();
        // What breaks on one side breaks on the other.
        pipeline(answer, response, () => resolve());
      });
    });
  }
}

function forwarded(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !NOT_FORWARDED.test(name)));
}

/** Every authenticated user is in `system:authenticated` without being told so. */
export function impersonation({ name, groups }: User): OutgoingHttpHeaders {
  return { 'impersonate-user': name, 'impersonate-group': groups.filter((group) => group !== 'system:authenticated') };
}
