import type { ApiRequest } from '../apiserver/request.ts';

/** One request as KAS received it. */
export interface RecordedRequest {
  readonly method: string;
  /** Path and query exactly as on the wire, with the prefix. */
  readonly url: string;
  /** Names of the headers received, lower-case. */
  readonly headers: readonly string[];
  /** The trace that it says it belongs to. */
  readonly traceparent: string | undefined;
  /** A watch that KAS itself opened for one of its WebSockets. */
  via?: 'websocket';
  readonly startedAt: number;
  /** `get`, `list`, `watch`, …; the method in lower case outside of resources; `upgrade` for WebSockets. */
  readonly verb: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** A later page of a list. */
  readonly continued: boolean;
  /** Known once the credentials are read. */
  agent?: number;
  user?: string;
  /** Known once answered. */
  status?: number;
  endedAt?: number;
}

export type RequestFilter = Partial<
  Pick<
    RecordedRequest,
    | 'agent'
    | 'user'
    | 'verb'
    | 'resource'
    | 'subresource'
    | 'namespace'
    | 'name'
    | 'continued'
    | 'status'
    | 'method'
    | 'via'
  >
>;

export function record(
  method: string,
  url: string,
  rawHeaders: readonly string[],
  request: ApiRequest,
): RecordedRequest {
  const { verb, resource, subresource, namespace, name, continued } = request;
  const headers = rawHeaders.filter((_, index) => index % 2 === 0).map((header) => header.toLowerCase());
  const at = headers.indexOf('traceparent');
  const traceparent = at < 0 ? undefined : rawHeaders[at * 2 + 1];
  return {
    method,
    url,
    headers,
    traceparent,
    startedAt: Date.now(),
    verb,
    resource,
    subresource,
    namespace,
    name,
    continued,
  };
}

export function fits(request: RecordedRequest, filter: RequestFilter): boolean {
  return Object.entries(filter).every(
    ([field, value]) => value === undefined || request[field as keyof RequestFilter] === value,
  );
}
