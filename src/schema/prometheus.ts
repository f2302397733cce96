import type { MetricsResult } from '../access/prometheus.ts';
import { badInput } from '../errors.ts';
import { milliseconds } from '../kubernetes/timestamp.ts';
import { builder } from './builder.ts';
import { agentArgs } from './scope.ts';

const MAX_QUERY = 8_192;
/** As Prometheus has it. */
const MAX_POINTS = 11_000;

const PromResult = builder.objectRef<MetricsResult>('PromResult').implement({
  description: 'The answer of a Prometheus, as its HTTP API gives it.',
  fields: (t) => ({
    resultType: t.exposeString('resultType', { description: '`vector`, `matrix`, `scalar` or `string`.' }),
    result: t.field({
      type: 'JSON',
      description: 'Series or values: for a vector [{ metric, value: [seconds, "number"] }].',
      resolve: ({ result }) => result ?? [],
    }),
    warnings: t.stringList({ description: 'What Prometheus has to remark.', resolve: ({ warnings }) => warnings }),
  }),
});

const promArgs = {
  ...agentArgs,
  ...builder.args((t) => ({
    query: t.string({ required: true, description: `PromQL, at most ${MAX_QUERY} characters.` }),
  })),
};

export function addPrometheus(): void {
  builder.queryField('promQuery', (t) =>
    t.field({
      type: PromResult,
      description:
        "Asks the cluster's Prometheus (PROMETHEUS_SERVICE), through the API server and with the caller's own credentials: needs the right to get `services/proxy`. NOT_FOUND where none is configured.",
      args: {
        ...promArgs,
        time: t.arg.string({ description: 'When, as RFC 3339. Omitted or null: now.' }),
      },
      resolve: (_root, args, context) => {
        const time = args.time == null ? undefined : checkTime(args.time, 'time').toString();
        return context.gate.prometheus.query(context.viewer(), args.agentId, checkQuery(args.query), time);
      },
    }),
  );

  builder.queryField('promQueryRange', (t) =>
    t.field({
      type: PromResult,
      description: `The same over a range of time, at most ${MAX_POINTS} points.`,
      args: {
        ...promArgs,
        start: t.arg.string({ required: true, description: 'The beginning, as RFC 3339.' }),
        end: t.arg.string({ required: true, description: 'The end, as RFC 3339.' }),
        step: t.arg.int({ required: true, description: 'Seconds from one point to the next, at least 1.' }),
      },
      resolve: (_root, args, context) => {
        const start = checkTime(args.start, 'start');
        const end = checkTime(args.end, 'end');
        if (end < start) throw badInput('end', 'no earlier than start');
        if (args.step < 1 || (end - start) / args.step > MAX_POINTS) {
          throw badInput('step', `at least 1, and so long that the range has at most ${MAX_POINTS} points`);
        }
        const range = { start: start.toString(), end: end.toString(), step: args.step.toString() };
        return context.gate.prometheus.queryRange(context.viewer(), args.agentId, checkQuery(args.query), range);
      },
    }),
  );
}

function checkQuery(query: string): string {
  if (query.trim() === '' || query.length > MAX_QUERY)
    throw badInput('query', `PromQL of 1 to ${MAX_QUERY} characters`);
  return query;
}

/** In seconds since 1970. */
function checkTime(time: string, argument: string): number {
  const at = milliseconds(time);
  if (at === undefined) throw badInput(argument, 'a time such as 2026-03-01T12:00:00Z');
  return at / 1_000;
}
