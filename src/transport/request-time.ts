import { getOperationAST } from 'graphql';
import type { ExecutionArgs, ExecutionResult } from 'graphql';
import type { Clock } from '../clock.ts';
import { ApiError } from '../errors.ts';
import { toGraphQLError } from '../schema/errors.ts';

type Outcome = ExecutionResult | AsyncIterable<ExecutionResult>;

type Asked = Pick<ExecutionArgs, 'document' | 'operationName'>;

/**
 * An operation's answer, or for a subscription its opening, if it comes in time; else an error that says so. What
 * comes too late is thrown away, and a stream among it ended. A mutation goes on: nobody can call it back.
 */
export async function inTime<T extends Outcome>(
  clock: Clock,
  seconds: number,
  asked: Asked,
  operation: T | Promise<T>,
  onLate: () => void,
): Promise<T | ExecutionResult> {
  if (!(operation instanceof Promise)) return operation;
  let isLate = false;
  const late = new Promise<ExecutionResult>((resolve) => {
    const timer = clock.after(seconds * 1_000, () => {
      isLate = true;
      onLate();
      resolve({ errors: [tooLate(seconds, asked)] });
    });
    const settled = () => timer.cancel();
    operation.then(settled, settled);
  });
  operation.then((outcome) => isLate && endStream(outcome)).catch(() => undefined);
  return Promise.race([operation, late]);
}

function tooLate(seconds: number, { document, operationName }: Asked) {
  const isMutation = getOperationAST(document, operationName)?.operation === 'mutation';
  return toGraphQLError(
    new ApiError('LIMIT_EXCEEDED', `The operation took longer than ${seconds} s (MAX_REQUEST_SECONDS).`, {
      retryable: !isMutation,
      remedy: isMutation
        ? 'It may have been done, or be done yet: look at what it was to change before you repeat it.'
        : 'Try again, or ask for less at once; the cluster or the way to it may be slow.',
    }),
  );
}

function endStream(outcome: Outcome): void {
  if (!(Symbol.asyncIterator in outcome)) return;
  outcome[Symbol.asyncIterator]()
    .return?.()
    .catch(() => undefined);
}
