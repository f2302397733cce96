import type { JsonObject } from './json.ts';

/** Kubernetes' `Status` object: the body of every refusal. */
export interface StatusBody extends JsonObject {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: JsonObject;
  status: 'Failure';
  message: string;
  reason?: string;
  details?: JsonObject;
  code: number;
}

export function failure(code: number, reason: string, message: string, details?: JsonObject): StatusBody {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    ...(reason === '' ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code,
  };
}

/** Thrown anywhere while a request is handled; becomes its answer. */
export class ApiError extends Error {
  readonly status: StatusBody;

  constructor(status: StatusBody) {
    super(status.message);
    this.status = status;
  }
}

export interface ResourceName {
  readonly group: string;
  readonly plural: string;
}

function detailsOf(resource: ResourceName, name: string): JsonObject {
  return {
    ...(name === '' ? {} : { name }),
    ...(resource.group === '' ? {} : { group: resource.group }),
    kind: resource.plural,
  };
}

function qualified(resource: ResourceName): string {
  return resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
}

export function notFound(resource: ResourceName, name: string): StatusBody {
  return failure(404, 'NotFound', `${qualified(resource)} "${name}" not found`, detailsOf(resource, name));
}

export function alreadyExists(resource: ResourceName, name: string): StatusBody {
  return failure(409, 'AlreadyExists', `${qualified(resource)} "${name}" already exists`, detailsOf(resource, name));
}

export function conflict(resource: ResourceName, name: string, why?: string): StatusBody {
  const cause = why ?? 'the object has been modified; please apply your changes to the latest version and try again';
  const message = `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${cause}`;
  return failure(409, 'Conflict', message, detailsOf(resource, name));
}

export function forbidden(resource: ResourceName, name: string, why: string): StatusBody {
  const what = name === '' ? qualified(resource) : `${qualified(resource)} "${name}"`;
  return failure(403, 'Forbidden', `${what} is forbidden: ${why}`, detailsOf(resource, name));
}

export function badRequest(message: string): StatusBody {
  return failure(400, 'BadRequest', message);
}

/** What is said of a resourceVersion that is no number. */
export function unparsable(version: string): string {
  const quoted = JSON.stringify(version);
  return `resourceVersion: Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: invalid syntax`;
}

export function invalidOptions(field: string, why: string, reason = 'FieldValueForbidden'): StatusBody {
  const message = `ListOptions.meta.k8s.io "" is invalid: ${field}: ${why}`;
  const causes = [{ reason, message: why, field }];
  return failure(422, 'Invalid', message, { group: 'meta.k8s.io', kind: 'ListOptions', causes });
}

export function expired(message: string): StatusBody {
  return failure(410, 'Expired', message);
}

export function tooLargeResourceVersion(requested: string, current: string, retryAfterSeconds = 1): StatusBody {
  const message = `Timeout: Too large resource version: ${requested}, current: ${current}`;
  const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }];
  return failure(504, 'Timeout', message, { causes, retryAfterSeconds });
}

export function unsupportedMediaType(accepted: string[]): StatusBody {
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`;
  return failure(415, 'UnsupportedMediaType', message);
}

export function methodNotAllowed(): StatusBody {
  return failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
}

/** A group is served, but not this resource, or not in this version. */
export function noSuchResource(): StatusBody {
  return failure(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function forbiddenPath(user: string, verb: string, path: string): StatusBody {
  return failure(403, 'Forbidden', `forbidden: User "${user}" cannot ${verb} path "${path}"`, {});
}

/** A JSON patch that cannot be applied; which operation it was is not told. */
export function unprocessable(): StatusBody {
  return failure(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
}

/** One field is wrong. `kind`: with its group if it has one. */
export function invalidField(kind: string, name: string, field: string, reason: string, why: string): StatusBody {
  const [short = '', ...group] = kind.split('.');
  const message = `${kind} "${name}" is invalid: ${field}: ${why}`;
  return failure(422, 'Invalid', message, {
    ...(name === '' ? {} : { name }),
    ...(group.length === 0 ? {} : { group: group.join('.') }),
    ...(short === '' ? {} : { kind: short }),
    causes: [{ reason, message: why, field }],
  });
}
