import { pino } from 'pino';
import type { DestinationStream, Logger, LoggerOptions } from 'pino';
import { redacted, redactedText } from './redaction.ts';
import { currentTrace } from './tracing/tracing.ts';

export type Log = Logger;

/**
 * JSON lines. Secret fields are blanked by name before a line is made; the finished line is searched once more for
 * what looks like a credential, so that messages, stacks and bindings cannot carry one past the first step.
 */
export function createLog(
  level: string,
  destination: DestinationStream = pino.destination({ fd: 1, sync: true }),
): Log {
  const options: LoggerOptions = {
    level,
    messageKey: 'message',
    errorKey: 'error',
    timestamp: pino.stdTimeFunctions.isoTime,
    mixin: () => {
      const trace = currentTrace();
      return trace === undefined ? {} : { traceId: trace.traceId };
    },
    formatters: {
      level: (label) => ({ level: label }),
      bindings: () => ({}), // no process id, no host name: whoever collects the lines adds theirs
      log: (fields) => redacted(fields) as Record<string, unknown>,
    },
    serializers: { error: redacted },
    hooks: { streamWrite: redactedText },
  };
  return pino(options, destination);
}
