import { getOperationAST } from 'graphql';
import type { ExecutionArgs, ExecutionResult } from 'graphql';
import type { Counters } from '../counters.ts';
import { toGraphQLError } from '../schema/errors.ts';
import { inSpan, plainTracer, type Tracer } from '../tracing/tracing.ts';

type Outcome = ExecutionResult | AsyncIterable<ExecutionResult>;

/** Anybody can invent names, and of any length. */
const MAX_NAME_LENGTH = 100;

/** Counts operations, and gives each a span, which of a subscription is its opening. */
export function operationRecorder({
  counters,
  tracer = plainTracer,
}: {
  readonly counters: Counters;
  readonly tracer?: Tracer;
}) {
  return async <T extends Outcome>(
    { document, operationName }: Pick<ExecutionArgs, 'document' | 'operationName'>,
    run: () => T | Promise<T>,
  ): Promise<T> => {
    const operation = getOperationAST(document, operationName);
    const type = operation?.operation ?? 'query';
    const name = operation?.name?.value.slice(0, MAX_NAME_LENGTH);
    const attributes = {
      'graphql.operation.type': type,
      ...(name !== undefined && { 'graphql.operation.name': name }),
    };
    const count = (result: 'ok' | 'error') => counters.add('operations', { type, result });
    try {
      const options = { name: `GraphQL ${type}`, kind: 'server', attributes } as const;
      const outcome = await inSpan(tracer, options, async () => run(), codeOf);
      count(codeOf(outcome) === undefined ? 'ok' : 'error');
      return outcome;
    } catch (error) {
      count('error');
      throw error;
    }
  };
}

/** The code of the first error in an answer. */
function codeOf(outcome: Outcome): string | undefined {
  const [first] = 'errors' in outcome ? (outcome.errors ?? []) : [];
  return first === undefined ? undefined : String(toGraphQLError(first).extensions['code']);
}
