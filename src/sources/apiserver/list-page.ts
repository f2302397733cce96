import { isRecord, record, text } from '../../kubernetes/json.ts';
import { apiVersion, type Resource } from '../../kubernetes/resources.ts';
import { trim } from '../../kubernetes/trim.ts';
import { UpstreamError } from '../upstream-error.ts';
import type { ListPage } from '../upstream.ts';

/** Reads a Kubernetes list. Throws an UpstreamError `malformed` for anything else. */
export function listPage(body: unknown, resource: Resource): ListPage {
  const { items, metadata } = record(body);
  const resourceVersion = text(record(metadata)['resourceVersion']);
  const continueToken = text(record(metadata)['continue']);
  // Go writes an empty list without a value as null.
  const entries = items ?? [];
  if (!isRecord(body) || !Array.isArray(entries) || resourceVersion === '') {
    throw new UpstreamError('malformed', 'The answer was not a list.');
  }
  const type = { apiVersion: apiVersion(resource), kind: resource.kind };
  try {
    return {
      items: entries.map((item) => trim(item, type)),
      resourceVersion,
      continueToken: continueToken === '' ? undefined : continueToken,
    };
  } catch (cause) {
    throw new UpstreamError('malformed', 'The list held something that is no object.', { cause });
  }
}
