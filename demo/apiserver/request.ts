/** What a request asks of the API, by Kubernetes' own rules for paths (`RequestInfo`). */
export interface ApiRequest {
  readonly method: string;
  /** Path and query as received. */
  readonly url: string;
  /** The decoded path: as in Go, an encoded slash or dot has become a real one here. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`; the method's name elsewhere. */
  readonly verb: string;
  /** False for discovery, /version and everything unknown. */
  readonly isResource: boolean;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** A later page of a list. */
  readonly continued: boolean;
}

const VERBS: Readonly<Record<string, string>> = { POST: 'create', PUT: 'update', PATCH: 'patch' };

/** `url` is the part after the proxy's prefix, as received. */
export function parseRequest(method: string, url: string): ApiRequest {
  const mark = url.indexOf('?');
  const path = decodePath(mark === -1 ? url : url.slice(0, mark));
  const query = new URLSearchParams(mark === -1 ? '' : url.slice(mark + 1));
  const parts = path.split('/').filter((part) => part !== '');
  const rest = parts[0] === 'api' ? parts.slice(2) : parts.slice(3);
  const [group, version] = parts[0] === 'api' ? ['', parts[1]] : [parts[1], parts[2]];
  const isResource = (parts[0] === 'api' || parts[0] === 'apis') && rest.length > 0;
  const base = { method, url, path, query, continued: query.has('continue') };
  const nowhere = { group: '', version: '', resource: '', subresource: '', namespace: '', name: '' };
  if (!isResource) return { ...base, ...nowhere, isResource, verb: method.toLowerCase() };
  const target = parseTarget(rest);
  const verb = verbOf(method, target.name, query);
  return { ...base, isResource, group: group ?? '', version: version ?? '', ...target, verb };
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function parseTarget(parts: string[]): Pick<ApiRequest, 'resource' | 'subresource' | 'namespace' | 'name'> {
  const isNamespaceItself =
    parts[0] === 'namespaces' && (parts.length < 3 || ['status', 'finalize'].includes(parts[2] ?? ''));
  const [resource = '', name = '', subresource = ''] =
    parts[0] === 'namespaces' && !isNamespaceItself ? parts.slice(2) : parts;
  const namespace = parts[0] === 'namespaces' ? (parts[1] ?? '') : '';
  return { resource, name, subresource, namespace };
}

function verbOf(method: string, name: string, query: URLSearchParams): string {
  if (method === 'GET' || method === 'HEAD') {
    if (name !== '') return 'get';
    return ['true', '1'].includes(query.get('watch') ?? '') ? 'watch' : 'list';
  }
  if (method === 'DELETE') return name === '' ? 'deletecollection' : 'delete';
  return VERBS[method] ?? method.toLowerCase();
}
