import { ApiError, badInput } from '../errors.ts';
import { list, record, text } from '../kubernetes/json.ts';
import { SERVICES } from '../kubernetes/resources.ts';
import type { ServiceAddress } from '../sources/actions.ts';
import { UpstreamError } from '../sources/upstream-error.ts';
import type { Actions } from './actions.ts';
import type { Viewer } from './viewer.ts';

/** The largest result that is passed on, in characters of JSON. */
const MAX_RESULT = 4 * 1024 * 1024;
/** What Prometheus is given to answer. */
const TIMEOUT = '20s';

export interface MetricsResult {
  /** vector, matrix, scalar or string. */
  readonly resultType: string;
  readonly result: unknown;
  readonly warnings: readonly string[];
}

/**
 * The one Prometheus of each cluster that the operator has named, reached through the API server's service proxy with
 * the caller's own credentials (`get services/proxy`). Nothing but its two query addresses is ever asked for.
 */
export class Prometheus {
  readonly #actions: Actions;
  readonly #service: ServiceAddress | undefined;

  constructor(actions: Actions, service: ServiceAddress | undefined) {
    this.#actions = actions;
    this.#service = service;
  }

  query(viewer: Viewer, agentId: string, query: string, time: string | undefined): Promise<MetricsResult> {
    return this.#ask(viewer, agentId, 'query', { query, time });
  }

  queryRange(
    viewer: Viewer,
    agentId: string,
    query: string,
    range: { readonly start: string; readonly end: string; readonly step: string },
  ): Promise<MetricsResult> {
    return this.#ask(viewer, agentId, 'query_range', { query, ...range });
  }

  async #ask(
    viewer: Viewer,
    agentId: string,
    what: 'query' | 'query_range',
    query: Readonly<Record<string, string | undefined>>,
  ): Promise<MetricsResult> {
    const service = this.#service;
    if (service === undefined) {
      throw new ApiError('NOT_FOUND', 'No Prometheus is configured (PROMETHEUS_SERVICE).', {
        remedy: 'Ask the operator of Kascade to name one: PROMETHEUS_SERVICE=namespace/name:port.',
      });
    }
    const { namespace, name, port } = service;
    const key = { agentId, namespace, resource: { ...SERVICES, plural: 'services/proxy' } };
    const path = ['api', 'v1', what];
    try {
      const target = { viewer, key, name: `${name}:${port}` };
      const body = await this.#actions.look(target, (calls) =>
        calls.serviceGet({ service, path, query: { ...query, timeout: TIMEOUT } }),
      );
      return resultOf(body);
    } catch (error) {
      if (error instanceof UpstreamError && error.failure === 'invalid') {
        throw badInput('query', 'PromQL that Prometheus accepts, over a range that it can answer');
      }
      throw error;
    }
  }
}

function resultOf(body: unknown): MetricsResult {
  const { status, data, warnings } = record(body);
  const { resultType, result } = record(data);
  if (status !== 'success' || text(resultType) === '' || result === undefined) {
    throw new UpstreamError('malformed', 'The answer was not that of a Prometheus.');
  }
  if (JSON.stringify(result).length > MAX_RESULT) {
    throw new ApiError('LIMIT_EXCEEDED', `The result is larger than ${MAX_RESULT} characters.`, {
      remedy: 'Aggregate in the query, or ask for a shorter range or a longer step.',
    });
  }
  return { resultType: text(resultType), result, warnings: list(warnings).map(text) };
}
